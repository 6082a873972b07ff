// The host functions over sha256.wgsl.

fn host_hash(pointer: u32, out: u32, twice: bool) {
  if (st == 0u) {
    let data = read_buffer(pointer);
    charge(select(fuel_sha256(data.y), fuel_sha256d(data.y), twice));
    check_output(out, 32u);
    if (st == 0u) {
      sha_buffer(data, twice);
      put32(out - 4u, 32u);
      let to = window_word(out);
      if ((out & 3u) == 0u) {
        set_word(to, swap_bytes(sha_state[0]));
        set_word(to + 1u, swap_bytes(sha_state[1]));
        set_word(to + 2u, swap_bytes(sha_state[2]));
        set_word(to + 3u, swap_bytes(sha_state[3]));
        set_word(to + 4u, swap_bytes(sha_state[4]));
        set_word(to + 5u, swap_bytes(sha_state[5]));
        set_word(to + 6u, swap_bytes(sha_state[6]));
        set_word(to + 7u, swap_bytes(sha_state[7]));
      } else {
        for (var i = 0u; i < 8u; i++) {
          put32(out + i * 4u, swap_bytes(sha_state[i]));
        }
      }
    }
  }
}

fn host_sha256(pointer: u32, out: u32) {
  host_hash(pointer, out, false);
}

fn host_sha256d(pointer: u32, out: u32) {
  host_hash(pointer, out, true);
}
