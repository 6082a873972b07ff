// One invocation per message: memory image, __execute, check of the keys written, result.

// Copies the returned bytes out and applies their writes; returns their number, NONE for a bad pointer.
fn take_result(pointer: u32) -> u32 {
  var result = NONE;
  if (pointer >= 4u && pointer <= MEMORY_BYTES) {
    let length = get32(pointer - 4u);
    if (length <= MEMORY_BYTES - pointer) {
      let words = (length + 3u) / 4u;
      if (words > call_word(CALL_OUT_WORDS)) {
        stop(STOP_PUNT_OUTPUT);
      } else {
        let out = call_word(CALL_OUT_AT);
        apply_writes(pointer, length, out);
        result = length;
        for (var i = 0u; i < words; i++) {
          output_state[out + i] = get32(pointer + i * 4u);
        }
      }
    }
  }
  return result;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) {
    invocation_index = id.x;
    call_index = params.first + id.x;
    w_fuel = call_word(CALL_FUEL);
    w_stack = STACK_SLOTS;
    // Before static data is copied and before the frame of __execute is counted.
    charge(ENTRY_FUEL);
    var pointer = 0u;
    if (st == 0u) {
      lay_image();
      pointer = execute();
    }
    var result = NONE;
    if (st == 0u) {
      result = take_result(pointer);
    }
    let base = call_index * RESULT_WORDS;
    status_flags[base + RESULT_STATUS] = st;
    status_flags[base + RESULT_FUEL] = w_fuel;
    status_flags[base + RESULT_BYTES] = result;
  }
}
