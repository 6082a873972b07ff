// What the bytes of instructions are, and what they do to the operands.
import { after, longU32, skipped } from './numbers';

/**
 * By opcode: what follows it, and above that 256 times what it does to the height of the operands; CONTROL for those
 * that say more than that.
 */
export const KINDS: usize = memory.data(512);
const NOTHING: i16 = 0;
export const NUMBER: i16 = 1;
export const TWO_NUMBERS: i16 = 2;
const NUMBERS: i16 = 3;
const PREFIXED: i16 = 4;
const IMMEDIATES: i16 = 7;
export const CONTROL: i16 = 8;
let isSet = false;

function setKind(from: usize, to: usize, kind: i16, change: i16): void {
  for (let op = from; op <= to; op++) store<i16>(KINDS + (op << 1), kind | (change << 8));
}

/** Before the first use of what is here. */
export function setKinds(): void {
  if (isSet) return;
  isSet = true;
  setKind(0x00, 0x01, NOTHING | CONTROL, 0); // unreachable, nop
  setKind(0x02, 0x04, NUMBER | CONTROL, 0); // block, loop, if
  setKind(0x05, 0x05, NOTHING | CONTROL, 0); // else
  setKind(0x0b, 0x0b, NOTHING | CONTROL, 0); // end
  setKind(0x0c, 0x0d, NUMBER | CONTROL, 0); // br, br_if
  setKind(0x0e, 0x0e, NUMBERS | CONTROL, 0); // br_table
  setKind(0x0f, 0x0f, NOTHING | CONTROL, 0); // return
  setKind(0x10, 0x10, NUMBER | CONTROL, 0); // call
  setKind(0x11, 0x11, TWO_NUMBERS | CONTROL, 0); // call_indirect
  setKind(0x1a, 0x1a, NOTHING, -1); // drop
  setKind(0x1b, 0x1b, NOTHING, -2); // select
  setKind(0x1c, 0x1c, TWO_NUMBERS, -2); // select of a type
  setKind(0x20, 0x20, NUMBER, 1); // local.get
  setKind(0x21, 0x21, NUMBER, -1); // local.set
  setKind(0x22, 0x22, NUMBER, 0); // local.tee
  setKind(0x23, 0x23, NUMBER, 1); // global.get
  setKind(0x24, 0x24, NUMBER, -1); // global.set
  setKind(0x25, 0x25, NUMBER, 0); // table.get
  setKind(0x26, 0x26, NUMBER, -2); // table.set
  setKind(0x28, 0x35, TWO_NUMBERS, 0); // loads
  setKind(0x36, 0x3e, TWO_NUMBERS, -2); // stores
  setKind(0x3f, 0x3f, NUMBER, 1); // memory.size
  setKind(0x40, 0x40, NUMBER, 0); // memory.grow
  setKind(0x41, 0x42, NUMBER, 1); // constants
  setKind(0x46, 0x4f, NOTHING, -1); // i32 comparisons
  setKind(0x51, 0x5a, NOTHING, -1); // i64 comparisons
  setKind(0x6a, 0x78, NOTHING, -1); // i32 operations
  setKind(0x7c, 0x8a, NOTHING, -1); // i64 operations
  setKind(0xd0, 0xd0, NUMBER, 1); // ref.null
  setKind(0xd2, 0xd2, NUMBER, 1); // ref.func
  setKind(0xfc, 0xfc, PREFIXED | CONTROL, 0);
}

/** The byte behind the immediates of `op`, which begin at `at`. */
export function behind(op: u32, at: usize): usize {
  const kind = <i16>(load<i16>(KINDS + (<usize>op << 1)) & IMMEDIATES);
  if (kind === NOTHING) return at;
  if (kind === NUMBER) return skipped(at);
  if (kind === TWO_NUMBERS) return skipped(skipped(at));
  if (kind === NUMBERS) {
    const count = longU32(at);
    at = after;
    for (let i: u32 = 0; i <= count; i++) at = skipped(at);
    return at;
  }
  const sub = load<u8>(at);
  at = skipped(at);
  // memory.init, memory.copy, table.init and table.copy have two, the others one.
  return sub === 0x08 || sub === 0x0a || sub === 0x0c || sub === 0x0e ? skipped(skipped(at)) : skipped(at);
}

/** What a 0xfc instruction does to the height. */
export function prefixedChange(sub: u32): i32 {
  switch (sub) {
    case 0x09: // data.drop
    case 0x0d: // elem.drop
      return 0;
    case 0x0f: // table.grow
      return -1;
    case 0x10: // table.size
      return 1;
    default:
      return -3;
  }
}
