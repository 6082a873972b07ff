// The host functions of `env`. Each reads its input buffers, charges fuel, checks its output buffer, then acts.

// Data address and length of the buffer at `pointer`, with its length in the word before; stops if outside memory.
fn read_buffer(pointer: u32) -> vec2<u32> {
  let bad = (pointer < 4u) | (pointer > MEMORY_BYTES);
  let length = get32(select(pointer - 4u, 0u, bad));
  stop_if(bad | (length > MEMORY_BYTES - pointer), STOP_BAD_POINTER);
  return vec2<u32>(pointer, select(0u, length, st == 0u));
}

// Address of the buffer at `pointer`; stops unless it has exactly `length` bytes.
fn read_exactly(pointer: u32, length: u32) -> u32 {
  let data = read_buffer(pointer);
  stop_if(data.y != length, STOP_HOST_ERROR);
  return data.x;
}

// Stops unless `length` bytes and the length word before them can be written at `pointer`.
fn check_output(pointer: u32, length: u32) {
  stop_if((pointer < 4u) | outside_memory(pointer, length), STOP_BAD_POINTER);
  stop_if(outside_window(pointer - 4u, length + 4u), STOP_PUNT_WINDOW);
}

// Copies words of input_state, a multiple of four of them, so that loads need not wait for each other.
fn copy_input(to: u32, source: u32, words: u32) {
  for (var i = 0u; i < words; i += 4u) {
    let a = input_state[source + i];
    let b = input_state[source + i + 1u];
    let c = input_state[source + i + 2u];
    let d = input_state[source + i + 3u];
    set_word(to + i, a);
    set_word(to + i + 1u, b);
    set_word(to + i + 2u, c);
    set_word(to + i + 3u, d);
  }
}

// Writes the `length` bytes at address `place` (see value_word), with their length in the word before.
fn write_output(pointer: u32, place: u32, length: u32) {
  put32(pointer - 4u, length);
  // Fast path: long values are usually aligned on both sides, and come from input_state.
  var done = 0u;
  if (((pointer & 3u) == 0u) & ((place & (WRITTEN_ADDRESS | 3u)) == 0u)) {
    done = (length >> 2u) & ~3u;
    copy_input(window_word(pointer), place >> 2u, done);
  }
  let words = touched_words(pointer, length);
  for (var i = done; i < words; i++) {
    let at = ((pointer >> 2u) + i) << 2u;
    // The first word may begin up to three bytes before the value; the mask leaves those out.
    set_bits(window_word(at), value_word(place, place + (at - pointer)), range_mask(at, pointer, pointer + length));
  }
}

fn host_abort(a: u32, b: u32, c: u32, d: u32) {
  charge(FUEL_ABORT);
  // A message or the name of a source file is for the receipt, which the CPU writes.
  stop(select(STOP_ABORT, STOP_PUNT_TEXT, (a | b) != 0u));
}

// Address of the value of the key; NONE if it is absent or the run has stopped. `least`: the price of the call for an
// empty value; with less fuel nothing is read. The key counts as read even if the fuel left does not pay for the value.
fn stored_value(key: vec2<u32>, least: u32) -> u32 {
  var value = NONE;
  stop_if(w_fuel < least, STATUS_OUT_OF_FUEL);
  if (st == 0u) {
    value = access_read(key.x, key.y);
  }
  return value;
}

fn host_request_storage(pointer: u32) -> u32 {
  var length = 0u;
  if (st == 0u) {
    let key = read_buffer(pointer);
    length = value_bytes(stored_value(key, fuel_request_storage(key.y)));
    charge(fuel_request_storage(key.y + length));
  }
  return length;
}

fn host_load_storage(pointer: u32, out: u32) -> u32 {
  if (st == 0u) {
    let key = read_buffer(pointer);
    let value = stored_value(key, fuel_load_storage(key.y));
    let length = value_bytes(value);
    charge(fuel_load_storage(key.y + length));
    check_output(out, length);
    if (st == 0u) {
      write_output(out, value, length);
    }
  }
  return out;
}

fn host_request_context() -> u32 {
  charge(FUEL_REQUEST_CONTEXT);
  return call_word(CALL_CONTEXT_BYTES);
}

fn host_load_context(out: u32) -> u32 {
  if (st == 0u) {
    let length = call_word(CALL_CONTEXT_BYTES);
    charge(fuel_load_context(length));
    check_output(out, length);
    if (st == 0u) {
      write_output(out, call_word(CALL_CONTEXT_AT), length);
    }
  }
  return out;
}

fn write_number(out: u32, low: u32) {
  check_output(out, 8u);
  if (st == 0u) {
    put32(out - 4u, 8u);
    put32(out, low);
    put32(out + 4u, 0u);
  }
}

// There are no inner calls, so the data returned by the last one is always empty.
fn host_returndatacopy(out: u32) {
  if (st == 0u) {
    charge(fuel_returndatacopy(0u));
    check_output(out, 0u);
    if (st == 0u) {
      put32(out - 4u, 0u);
    }
  }
}

fn host_fuel(out: u32) {
  charge(FUEL_FUEL);
  write_number(out, w_fuel);
}

fn host_height(out: u32) {
  charge(FUEL_HEIGHT);
  write_number(out, call_word(CALL_HEIGHT));
}

fn host_is_dry_run() -> u32 {
  charge(FUEL_IS_DRY_RUN);
  return 0u;
}

fn host_record_get(pointer: u32) {
  if (st == 0u) {
    let key = read_buffer(pointer);
    charge(fuel_record_get(key.y));
    if (st == 0u) {
      access_declared(key.x, key.y, KEY_READ);
    }
  }
}

fn host_record_put(pointer: u32) {
  if (st == 0u) {
    let key = read_buffer(pointer);
    charge(fuel_record_put(key.y));
    if (st == 0u) {
      access_declared(key.x, key.y, KEY_WRITTEN);
    }
  }
}
