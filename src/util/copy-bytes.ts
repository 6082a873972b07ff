/** Up to this length a loop takes less time than a view of the bytes. */
const FEW = 64;

/** Copies the bytes of `from` from `start` to `end` into `to`, which has room for them at `at`. */
export function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  if (end - start > FEW) to.set(from.subarray(start, end), at);
  else for (let i = start, place = at; i < end; i++, place++) to[place] = from[i];
}
