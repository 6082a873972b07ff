// Memory that is allocated from the bottom up and released all at once.

let next: usize = 0;

/** Releases everything. Must be called before the first {@link alloc}. */
export function reset(): void {
  next = (__heap_base + 63) & ~63;
}

/** `bytes` bytes at a multiple of 16; their content is undefined. */
export function alloc(bytes: usize): usize {
  const at = next;
  next = (at + bytes + 15) & ~15;
  const have = <usize>memory.size() << 16;
  // Grows by at least a quarter: growing may move all of it.
  if (next > have) {
    const missing = max(next - have, have >> 2);
    if (memory.grow(<i32>((missing + 0xffff) >> 16)) < 0) unreachable();
  }
  return at;
}
