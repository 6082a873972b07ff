/** Private copies of bytes in shared memory, for bytes that are copied often. */

/** Shorter bytes are copied fast enough from where they are. */
const FROM_BYTES = 4_096;

const copies = new WeakMap<Uint8Array, Uint8Array>();

/**
 * The same bytes outside of shared memory. V8 copies shared bytes to a place of another alignment word by word, more
 * than ten times slower, and a contract chooses the place. One copy is made of an array and kept as long as the array
 * lives.
 */
export function unshared(bytes: Uint8Array): Uint8Array {
  if (bytes.length < FROM_BYTES || bytes.buffer instanceof ArrayBuffer) return bytes;
  let copy = copies.get(bytes);
  if (copy === undefined) {
    copy = new Uint8Array(bytes);
    copies.set(bytes, copy);
  }
  return copy;
}
