// What host functions do in the memory and with the fuel of the program that called them (src/program/guest-memory.ts):
// instantiated once for every instance of a program, over what that instance exports. The memory is the program's:
// nothing is kept there.
export { sha256, sha256d } from './guest-sha256';

@external('env', 'fuel')
declare let fuel: u32;

/** Bytes that the program sees of a memory lent to it, which may be none; ALL: the memory is its own. */
@external('env', 'seen')
declare let seen: u32;

/** The window of a program in a lent memory (src/program/lent-code.ts). */
@external('env', 'low')
declare let low: u32;
@external('env', 'high')
declare let high: u32;
@external('env', 'room')
declare let room: u32;

/** Bytes below the memory that the program sees (src/program/hidden-page.ts); its pointers begin behind them. */
@external('env', 'hidden')
declare const hidden: u32;

/** Takes `amount` off the fuel; false, and nothing is taken, if there is less. */
export function charge(amount: u32): bool {
  if (amount > fuel) return false;
  fuel -= amount;
  return true;
}

/** Fuel that is left. */
export function fuelLeft(): u32 {
  return fuel;
}

/** See src/program/guest-memory.ts. */
const ALL: u32 = 0xffffffff;

@inline
function memoryBytes(): u64 {
  return seen != ALL ? <u64>seen : (<u64>memory.size() << 16) - hidden;
}

@inline
function isInside(pointer: u32, length: u32): bool {
  return pointer >= 4 && <u64>pointer + length <= memoryBytes();
}

/** The window of a lent memory is widened by steps of so many bytes: GRAIN of src/program/lent-code.ts. */
const GRAIN: u32 = 4096;
/** Bytes of the widest access: WIDEST of the same. */
const WIDEST: u32 = 8;

/** Puts the bytes `start` to `end` of a lent memory, which the program sees, into its window. */
function widen(start: u32, end: u32): void {
  if (start >= low && end <= high) return;
  low = min(low, start & -GRAIN);
  high = max(high, (end + GRAIN - 1) & -GRAIN);
  room = high - low - (WIDEST - 1);
}

/**
 * True if a buffer of `length` bytes fits at `pointer`, its length word included. The host writes it then: those of a
 * lent memory will be cleared.
 */
export function fits(pointer: u32, length: u32): bool {
  if (!isInside(pointer, length)) return false;
  if (seen != ALL) widen(pointer - 4 + hidden, pointer + length + hidden);
  return true;
}

/** Bytes of the buffer at `pointer` by its length word (unsigned); -1 if any part of it is outside the memory. */
export function lengthAt(pointer: u32): i32 {
  if (!isInside(pointer, 0)) return -1;
  const length = load<u32>(<usize>(pointer - 4 + hidden));
  return isInside(pointer, length) ? <i32>length : -1;
}
