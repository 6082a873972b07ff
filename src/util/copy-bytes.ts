/** Up to this length a loop is faster than a call of native code and the views that it needs. */
const SHORT = 128;

/** Copies the bytes from `start` to `end` to `to`, from `at` on. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > SHORT) to.set(from.subarray(start, end), at);
  else for (let i = start, k = at; i < end; i++, k++) to[k] = from[i];
}
