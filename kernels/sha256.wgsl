// SHA-256 (FIPS 180-4), one block at a time. Its 64 constants lie in program_data from word SHA_CONSTANTS_AT on.

// The chaining value; before sha_block, also the 16 words of the block.
var<private> sha_state: array<u32, 8>;
var<private> sha_words: array<u32, 16>;

fn sha_start() {
  sha_state = array<u32, 8>(
    0x6a09e667u,
    0xbb67ae85u,
    0x3c6ef372u,
    0xa54ff53au,
    0x510e527fu,
    0x9b05688cu,
    0x1f83d9abu,
    0x5be0cd19u,
  );
}

fn rotated(value: u32, count: u32) -> u32 {
  return (value >> count) | (value << (32u - count));
}

fn sha_e(e: u32, f: u32, g: u32) -> u32 {
  return (rotated(e, 6u) ^ rotated(e, 11u) ^ rotated(e, 25u)) + (g ^ (e & (f ^ g)));
}

fn sha_a(a: u32, b: u32, c: u32) -> u32 {
  return (rotated(a, 2u) ^ rotated(a, 13u) ^ rotated(a, 22u)) + ((a & b) | (c & (a | b)));
}

fn sha_schedule(w0: u32, w1: u32, w9: u32, w14: u32) -> u32 {
  let small_0 = rotated(w1, 7u) ^ rotated(w1, 18u) ^ (w1 >> 3u);
  let small_1 = rotated(w14, 17u) ^ rotated(w14, 19u) ^ (w14 >> 10u);
  return w0 + small_0 + w9 + small_1;
}

// Sixteen rounds at a time: the variables rotate roles, so that nothing is moved.
fn sha_block() {
  var a = sha_state[0];
  var b = sha_state[1];
  var c = sha_state[2];
  var d = sha_state[3];
  var e = sha_state[4];
  var f = sha_state[5];
  var g = sha_state[6];
  var h = sha_state[7];
  var w0 = sha_words[0];
  var w1 = sha_words[1];
  var w2 = sha_words[2];
  var w3 = sha_words[3];
  var w4 = sha_words[4];
  var w5 = sha_words[5];
  var w6 = sha_words[6];
  var w7 = sha_words[7];
  var w8 = sha_words[8];
  var w9 = sha_words[9];
  var w10 = sha_words[10];
  var w11 = sha_words[11];
  var w12 = sha_words[12];
  var w13 = sha_words[13];
  var w14 = sha_words[14];
  var w15 = sha_words[15];
  for (var round = 0u; round < 64u; round += 16u) {
    let k = SHA_CONSTANTS_AT + round;
    h += sha_e(e, f, g) + w0 + program_data[k];
    d += h;
    h += sha_a(a, b, c);
    g += sha_e(d, e, f) + w1 + program_data[k + 1u];
    c += g;
    g += sha_a(h, a, b);
    f += sha_e(c, d, e) + w2 + program_data[k + 2u];
    b += f;
    f += sha_a(g, h, a);
    e += sha_e(b, c, d) + w3 + program_data[k + 3u];
    a += e;
    e += sha_a(f, g, h);
    d += sha_e(a, b, c) + w4 + program_data[k + 4u];
    h += d;
    d += sha_a(e, f, g);
    c += sha_e(h, a, b) + w5 + program_data[k + 5u];
    g += c;
    c += sha_a(d, e, f);
    b += sha_e(g, h, a) + w6 + program_data[k + 6u];
    f += b;
    b += sha_a(c, d, e);
    a += sha_e(f, g, h) + w7 + program_data[k + 7u];
    e += a;
    a += sha_a(b, c, d);
    h += sha_e(e, f, g) + w8 + program_data[k + 8u];
    d += h;
    h += sha_a(a, b, c);
    g += sha_e(d, e, f) + w9 + program_data[k + 9u];
    c += g;
    g += sha_a(h, a, b);
    f += sha_e(c, d, e) + w10 + program_data[k + 10u];
    b += f;
    f += sha_a(g, h, a);
    e += sha_e(b, c, d) + w11 + program_data[k + 11u];
    a += e;
    e += sha_a(f, g, h);
    d += sha_e(a, b, c) + w12 + program_data[k + 12u];
    h += d;
    d += sha_a(e, f, g);
    c += sha_e(h, a, b) + w13 + program_data[k + 13u];
    g += c;
    c += sha_a(d, e, f);
    b += sha_e(g, h, a) + w14 + program_data[k + 14u];
    f += b;
    b += sha_a(c, d, e);
    a += sha_e(f, g, h) + w15 + program_data[k + 15u];
    e += a;
    a += sha_a(b, c, d);
    if (round < 48u) {
      w0 = sha_schedule(w0, w1, w9, w14);
      w1 = sha_schedule(w1, w2, w10, w15);
      w2 = sha_schedule(w2, w3, w11, w0);
      w3 = sha_schedule(w3, w4, w12, w1);
      w4 = sha_schedule(w4, w5, w13, w2);
      w5 = sha_schedule(w5, w6, w14, w3);
      w6 = sha_schedule(w6, w7, w15, w4);
      w7 = sha_schedule(w7, w8, w0, w5);
      w8 = sha_schedule(w8, w9, w1, w6);
      w9 = sha_schedule(w9, w10, w2, w7);
      w10 = sha_schedule(w10, w11, w3, w8);
      w11 = sha_schedule(w11, w12, w4, w9);
      w12 = sha_schedule(w12, w13, w5, w10);
      w13 = sha_schedule(w13, w14, w6, w11);
      w14 = sha_schedule(w14, w15, w7, w12);
      w15 = sha_schedule(w15, w0, w8, w13);
    }
  }
  sha_state[0] += a;
  sha_state[1] += b;
  sha_state[2] += c;
  sha_state[3] += d;
  sha_state[4] += e;
  sha_state[5] += f;
  sha_state[6] += g;
  sha_state[7] += h;
}

fn swap_bytes(value: u32) -> u32 {
  return (value << 24u) | ((value & 0xff00u) << 8u) | ((value >> 8u) & 0xff00u) | (value >> 24u);
}

// Loads the 64 bytes at an address inside memory as the next block.
fn sha_take(at: u32) {
  let first = at >> 2u;
  let v0 = read_word(first + 0u);
  let v1 = read_word(first + 1u);
  let v2 = read_word(first + 2u);
  let v3 = read_word(first + 3u);
  let v4 = read_word(first + 4u);
  let v5 = read_word(first + 5u);
  let v6 = read_word(first + 6u);
  let v7 = read_word(first + 7u);
  let v8 = read_word(first + 8u);
  let v9 = read_word(first + 9u);
  let v10 = read_word(first + 10u);
  let v11 = read_word(first + 11u);
  let v12 = read_word(first + 12u);
  let v13 = read_word(first + 13u);
  let v14 = read_word(first + 14u);
  let v15 = read_word(first + 15u);
  let v16 = read_word(first + 16u);
  sha_words[0] = swap_bytes(funnel(v0, v1, at));
  sha_words[1] = swap_bytes(funnel(v1, v2, at));
  sha_words[2] = swap_bytes(funnel(v2, v3, at));
  sha_words[3] = swap_bytes(funnel(v3, v4, at));
  sha_words[4] = swap_bytes(funnel(v4, v5, at));
  sha_words[5] = swap_bytes(funnel(v5, v6, at));
  sha_words[6] = swap_bytes(funnel(v6, v7, at));
  sha_words[7] = swap_bytes(funnel(v7, v8, at));
  sha_words[8] = swap_bytes(funnel(v8, v9, at));
  sha_words[9] = swap_bytes(funnel(v9, v10, at));
  sha_words[10] = swap_bytes(funnel(v10, v11, at));
  sha_words[11] = swap_bytes(funnel(v11, v12, at));
  sha_words[12] = swap_bytes(funnel(v12, v13, at));
  sha_words[13] = swap_bytes(funnel(v13, v14, at));
  sha_words[14] = swap_bytes(funnel(v14, v15, at));
  sha_words[15] = swap_bytes(funnel(v15, v16, at));
}

// Makes the next block one of padding alone: `mark` is its first word, which ends the message, or 0.
fn sha_take_padding(mark: u32, bytes: u32) {
  sha_words = array<u32, 16>();
  sha_words[0] = mark;
  sha_words[15] = bytes << 3u;
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
fn sha_buffer(data: vec2<u32>, twice: bool) {
  sha_start();
  let blocks = (data.y + 72u) >> 6u;
  let all = blocks + select(0u, 1u, twice);
  for (var block = 0u; block < all; block++) {
    let at = block * 64u;
    if (block == blocks) {
      sha_words = array<u32, 16>();
      for (var i = 0u; i < 8u; i++) {
        sha_words[i] = sha_state[i];
      }
      sha_words[8] = 0x80000000u;
      sha_words[15] = 256u;
      sha_start();
    } else if (at + 64u <= data.y) {
      sha_take(data.x + at);
    } else if (at >= data.y) {
      sha_take_padding(select(0u, 0x80000000u, at == data.y), data.y);
    } else {
      for (var i = 0u; i < 16u; i++) {
        sha_words[i] = sha_padded_word(data, block * 16u + i, blocks * 16u - 1u);
      }
    }
    sha_block();
  }
}
