// What host functions do in the memory and with the fuel of the program that called them (src/program/guest-memory.ts):
// instantiated once for every instance of a program, over what that instance exports. The memory is the program's:
// nothing is kept there.
export { sha256, sha256d } from './guest-sha256';

@external('env', 'fuel')
declare let fuel: u32;

/** Bytes that the program sees of a memory lent to it, which may be none; ALL: the memory is its own. */
@external('env', 'seen')
declare let seen: u32;

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

/** True if a buffer of `length` bytes fits at `pointer`, its length word included. */
export function fits(pointer: u32, length: u32): bool {
  return pointer >= 4 && <u64>pointer + length <= memoryBytes();
}

/** Bytes of the buffer at `pointer` by its length word (unsigned); -1 if any part of it is outside the memory. */
export function lengthAt(pointer: u32): i32 {
  if (!fits(pointer, 0)) return -1;
  const length = load<u32>(<usize>(pointer - 4 + hidden));
  return fits(pointer, length) ? <i32>length : -1;
}
