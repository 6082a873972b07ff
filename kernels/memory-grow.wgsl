// memory.grow up to MAX_PAGES: returns the old number of pages, or -1.

fn memory_grow(pages: u32) -> u32 {
  let old = MEMORY_BYTES >> 16u;
  let refused = pages > MAX_PAGES - old;
  MEMORY_BYTES += select(pages << 16u, 0u, refused);
  return select(old, 0xffffffffu, refused);
}
