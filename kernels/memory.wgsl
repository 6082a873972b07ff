// Loads and stores of every width, aligned or not. Only the first WINDOW_BYTES of a memory of MEMORY_BYTES are held:
// a store behind them is a PUNT, so a load from there sees the zeros that a fresh memory holds.

// Four bytes at an address inside memory.
fn get32(at: u32) -> u32 {
  let index = min(at >> 2u, WINDOW_WORDS);
  let shift = (at & 3u) * 8u;
  return (get_word(index) >> shift) | ((get_word(index + 1u) << 1u) << (31u - shift));
}

fn get8(at: u32) -> u32 {
  return (get_word(min(at >> 2u, WINDOW_WORDS)) >> ((at & 3u) * 8u)) & 0xffu;
}

// The bytes of `value` under `mask` (its low 1, 2 or 4 bytes) to an address inside the window.
fn put(at: u32, value: u32, mask: u32) {
  let index = at >> 2u;
  let shift = (at & 3u) * 8u;
  set_word(index, (get_word(index) & ~(mask << shift)) | ((value & mask) << shift));
  let spilled = (mask >> 1u) >> (31u - shift);
  set_word(index + 1u, (get_word(index + 1u) & ~spilled) | (((value & mask) >> 1u) >> (31u - shift)));
}

fn put32(at: u32, value: u32) {
  put(at, value, 0xffffffffu);
}

fn put8(at: u32, value: u32) {
  let shift = (at & 3u) * 8u;
  let index = at >> 2u;
  set_word(index, (get_word(index) & ~(0xffu << shift)) | ((value & 0xffu) << shift));
}

// Address of a load of `size` bytes.
fn load_at(base: u32, offset: u32, size: u32) -> u32 {
  let at = base + offset;
  stop_if((at < base) | (at > MEMORY_BYTES - size), STATUS_TRAP);
  return at;
}

// Address of a store of `size` bytes; behind the window after a stop.
fn store_at(base: u32, offset: u32, size: u32) -> u32 {
  let at = base + offset;
  let bad = (at < base) | (at > MEMORY_BYTES - size);
  let outside = bad | (at > WINDOW_BYTES - size);
  stop_if(outside, select(STOP_PUNT_WINDOW, STATUS_TRAP, bad));
  return select(at, WINDOW_BYTES, outside);
}

fn load8(base: u32, offset: u32) -> u32 {
  return get8(load_at(base, offset, 1u));
}

fn load16(base: u32, offset: u32) -> u32 {
  return get32(load_at(base, offset, 2u)) & 0xffffu;
}

fn load32(base: u32, offset: u32) -> u32 {
  return get32(load_at(base, offset, 4u));
}

fn load64(base: u32, offset: u32) -> vec2<u32> {
  let at = load_at(base, offset, 8u);
  let index = min(at >> 2u, WINDOW_WORDS);
  let shift = (at & 3u) * 8u;
  let middle = get_word(index + 1u);
  let low = (get_word(index) >> shift) | ((middle << 1u) << (31u - shift));
  return vec2<u32>(low, (middle >> shift) | ((get_word(index + 2u) << 1u) << (31u - shift)));
}

fn store8(base: u32, offset: u32, value: u32) {
  put8(store_at(base, offset, 1u), value);
}

fn store16(base: u32, offset: u32, value: u32) {
  put(store_at(base, offset, 2u), value, 0xffffu);
}

fn store32(base: u32, offset: u32, value: u32) {
  put32(store_at(base, offset, 4u), value);
}

fn store64(base: u32, offset: u32, value: vec2<u32>) {
  let at = store_at(base, offset, 8u);
  let index = at >> 2u;
  let shift = (at & 3u) * 8u;
  let kept = 0xffffffffu << shift;
  let back = 31u - shift;
  set_word(index, (get_word(index) & ~kept) | (value.x << shift));
  set_word(index + 1u, ((value.x >> 1u) >> back) | (value.y << shift));
  set_word(index + 2u, (get_word(index + 2u) & kept) | ((value.y >> 1u) >> back));
}

fn outside_memory(at: u32, length: u32) -> bool {
  return (at > MEMORY_BYTES) | (length > MEMORY_BYTES - at);
}

// Stops a bulk operation that leaves memory or writes behind the window; gives the length that may be worked on.
fn bulk_length(to: u32, source: u32, length: u32) -> u32 {
  stop_if(outside_memory(to, length) | outside_memory(source, length), STATUS_TRAP);
  stop_if((length != 0u) & (to + length > WINDOW_BYTES), STOP_PUNT_WINDOW);
  return select(0u, length, st == 0u);
}

// By words where everything is aligned, else by bytes; one loop for both, from the end if the ranges may overlap that way.
fn memory_copy(to: u32, source: u32, length: u32) {
  let count = bulk_length(to, source, length);
  let step = select(1u, 4u, ((to | source | count) & 3u) == 0u);
  let mask = select(0xffu, 0xffffffffu, step == 4u);
  for (var i = 0u; i < count; i += step) {
    let k = select(count - step - i, i, to <= source);
    put(to + k, get32(source + k), mask);
  }
}

fn memory_fill(to: u32, value: u32, length: u32) {
  let count = bulk_length(to, to, length);
  for (var i = 0u; i < count; i++) {
    put8(to + i, value);
  }
}
