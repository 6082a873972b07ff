// SHA-256 (FIPS 180-4), one block at a time. Its 64 constants lie in program_data from word SHA_CONSTANTS_AT on.

struct ShaState {
  a: vec4<u32>,
  e: vec4<u32>,
}

fn sha_start() -> ShaState {
  return ShaState(
    vec4<u32>(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au),
    vec4<u32>(0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u),
  );
}

fn rotated(value: u32, count: u32) -> u32 {
  return (value >> count) | (value << (32u - count));
}

fn sha_round(s: ShaState, word: u32) -> ShaState {
  let e = s.e.x;
  let a = s.a.x;
  let big_1 = rotated(e, 6u) ^ rotated(e, 11u) ^ rotated(e, 25u);
  let t1 = s.e.w + big_1 + ((e & s.e.y) ^ (~e & s.e.z)) + word;
  let big_0 = rotated(a, 2u) ^ rotated(a, 13u) ^ rotated(a, 22u);
  let t2 = big_0 + ((a & s.a.y) ^ (a & s.a.z) ^ (s.a.y & s.a.z));
  return ShaState(vec4<u32>(t1 + t2, s.a.xyz), vec4<u32>(s.a.w + t1, s.e.xyz));
}

fn sha_schedule(w0: u32, w1: u32, w9: u32, w14: u32) -> u32 {
  let small_0 = rotated(w1, 7u) ^ rotated(w1, 18u) ^ (w1 >> 3u);
  let small_1 = rotated(w14, 17u) ^ rotated(w14, 19u) ^ (w14 >> 10u);
  return w0 + small_0 + w9 + small_1;
}

// The words of the block that sha_block takes next.
var<private> sha_words: array<u32, 16>;

fn sha_block(before: ShaState) -> ShaState {
  var s = before;
  var w = sha_words;
  for (var round = 0u; round < 64u; round += 16u) {
    let k = SHA_CONSTANTS_AT + round;
    s = sha_round(s, w[0] + program_data[k]);
    s = sha_round(s, w[1] + program_data[k + 1u]);
    s = sha_round(s, w[2] + program_data[k + 2u]);
    s = sha_round(s, w[3] + program_data[k + 3u]);
    s = sha_round(s, w[4] + program_data[k + 4u]);
    s = sha_round(s, w[5] + program_data[k + 5u]);
    s = sha_round(s, w[6] + program_data[k + 6u]);
    s = sha_round(s, w[7] + program_data[k + 7u]);
    s = sha_round(s, w[8] + program_data[k + 8u]);
    s = sha_round(s, w[9] + program_data[k + 9u]);
    s = sha_round(s, w[10] + program_data[k + 10u]);
    s = sha_round(s, w[11] + program_data[k + 11u]);
    s = sha_round(s, w[12] + program_data[k + 12u]);
    s = sha_round(s, w[13] + program_data[k + 13u]);
    s = sha_round(s, w[14] + program_data[k + 14u]);
    s = sha_round(s, w[15] + program_data[k + 15u]);
    if (round < 48u) {
      w[0] = sha_schedule(w[0], w[1], w[9], w[14]);
      w[1] = sha_schedule(w[1], w[2], w[10], w[15]);
      w[2] = sha_schedule(w[2], w[3], w[11], w[0]);
      w[3] = sha_schedule(w[3], w[4], w[12], w[1]);
      w[4] = sha_schedule(w[4], w[5], w[13], w[2]);
      w[5] = sha_schedule(w[5], w[6], w[14], w[3]);
      w[6] = sha_schedule(w[6], w[7], w[15], w[4]);
      w[7] = sha_schedule(w[7], w[8], w[0], w[5]);
      w[8] = sha_schedule(w[8], w[9], w[1], w[6]);
      w[9] = sha_schedule(w[9], w[10], w[2], w[7]);
      w[10] = sha_schedule(w[10], w[11], w[3], w[8]);
      w[11] = sha_schedule(w[11], w[12], w[4], w[9]);
      w[12] = sha_schedule(w[12], w[13], w[5], w[10]);
      w[13] = sha_schedule(w[13], w[14], w[6], w[11]);
      w[14] = sha_schedule(w[14], w[15], w[7], w[12]);
      w[15] = sha_schedule(w[15], w[0], w[8], w[13]);
    }
  }
  return ShaState(before.a + s.a, before.e + s.e);
}

fn sha_digest_word(s: ShaState, index: u32) -> u32 {
  return select(s.e, s.a, index < 4u)[index & 3u];
}

fn swap_bytes(value: u32) -> u32 {
  return (value << 24u) | ((value & 0xff00u) << 8u) | ((value >> 8u) & 0xff00u) | (value >> 24u);
}

// Word `index`, big-endian, of the buffer (address, length) with its padding; a message of at most 2^29 bytes.
fn sha_padded_word(data: vec2<u32>, index: u32, last: u32) -> u32 {
  let at = index * 4u;
  let left = data.y - min(at, data.y);
  let kept = select(0u, 0xffffffffu << (32u - 8u * min(left, 3u)), left != 0u);
  let word = swap_bytes(get32(data.x + min(at, data.y))) & select(kept, 0xffffffffu, left > 3u);
  let mark = select(0u, 0x80000000u >> (8u * (data.y & 3u)), index == (data.y >> 2u));
  return select(word | mark, data.y << 3u, index == last);
}

// SHA-256 of the buffer (address, length), or SHA-256 of that.
fn sha_buffer(data: vec2<u32>, twice: bool) -> ShaState {
  var s = sha_start();
  let blocks = (data.y + 72u) >> 6u;
  let all = blocks + select(0u, 1u, twice);
  for (var block = 0u; block < all; block++) {
    let second = block == blocks;
    for (var i = 0u; i < 16u; i++) {
      if (second) {
        sha_words[i] = select(select(0u, 0x80000000u, i == 8u) | select(0u, 256u, i == 15u), sha_digest_word(s, i), i < 8u);
      } else {
        sha_words[i] = sha_padded_word(data, block * 16u + i, blocks * 16u - 1u);
      }
    }
    if (second) {
      s = sha_start();
    }
    s = sha_block(s);
  }
  return s;
}

fn host_hash(pointer: u32, out: u32, twice: bool) {
  if (st == 0u) {
    let data = read_buffer(pointer);
    charge(60u + 60u * ((data.y + 63u) >> 6u));
    check_output(out, 32u);
    if (st == 0u) {
      let digest = sha_buffer(data, twice);
      put32(out - 4u, 32u);
      for (var i = 0u; i < 8u; i++) {
        put32(out + i * 4u, swap_bytes(sha_digest_word(digest, i)));
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
