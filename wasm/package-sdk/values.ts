// Values of the storage with a type. A missing value is 0; one of another length is another contract's mistake, and
// reverts.
import { bufferLength } from './memory';
import { put, reserve } from './response';
import { require } from './stop';
import { get } from './storage';
import * as u128 from './u128';

const WRONG = 'a stored value has another length';

/** Whether something is stored under `key`. */
export function has(key: usize): bool {
  return bufferLength(get(key)) != 0;
}

/** The number of 16 bytes under `key` into `out`; 0 if it is missing. */
export function getU128(key: usize, out: usize): void {
  const stored = get(key);
  const length = bufferLength(stored);
  require(length == 0 || length == 16, WRONG);
  if (length == 0) u128.set(out, 0, 0);
  else u128.copy(out, stored);
}

/** Writes the number at `value` under `key`. */
export function putU128(key: usize, value: usize): void {
  put(key, value, 16);
}

/** The number of 8 bytes under `key`; 0 if it is missing. */
export function getU64(key: usize): u64 {
  const stored = get(key);
  const length = bufferLength(stored);
  require(length == 0 || length == 8, WRONG);
  return length == 0 ? 0 : load<u64>(stored);
}

/** Writes a number as 8 bytes under `key`. */
export function putU64(key: usize, value: u64): void {
  store<u64>(reserve(key, 8), value);
}

/** Removes what is stored under `key`. */
export function remove(key: usize): void {
  reserve(key, 0);
}
