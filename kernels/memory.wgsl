// Loads and stores of every width, aligned or not. Only the first WINDOW_BYTES of a memory of MEMORY_BYTES are held:
// a store behind them is a PUNT, so a load from there sees the zeros that a fresh memory holds.

// Address of an access of `size` bytes, or 0 after a trap.
fn address(base: u32, offset: u32, size: u32) -> u32 {
  let at = base + offset;
  let bad = at < base || at >= MEMORY_BYTES || MEMORY_BYTES - at < size;
  if (bad) {
    stop(STATUS_TRAP, 0u);
  }
  return select(at, 0u, bad);
}

fn store_address(base: u32, offset: u32, size: u32) -> u32 {
  let at = address(base, offset, size);
  let outside = at + size > WINDOW_BYTES;
  if (outside) {
    stop(STATUS_PUNT, PUNT_WINDOW);
  }
  return select(at, 0u, outside);
}

// The get_ and set_ functions take addresses that were checked.
fn get8(at: u32) -> u32 {
  return (get_word(at >> 2u) >> ((at & 3u) * 8u)) & 0xffu;
}

fn get32(at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  var value = get_word(at >> 2u);
  if (shift != 0u) {
    value = (value >> shift) | (get_word((at >> 2u) + 1u) << (32u - shift));
  }
  return value;
}

fn get16(at: u32) -> u32 {
  return get32(at) & 0xffffu;
}

fn set_bits(index: u32, mask: u32, value: u32) {
  set_word(index, (get_word(index) & ~mask) | (value & mask));
}

fn set8(at: u32, value: u32) {
  let shift = (at & 3u) * 8u;
  set_bits(at >> 2u, 0xffu << shift, value << shift);
}

fn set16(at: u32, value: u32) {
  let shift = (at & 3u) * 8u;
  set_bits(at >> 2u, 0xffffu << shift, value << shift);
  if (shift == 24u) {
    set_bits((at >> 2u) + 1u, 0xffu, value >> 8u);
  }
}

fn set32(at: u32, value: u32) {
  let shift = (at & 3u) * 8u;
  if (shift == 0u) {
    set_word(at >> 2u, value);
  } else {
    set_bits(at >> 2u, 0xffffffffu << shift, value << shift);
    set_bits((at >> 2u) + 1u, 0xffffffffu >> (32u - shift), value >> (32u - shift));
  }
}

fn load8(base: u32, offset: u32) -> u32 {
  return get8(address(base, offset, 1u));
}

fn load16(base: u32, offset: u32) -> u32 {
  return get16(address(base, offset, 2u));
}

fn load32(base: u32, offset: u32) -> u32 {
  return get32(address(base, offset, 4u));
}

fn load64(base: u32, offset: u32) -> vec2<u32> {
  let at = address(base, offset, 8u);
  return vec2<u32>(get32(at), get32(at + 4u));
}

fn store8(base: u32, offset: u32, value: u32) {
  let at = store_address(base, offset, 1u);
  if (st == 0u) {
    set8(at, value);
  }
}

fn store16(base: u32, offset: u32, value: u32) {
  let at = store_address(base, offset, 2u);
  if (st == 0u) {
    set16(at, value);
  }
}

fn store32(base: u32, offset: u32, value: u32) {
  let at = store_address(base, offset, 4u);
  if (st == 0u) {
    set32(at, value);
  }
}

fn store64(base: u32, offset: u32, value: vec2<u32>) {
  let at = store_address(base, offset, 8u);
  if (st == 0u) {
    set32(at, value.x);
    set32(at + 4u, value.y);
  }
}

fn inside(at: u32, length: u32) -> bool {
  return at <= MEMORY_BYTES && length <= MEMORY_BYTES - at;
}

fn memory_copy(to: u32, source: u32, length: u32) {
  if (!inside(to, length) || !inside(source, length)) {
    stop(STATUS_TRAP, 0u);
  } else if (length != 0u && to + length > WINDOW_BYTES) {
    stop(STATUS_PUNT, PUNT_WINDOW);
  }
  if (st == 0u) {
    let words = select(0u, length >> 2u, ((to | source) & 3u) == 0u);
    if (to <= source) {
      for (var i = 0u; i < words; i++) {
        set_word((to >> 2u) + i, get_word((source >> 2u) + i));
      }
      for (var i = words * 4u; i < length; i++) {
        set8(to + i, get8(source + i));
      }
    } else {
      for (var i = length; i > words * 4u; i--) {
        set8(to + i - 1u, get8(source + i - 1u));
      }
      for (var i = words; i > 0u; i--) {
        set_word((to >> 2u) + i - 1u, get_word((source >> 2u) + i - 1u));
      }
    }
  }
}

fn memory_fill(to: u32, value: u32, length: u32) {
  if (!inside(to, length)) {
    stop(STATUS_TRAP, 0u);
  } else if (length != 0u && to + length > WINDOW_BYTES) {
    stop(STATUS_PUNT, PUNT_WINDOW);
  }
  if (st == 0u) {
    for (var i = 0u; i < length; i++) {
      set8(to + i, value);
    }
  }
}
