// Loads and stores of every width, aligned or not. Of the MEMORY_BYTES of memory, an invocation holds only the
// WINDOW_BYTES from word WINDOW_FIRST on. A store outside is a PUNT, so a load from outside reads the initial content.
// Word numbers count from the start of the window; only read_word() takes numbers in the whole memory.

// The four bytes that begin `at & 3` bytes into the words (low, high).
fn funnel(low: u32, high: u32, at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  return (low >> shift) | ((high << 1u) << (31u - shift));
}

// `value` rotated up by `at & 3` bytes.
fn turn(value: u32, at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  return (value << shift) | ((value >> 1u) >> (31u - shift));
}

// Mask of the bytes of a word from byte `at & 3` on.
fn tail_mask(at: u32) -> u32 {
  return 0xffffffffu << ((at & 3u) * 8u);
}

fn set_bits(index: u32, value: u32, mask: u32) {
  set_word(index, (get_word(index) & ~mask) | (value & mask));
}

// Number, in the window, of the word at an address.
fn window_word(at: u32) -> u32 {
  return (at >> 2u) - WINDOW_FIRST;
}

// Four bytes at an address inside memory.
fn get32(at: u32) -> u32 {
  let index = at >> 2u;
  return funnel(read_word(index), read_word(index + 1u), at);
}

fn get8(at: u32) -> u32 {
  return (read_word(at >> 2u) >> ((at & 3u) * 8u)) & 0xffu;
}

// Stores the bytes of `value` under `mask` (its low 1, 2 or 4 bytes) at an address inside the window.
fn put(at: u32, value: u32, mask: u32) {
  let index = window_word(at);
  let turned = turn(value, at);
  let bits = turn(mask, at);
  let tail = tail_mask(at);
  set_bits(index, turned, bits & tail);
  set_bits(index + 1u, turned, bits & ~tail);
}

fn put32(at: u32, value: u32) {
  let index = window_word(at);
  let turned = turn(value, at);
  let tail = tail_mask(at);
  set_bits(index, turned, tail);
  set_bits(index + 1u, turned, ~tail);
}

fn put8(at: u32, value: u32) {
  set_bits(window_word(at), (value & 0xffu) * 0x01010101u, turn(0xffu, at));
}

// Address of a load of `size` bytes; stops if it leaves memory.
fn load_at(base: u32, offset: u32, size: u32) -> u32 {
  let at = base + offset;
  stop_if((at < base) | beyond_memory(at, size), STATUS_TRAP);
  return at;
}

// Address of a store of `size` bytes. If it leaves memory or the window, stops and gives the end of the window.
fn store_at(base: u32, offset: u32, size: u32) -> u32 {
  let at = base + offset;
  let bad = (at < base) | beyond_memory(at, size);
  let outside = bad | (at - WINDOW_FIRST * 4u > WINDOW_BYTES - size);
  stop_if(outside, select(STOP_PUNT_WINDOW, STATUS_TRAP, bad));
  return select(at, WINDOW_FIRST * 4u + WINDOW_BYTES, outside);
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
  let index = at >> 2u;
  let middle = read_word(index + 1u);
  return vec2<u32>(funnel(read_word(index), middle, at), funnel(middle, read_word(index + 2u), at));
}

// The same for an address that the translator knows to be a multiple of 4.
fn load32_aligned(base: u32, offset: u32) -> u32 {
  return read_word(load_at(base, offset, 4u) >> 2u);
}

fn load64_aligned(base: u32, offset: u32) -> vec2<u32> {
  let index = load_at(base, offset, 8u) >> 2u;
  return vec2<u32>(read_word(index), read_word(index + 1u));
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
  let index = window_word(at);
  let tail = tail_mask(at);
  let low = turn(value.x, at);
  let high = turn(value.y, at);
  set_bits(index, low, tail);
  set_word(index + 1u, (low & ~tail) | (high & tail));
  set_bits(index + 2u, high, ~tail);
}

fn store32_aligned(base: u32, offset: u32, value: u32) {
  set_word(window_word(store_at(base, offset, 4u)), value);
}

fn store64_aligned(base: u32, offset: u32, value: vec2<u32>) {
  set_words(window_word(store_at(base, offset, 8u)), value);
}

fn set_words(index: u32, value: vec2<u32>) {
  set_word(index, value.x);
  set_word(index + 1u, value.y);
}

fn outside_memory(at: u32, length: u32) -> bool {
  return (at > MEMORY_BYTES) | (length > MEMORY_BYTES - at);
}

// For a range inside memory, empty or not.
fn outside_window(at: u32, length: u32) -> bool {
  let from_first = at - WINDOW_FIRST * 4u;
  return (from_first > WINDOW_BYTES) | (length > WINDOW_BYTES - from_first);
}

// Stops a bulk operation that leaves memory or writes outside the window; returns the length to work on.
fn bulk_length(to: u32, source: u32, length: u32) -> u32 {
  stop_if(outside_memory(to, length) | outside_memory(source, length), STATUS_TRAP);
  stop_if((length != 0u) & outside_window(to, length), STOP_PUNT_WINDOW);
  return select(0u, length, st == 0u);
}

// Number of words that `count` bytes from `to` on touch.
fn touched_words(to: u32, count: u32) -> u32 {
  return select(((to + count + 3u) >> 2u) - (to >> 2u), 0u, count == 0u);
}

// Mask of the bytes from `to` up to `end` in the word at `at`.
fn range_mask(at: u32, to: u32, end: u32) -> u32 {
  return select(0xffffffffu, tail_mask(to), at < to) & select(0xffffffffu, ~tail_mask(end), end - at < 4u);
}

// Copies destination word by word, at any alignment, backwards where overlapping ranges need it.
fn memory_copy(to: u32, source: u32, length: u32) {
  let count = bulk_length(to, source, length);
  let words = touched_words(to, count);
  for (var i = 0u; i < words; i++) {
    let at = ((to >> 2u) + select(words - 1u - i, i, to <= source)) << 2u;
    // May begin up to three bytes before address 0; the mask leaves those out.
    let from_at = at + (source - to);
    let low = from_at >> 2u;
    let value = funnel(read_word(low), read_word((low + 1u) & 0x3fffffffu), from_at);
    set_bits(window_word(at), value, range_mask(at, to, to + count));
  }
}

fn memory_fill(to: u32, value: u32, length: u32) {
  let count = bulk_length(to, to, length);
  let words = touched_words(to, count);
  for (var i = 0u; i < words; i++) {
    let at = ((to >> 2u) + i) << 2u;
    set_bits(window_word(at), (value & 0xffu) * 0x01010101u, range_mask(at, to, to + count));
  }
}
