// SHA-256 of many messages. The input is the offset of each message, that of their end, then their bytes. `first`: the
// byte address of the bytes; `second`: 1 for double SHA-256.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) {
    let begin = read_word(id.x);
    let end = read_word(id.x + 1u);
    sha_buffer(vec2<u32>(params.first + begin, end - begin), params.second != 0u);
    for (var i = 0u; i < 8u; i++) {
      task_output[id.x * 8u + i] = swap_bytes(sha_state[i]);
    }
  }
}
