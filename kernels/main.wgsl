// One invocation per message: memory image, __execute, check of the keys written, result.

// Stops with ACCESS_VIOLATION if the storage map of a well-formed result names a key outside the declared write set.
// A malformed result writes nothing: the host rejects it, so it is not looked at further.
fn check_writes(pointer: u32, length: u32) {
  var broken = length < 20u || (get32(pointer + 4u) | get32(pointer + 8u) | get32(pointer + 12u)) != 0u;
  let transfers = get32(pointer);
  broken = broken || transfers > length / 48u;
  var at = select(16u + transfers * 48u, 0u, broken);
  broken = broken || at > length || length - at < 4u;
  let entries = select(get32(pointer + at), 0u, broken);
  at += 4u;
  var foreign = false;
  for (var i = 0u; i < entries && !broken; i++) {
    broken = length - at < 4u;
    let key_bytes = select(get32(pointer + at), 0u, broken);
    at += 4u;
    broken = broken || key_bytes > length - at;
    if (!broken) {
      if (find_access(call_word(CALL_FIRST_WRITE), call_word(CALL_WRITES), pointer + at, key_bytes) == NONE) {
        foreign = true;
      }
      at += key_bytes;
      broken = length - at < 4u;
      let value_bytes = select(get32(pointer + at), 0u, broken);
      at += 4u;
      broken = broken || value_bytes > length - at;
      at += select(value_bytes, 0u, broken);
    }
  }
  if (foreign && !broken) {
    stop(STATUS_ACCESS_VIOLATION);
  }
}

// Copies the returned bytes out; gives (first word, bytes), (NONE, 0) for a bad pointer.
fn take_result(pointer: u32) -> vec2<u32> {
  var result = vec2<u32>(NONE, 0u);
  if (pointer >= 4u && pointer <= MEMORY_BYTES) {
    let length = get32(pointer - 4u);
    if (length <= MEMORY_BYTES - pointer) {
      if (length > OUTPUT_BYTES) {
        stop(STOP_PUNT_OUTPUT);
      } else {
        check_writes(pointer, length);
        if (st == 0u) {
          let words = (length + 3u) / 4u;
          result = vec2<u32>(atomicAdd(&status_flags.output_words, words), length);
          for (var i = 0u; i < words; i++) {
            output_state[result.x + i] = get32(pointer + i * 4u);
          }
        }
      }
    }
  }
  return result;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.calls) {
    call_index = id.x;
    for (var i = COPY_FIRST; i < COPY_END; i++) {
      set_word(i - WINDOW_FIRST, program_data[i - IMAGE_FIRST]);
    }
    w_fuel = call_word(CALL_FUEL);
    w_stack = STACK_SLOTS;
    let pointer = execute();
    var result = vec2<u32>(NONE, 0u);
    if (st == 0u) {
      result = take_result(pointer);
    }
    let base = call_index * RESULT_WORDS;
    status_flags.words[base + RESULT_STATUS] = st & 0xffu;
    status_flags.words[base + RESULT_DETAIL] = st >> 8u;
    status_flags.words[base + RESULT_FUEL] = w_fuel;
    status_flags.words[base + RESULT_AT] = result.x;
    status_flags.words[base + RESULT_BYTES] = result.y;
  }
}
