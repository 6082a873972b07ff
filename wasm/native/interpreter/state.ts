// What instructions on the state of a frame do: its memory's size, its table, its segments, and its fuel.
import {
  PROGRAM_DATA,
  PROGRAM_ELEMENTS,
  STATE_BYTES,
  STATE_DATA,
  STATE_ELEMENTS,
  STATE_MEMORY,
  STATE_PAGES,
  STATE_TABLE,
  STATE_TABLE_MOST,
  STATE_TABLE_SIZE,
} from './layout';
import { after, longU32, stay } from './numbers';
import { bring } from './parts';

/** First address that JavaScript may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}

/** Fuel that is left, and why a run trapped: as src/program/counters.ts has them. */
export let fuel: u32 = 0;
export let why: u32 = 0;
export const WHY_FUEL: u32 = 1;
export const WHY_STACK: u32 = 2;

/** Ends the run, which has no more fuel or slots. */
export function trapFor(cause: u32): void {
  why = cause;
  unreachable();
}

/** Pays for the basic block whose fuel is at `place`, before anything of it runs. */
@inline
export function payBlock(place: usize): void {
  const cost = load<u32>(place);
  if (cost > fuel) trapFor(WHY_FUEL);
  fuel -= cost;
}

/** Prices of src/program/prices.ts. */
const GROW: u32 = 1_000;
const GROW_PAGE: u32 = 5_000;
const TABLE_ELEMENT: u32 = 4;

function pay(amount: u32): void {
  if (amount > fuel) trapFor(WHY_FUEL);
  fuel -= amount;
}

function payTimes(price: u32, count: u32): void {
  if (count > fuel / price) trapFor(WHY_FUEL);
  fuel -= count * price;
}

/** Memory instructions cost 1 more for each started 16 bytes. */
function payBytes(length: u32): void {
  pay((length >> 4) + <u32>((length & 15) !== 0));
}

/** memory.grow by `pages`: what it gives. The pages are cleared here: whoever ran before may have written to them. */
export function growMemory(state: usize, pages: u32): u32 {
  pay(GROW);
  payTimes(GROW_PAGE, pages);
  const bytes = load<u32>(state, STATE_BYTES);
  const before = bytes >> 16;
  if (pages > load<u32>(state, STATE_PAGES) - before) return -1;
  memory.fill(load<u32>(state, STATE_MEMORY) + bytes, 0, <usize>pages << 16);
  store<u32>(state, bytes + (pages << 16), STATE_BYTES);
  return before;
}

/** Whether `count` from `start` on leave `size`. */
@inline
function leaves(start: u32, count: u32, size: u32): bool {
  return <u64>start + count > size;
}

/** Sets `count` elements of the table. */
function setElements(state: usize, first: u32, reference: u32, count: u32): void {
  const end = state + (<usize>(first + count) << 2);
  for (let at = state + (<usize>first << 2); at < end; at += 4) store<u32>(at, reference, STATE_TABLE);
}

/** table.grow: what it gives. */
function growTable(state: usize, reference: u32, count: u32): u32 {
  payTimes(TABLE_ELEMENT, count);
  const size = load<u32>(state, STATE_TABLE_SIZE);
  if (count > load<u32>(state, STATE_TABLE_MOST) - size) return -1;
  setElements(state, size, reference, count);
  store<u32>(state, size + count, STATE_TABLE_SIZE);
  return size;
}

/**
 * The instruction whose number behind 0xfc is at `at`, with the operands below `top`; gives the new top. `after` is
 * behind its immediates then.
 */
export function prefixed(program: usize, state: usize, at: usize, top: usize): usize {
  const op = longU32(at);
  const segment = <usize>longU32(after) << 2;
  // Those with two immediates end in an index that is 0.
  if (op === 0x08 || op === 0x0a || op === 0x0c || op === 0x0e) longU32(after);
  switch (op) {
    case 0x09: // data.drop
      store<u32>(state + segment, 0, STATE_DATA);
      return top;
    case 0x0d: // elem.drop
      store<u32>(state + segment, 0, STATE_ELEMENTS);
      return top;
    case 0x0f: // table.grow
      top -= 8;
      store<u32>(top - 8, growTable(state, load<u32>(top - 8), load<u32>(top)));
      return top;
    case 0x10: // table.size
      store<u32>(top, load<u32>(state, STATE_TABLE_SIZE));
      return top + 8;
    default:
      top -= 24;
      bulk(op, program, state, segment, load<u32>(top), load<u32>(top, 8), load<u32>(top, 16));
      return top;
  }
}

/** table.get, table.set, ref.null, ref.is_null and ref.func, as {@link prefixed}. */
export function onReferences(op: u32, state: usize, at: usize, top: usize): usize {
  if (op === 0xd1) {
    store<u32>(top - 8, <u32>(load<u32>(top - 8) === 0));
    stay(at);
    return top;
  }
  // Of a function, of the table, or the byte of a type.
  const index = longU32(at);
  if (op === 0xd0 || op === 0xd2) {
    store<u32>(top, op === 0xd2 ? index + 1 : 0);
    return top + 8;
  }
  const from = op === 0x25 ? top - 8 : top - 16;
  const element = load<u32>(from);
  if (element >= load<u32>(state, STATE_TABLE_SIZE)) unreachable();
  const place = state + (<usize>element << 2);
  if (op === 0x26) {
    store<u32>(place, load<u32>(from, 8), STATE_TABLE);
    return from;
  }
  store<u32>(from, load<u32>(place, STATE_TABLE));
  return top;
}

/** Those that take where to, where from or what, and how many. */
function bulk(op: u32, program: usize, state: usize, segment: usize, to: u32, from: u32, count: u32): void {
  if (op <= 0x0b) {
    payBytes(count);
    const base: usize = load<u32>(state, STATE_MEMORY);
    const bytes = load<u32>(state, STATE_BYTES);
    if (op === 0x08) {
      // memory.init
      if (leaves(from, count, load<u32>(state + segment, STATE_DATA)) || leaves(to, count, bytes)) unreachable();
      const data = load<u32>(program + <usize>load<u32>(program, PROGRAM_DATA) + segment) + from;
      bring(program, data, data + count);
      memory.copy(base + to, program + data, count);
    } else if (op === 0x0a) {
      // memory.copy
      if (leaves(from, count, bytes) || leaves(to, count, bytes)) unreachable();
      memory.copy(base + to, base + from, count);
    } else {
      // memory.fill
      if (leaves(to, count, bytes)) unreachable();
      memory.fill(base + to, <u8>from, count);
    }
    return;
  }
  payTimes(TABLE_ELEMENT, count);
  const size = load<u32>(state, STATE_TABLE_SIZE);
  const table = state + STATE_TABLE;
  const length = <usize>count << 2;
  if (op === 0x0c) {
    // table.init
    if (leaves(from, count, load<u32>(state + segment, STATE_ELEMENTS)) || leaves(to, count, size)) unreachable();
    const elements = load<u32>(program + <usize>load<u32>(program, PROGRAM_ELEMENTS) + segment) + (from << 2);
    bring(program, elements, elements + <u32>length);
    memory.copy(table + (<usize>to << 2), program + elements, length);
  } else if (op === 0x0e) {
    // table.copy
    if (leaves(from, count, size) || leaves(to, count, size)) unreachable();
    memory.copy(table + (<usize>to << 2), table + (<usize>from << 2), length);
  } else {
    // table.fill
    if (leaves(to, count, size)) unreachable();
    setElements(state, to, from, count);
  }
}
