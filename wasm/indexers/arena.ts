// A bump allocator that grows the memory. Nothing is freed: an instance serves one block or one view.

let top: usize = 0;

/** `size` new bytes at a multiple of 4. */
export function reserve(size: u32): usize {
  if (top == 0) top = (__heap_base + 3) & ~3;
  const at = top;
  const end = <u64>at + <u64>size + 3;
  const have = <u64>memory.size() << 16;
  if (end > have) {
    // Grows by at least a sixteenth, so that growing stays rare.
    const pages = max(<u32>((end - have + 0xffff) >> 16), <u32>memory.size() >> 4);
    if (memory.grow(pages) < 0) unreachable();
  }
  top = (at + size + 3) & ~3;
  return at;
}

/** A buffer for the host: length word, then `size` bytes. */
export function buffer(size: u32): usize {
  const at = reserve(size + 4);
  store<u32>(at, size);
  return at + 4;
}

@inline
export function lengthOf(buffer: usize): u32 {
  return load<u32>(buffer - 4);
}
