// One level of Bitcoin's Merkle tree: the double SHA-256 of each two neighbours. The nodes of all levels lie in the
// output, from words `first` (the level below, of `third` nodes) and `second` (this one) on.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) {
    let left = params.first + id.x * 16u;
    let alone = 2u * id.x + 1u == params.third;
    let right = select(left + 8u, left, alone);
    var difference = 0u;
    for (var i = 0u; i < 8u; i++) {
      let a = task_output[left + i];
      let b = task_output[right + i];
      difference |= a ^ b;
      sha_words[i] = swap_bytes(a);
      sha_words[8u + i] = swap_bytes(b);
    }
    if ((difference == 0u) & !alone) {
      atomicStore(&task_flags[0], 1u);
    }
    sha_start();
    for (var block = 0u; block < 3u; block++) {
      if (block == 1u) {
        sha_take_padding(0x80000000u, 64u);
      }
      if (block == 2u) {
        sha_take_padding(0u, 32u);
        for (var i = 0u; i < 8u; i++) {
          sha_words[i] = sha_state[i];
        }
        sha_words[8] = 0x80000000u;
        sha_start();
      }
      sha_block();
    }
    for (var i = 0u; i < 8u; i++) {
      task_output[params.second + id.x * 8u + i] = swap_bytes(sha_state[i]);
    }
  }
}
