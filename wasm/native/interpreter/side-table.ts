// Makes the side table of a function when it is called first: one walk over its code, which is known to be valid.
import {
  BRANCH_BYTES,
  BRANCH_SIDE,
  BRANCH_VALUES,
  FUNCTION_BYTES,
  FUNCTION_CODE,
  FUNCTION_COST,
  FUNCTION_LOCALS,
  FUNCTION_PARAMS,
  FUNCTION_RESULTS,
  FUNCTION_SIDE,
  LAST_END,
  PROGRAM_FUNCTIONS,
  PROGRAM_ROOM,
  PROGRAM_TYPES,
  TYPE_BYTES,
  TYPE_RESULTS,
  WORD,
} from './layout';
import { after, longU32, skipped } from './numbers';

/** An open block: nesting is at most 512, and the body itself is one more. */
const BLOCK_BYTES: usize = 32;
const BLOCKS: usize = memory.data(16_448);
const BLOCK_OP: usize = 0;
/** Operands below the block's parameters. */
const BLOCK_HEIGHT: usize = 4;
const BLOCK_PARAMS: usize = 8;
const BLOCK_RESULTS: usize = 12;
/** Of a loop: where its code begins. */
const BLOCK_CODE: usize = 16;
/** Of a loop: where its side table begins. Of an if: the words that say where it goes if its condition is false. */
const BLOCK_SIDE: usize = 20;
/** Branches to its end whose place is not known yet: the last one, whose first word names the one before. */
const BLOCK_BRANCHES: usize = 24;
/** The words of a branch to it from a br_table, which all labels share that mean it; 0: no br_table has named it. */
const BLOCK_SEEN: usize = 28;

/**
 * By opcode: what follows it, and above that 256 times what it does to the height of the operands; CONTROL for those
 * that say more than that.
 */
const KINDS: usize = memory.data(512);
const NOTHING: i16 = 0;
const NUMBER: i16 = 1;
const TWO_NUMBERS: i16 = 2;
const NUMBERS: i16 = 3;
const PREFIXED: i16 = 4;
const IMMEDIATES: i16 = 7;
const CONTROL: i16 = 8;
let isSet = false;

function setKind(from: usize, to: usize, kind: i16, change: i16): void {
  for (let op = from; op <= to; op++) store<i16>(KINDS + (op << 1), kind | (change << 8));
}

function setKinds(): void {
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
function behind(op: u32, at: usize): usize {
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
function prefixedChange(sub: u32): i32 {
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

// What is walked: the place in the side table where the next words go, and where the fuel of the basic block goes.
let side: usize = 0;
let costAt: usize = 0;
/** The innermost open block. */
let block: usize = 0;
/** Parameters and locals of the function: the operands lie behind them. */
let localCount: u32 = 0;

/** Opens a block of the type at `at`, whose parameters are on the operand stack of height `height`. */
function open(op: u32, at: usize, height: u32, types: usize): u32 {
  block += BLOCK_BYTES;
  let params: u32 = 0;
  let results: u32 = 0;
  const first = load<u8>(at);
  if (first >= 0x80 || !(first & 0x40)) {
    const type = types + <usize>longU32(at) * TYPE_BYTES;
    params = load<u16>(type);
    results = load<u16>(type, TYPE_RESULTS);
  } else if (first !== 0x40) results = 1;
  store<u32>(block, op, BLOCK_OP);
  store<u32>(block, height - params, BLOCK_HEIGHT);
  store<u32>(block, params, BLOCK_PARAMS);
  store<u32>(block, results, BLOCK_RESULTS);
  store<u32>(block, 0, BLOCK_BRANCHES);
  store<u32>(block, 0, BLOCK_SEEN);
  return params;
}

/** Writes where a branch to `target` goes, the three words at `at`; a place that is not known yet is written later. */
function writeBranch(at: usize, target: usize): void {
  const isLoop = load<u32>(target, BLOCK_OP) === 0x03;
  const values = isLoop ? load<u32>(target, BLOCK_PARAMS) : load<u32>(target, BLOCK_RESULTS);
  store<u32>(at, ((localCount + load<u32>(target, BLOCK_HEIGHT)) << 16) | values, BRANCH_VALUES);
  if (isLoop) {
    store<u32>(at, load<u32>(target, BLOCK_CODE));
    store<u32>(at, load<u32>(target, BLOCK_SIDE), BRANCH_SIDE);
  } else {
    store<u32>(at, load<u32>(target, BLOCK_BRANCHES));
    store<u32>(target, at, BLOCK_BRANCHES);
  }
}

@inline
function targetOf(label: u32): usize {
  return block - <usize>label * BLOCK_BYTES;
}

/** The branches of a br_table whose labels begin at `at`: one word for each label, behind them what these name. */
function writeTable(at: usize, count: u32): usize {
  const table = side;
  side += (<usize>count + 1) * WORD;
  for (let i: usize = 0; i <= <usize>count; i++) {
    const target = targetOf(longU32(at));
    at = after;
    let branch: usize = load<u32>(target, BLOCK_SEEN);
    if (branch === 0) {
      branch = side;
      side += BRANCH_BYTES;
      writeBranch(branch, target);
      store<u32>(target, branch, BLOCK_SEEN);
    }
    store<u32>(table + i * WORD, branch);
  }
  return at;
}

/** Tells the branches to the end of the block where it is. */
function land(at: usize, place: usize): void {
  let branch: usize = load<u32>(block, BLOCK_BRANCHES);
  while (branch !== 0) {
    const before: usize = load<u32>(branch);
    store<u32>(branch, at);
    store<u32>(branch, place, BRANCH_SIDE);
    branch = before;
  }
}

/** The `else` behind which the code goes on at `at`. `isReached`: from the instruction before it. */
function writeElse(at: usize): u32 {
  const here = side;
  side += 3 * WORD;
  const opener: usize = load<u32>(block, BLOCK_SIDE);
  store<u32>(opener, at);
  store<u32>(opener, here + 2 * WORD, BRANCH_SIDE);
  store<u32>(block, 0x05, BLOCK_OP);
  // Whoever comes here goes to the end.
  store<u32>(here, load<u32>(block, BLOCK_BRANCHES));
  store<u32>(block, here, BLOCK_BRANCHES);
  costAt = here + 2 * WORD;
  return load<u32>(block, BLOCK_HEIGHT) + load<u32>(block, BLOCK_PARAMS);
}

/** The `end` behind which the code goes on at `at`. */
function writeEnd(at: usize, isLast: bool): u32 {
  const here = side;
  side += WORD;
  if (load<u32>(block, BLOCK_OP) === 0x04) {
    const opener: usize = load<u32>(block, BLOCK_SIDE);
    store<u32>(opener, at);
    store<u32>(opener, here, BRANCH_SIDE);
  }
  // Branches to the body itself go to its last `end`, which returns.
  land(isLast ? at - 1 : at, here);
  costAt = here;
  const height = load<u32>(block, BLOCK_HEIGHT) + load<u32>(block, BLOCK_RESULTS);
  block -= BLOCK_BYTES;
  return height;
}

/** The place of the `else` or `end` that ends the dead code from `at` on. */
function endOfDead(at: usize): usize {
  let depth: u32 = 0;
  let op: u32 = load<u8>(at);
  while (depth !== 0 || (op !== 0x0b && op !== 0x05)) {
    if (op >= 0x02 && op <= 0x04) depth++;
    else if (op === 0x0b) depth--;
    at = behind(op, at + 1);
    op = load<u8>(at);
  }
  return at;
}

/** Makes the side table of `fn`, and marks its last `end`. */
export function makeSideTable(program: usize, fn: usize): void {
  if (!isSet) setKinds();
  const functions: usize = load<u32>(program, PROGRAM_FUNCTIONS);
  const types: usize = load<u32>(program, PROGRAM_TYPES);
  let at: usize = load<u32>(fn, FUNCTION_CODE);
  side = load<u32>(program, PROGRAM_ROOM);
  store<u32>(fn, <u32>side, FUNCTION_SIDE);
  costAt = fn + FUNCTION_COST;
  localCount = <u32>load<u16>(fn, FUNCTION_PARAMS) + <u32>load<u16>(fn, FUNCTION_LOCALS);
  block = BLOCKS;
  store<u32>(block, 0x02, BLOCK_OP);
  store<u32>(block, 0, BLOCK_HEIGHT);
  store<u32>(block, <u32>load<u16>(fn, FUNCTION_RESULTS), BLOCK_RESULTS);
  store<u32>(block, 0, BLOCK_BRANCHES);
  store<u32>(block, 0, BLOCK_SEEN);
  let height: u32 = 0;
  let cost: u32 = 0;
  while (true) {
    const op: u32 = load<u8>(at++);
    const kind = load<i16>(KINDS + (<usize>op << 1));
    if (!(kind & CONTROL)) {
      cost++;
      height += <u32>(<i32>kind >> 8);
      if (kind & NUMBER) at = skipped(at);
      else if (kind & TWO_NUMBERS) at = skipped(skipped(at));
      continue;
    }
    let dies = false;
    switch (op) {
      case 0x00: // unreachable
      case 0x0f: // return
        store<u32>(costAt, cost + 1);
        dies = true;
        break;
      case 0x01: // nop
        continue;
      case 0x02: // block
        open(op, at, height, types);
        at = skipped(at);
        continue;
      case 0x03: // loop
        store<u32>(costAt, cost);
        open(op, at, height, types);
        at = skipped(at);
        store<u32>(block, <u32>at, BLOCK_CODE);
        store<u32>(block, <u32>side, BLOCK_SIDE);
        costAt = side;
        side += WORD;
        cost = 0;
        continue;
      case 0x04: // if
        store<u32>(costAt, cost + 1);
        open(op, at, --height, types);
        at = skipped(at);
        store<u32>(block, <u32>side, BLOCK_SIDE);
        costAt = side + 2 * WORD;
        side += 3 * WORD;
        cost = 0;
        continue;
      case 0x05: // else
        store<u32>(costAt, cost);
        height = writeElse(at);
        cost = 0;
        continue;
      case 0x0b: // end
        store<u32>(costAt, cost);
        cost = 0;
        if (block === BLOCKS) break;
        height = writeEnd(at, false);
        continue;
      case 0x0c: // br
        store<u32>(costAt, cost + 1);
        writeBranch(side, targetOf(longU32(at)));
        at = after;
        side += BRANCH_BYTES;
        dies = true;
        break;
      case 0x0d: // br_if
        store<u32>(costAt, cost + 1);
        writeBranch(side, targetOf(longU32(at)));
        at = after;
        costAt = side + BRANCH_BYTES;
        side += BRANCH_BYTES + WORD;
        cost = 0;
        height--;
        continue;
      case 0x0e: {
        // br_table
        store<u32>(costAt, cost + 1);
        const count = longU32(at);
        at = writeTable(after, count);
        dies = true;
        break;
      }
      case 0x10: {
        // call
        const callee = functions + <usize>longU32(at) * FUNCTION_BYTES;
        at = after;
        height += <u32>load<u16>(callee, FUNCTION_RESULTS) - <u32>load<u16>(callee, FUNCTION_PARAMS);
        cost++;
        continue;
      }
      case 0x11: {
        // call_indirect
        const type = types + <usize>longU32(at) * TYPE_BYTES;
        at = skipped(after);
        height += <u32>load<u16>(type, TYPE_RESULTS) - <u32>load<u16>(type) - 1;
        cost++;
        continue;
      }
      default: // those behind 0xfc
        height += <u32>prefixedChange(load<u8>(at));
        at = behind(op, at);
        cost++;
        continue;
    }
    cost = 0;
    if (dies) {
      at = endOfDead(at);
      if (load<u8>(at) === 0x05) {
        height = writeElse(++at);
        continue;
      }
      at++;
      if (block !== BLOCKS) {
        height = writeEnd(at, false);
        continue;
      }
    }
    // The last `end`: nothing follows it.
    writeEnd(at, true);
    store<u32>(costAt, 0);
    store<u8>(at - 1, LAST_END);
    store<u32>(program, <u32>side, PROGRAM_ROOM);
    return;
  }
}
