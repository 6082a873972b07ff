/** `list` with room for `length` numbers. */
export function longer(list: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(length);
  out.set(list);
  return out;
}
