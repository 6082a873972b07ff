// Loads and stores of every width, aligned or not. Only the first WINDOW_BYTES of a memory of MEMORY_BYTES are held:
// a store behind them is a PUNT, so a load from there sees the zeros that a fresh memory holds.

// The four bytes that begin `at & 3` bytes into the words (low, high).
fn funnel(low: u32, high: u32, at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  return (low >> shift) | ((high << 1u) << (31u - shift));
}

// The bytes of `value` turned up by `at & 3` places.
fn turn(value: u32, at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  return (value << shift) | ((value >> 1u) >> (31u - shift));
}

// Mask of the bytes of a word from `at & 3` on.
fn tail_mask(at: u32) -> u32 {
  return 0xffffffffu << ((at & 3u) * 8u);
}

fn set_bits(index: u32, value: u32, mask: u32) {
  set_word(index, (get_word(index) & ~mask) | (value & mask));
}

// Four bytes at an address inside memory.
fn get32(at: u32) -> u32 {
  let index = min(at >> 2u, WINDOW_WORDS);
  return funnel(get_word(index), get_word(index + 1u), at);
}

fn get8(at: u32) -> u32 {
  return (get_word(min(at >> 2u, WINDOW_WORDS)) >> ((at & 3u) * 8u)) & 0xffu;
}

// The bytes of `value` under `mask` (its low 1, 2 or 4 bytes) to an address inside the window.
fn put(at: u32, value: u32, mask: u32) {
  let turned = turn(value, at);
  let bits = turn(mask, at);
  let tail = tail_mask(at);
  set_bits(at >> 2u, turned, bits & tail);
  set_bits((at >> 2u) + 1u, turned, bits & ~tail);
}

fn put32(at: u32, value: u32) {
  let turned = turn(value, at);
  let tail = tail_mask(at);
  set_bits(at >> 2u, turned, tail);
  set_bits((at >> 2u) + 1u, turned, ~tail);
}

fn put8(at: u32, value: u32) {
  set_bits(at >> 2u, (value & 0xffu) * 0x01010101u, turn(0xffu, at));
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
  let middle = get_word(index + 1u);
  return vec2<u32>(funnel(get_word(index), middle, at), funnel(middle, get_word(index + 2u), at));
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
  let tail = tail_mask(at);
  let low = turn(value.x, at);
  let high = turn(value.y, at);
  set_bits(index, low, tail);
  set_word(index + 1u, (low & ~tail) | (high & tail));
  set_bits(index + 2u, high, ~tail);
}

fn set_words(index: u32, value: vec2<u32>) {
  set_word(index, value.x);
  set_word(index + 1u, value.y);
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

// Word by word of the destination, whatever the alignment, from the end where the ranges may overlap that way.
fn memory_copy(to: u32, source: u32, length: u32) {
  let count = bulk_length(to, source, length);
  let first = to >> 2u;
  let end = to + count;
  let words = select(((end + 3u) >> 2u) - first, 0u, count == 0u);
  for (var i = 0u; i < words; i++) {
    let index = first + select(words - 1u - i, i, to <= source);
    let at = index << 2u;
    // Only the bytes of this word from `to` up to `end` are copied.
    let mask = select(0xffffffffu, tail_mask(to), at < to) & select(0xffffffffu, ~tail_mask(end), end - at < 4u);
    set_bits(index, get32_shifted(at, source - to), mask);
  }
}

// Four bytes at `at + distance`, which may begin up to three bytes before address 0: those come out as zero.
fn get32_shifted(at: u32, distance: u32) -> u32 {
  let from_at = at + distance;
  let before = from_at > 0xfffffffcu;
  let index = min(select(from_at >> 2u, 0u, before), WINDOW_WORDS);
  let low = get_word(index);
  return funnel(select(low, 0u, before), select(get_word(index + 1u), low, before), from_at);
}

fn memory_fill(to: u32, value: u32, length: u32) {
  let count = bulk_length(to, to, length);
  for (var i = 0u; i < count; i++) {
    put8(to + i, value);
  }
}
