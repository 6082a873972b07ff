// SHA-256 (FIPS 180-4) of one message that lies in the memory of a program. This code has no other memory and keeps
// nothing there: the words of a block are parameters, the constants stand in the code, and every round is written out.

const BLOCK_BYTES: u32 = 64;
const DIGEST_BYTES: u32 = 32;

/** The state. */
let s0: u32 = 0;
let s1: u32 = 0;
let s2: u32 = 0;
let s3: u32 = 0;
let s4: u32 = 0;
let s5: u32 = 0;
let s6: u32 = 0;
let s7: u32 = 0;

// Rotations of what was rotated: fewer copies of x than three of its own take.

@inline
function sum0(x: u32): u32 {
  return rotr(rotr(rotr(x, 9) ^ x, 11) ^ x, 2);
}

@inline
function sum1(x: u32): u32 {
  return rotr(rotr(rotr(x, 14) ^ x, 5) ^ x, 6);
}

@inline
function sigma0(x: u32): u32 {
  return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
}

@inline
function sigma1(x: u32): u32 {
  return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10);
}

@inline
function choose(e: u32, f: u32, g: u32): u32 {
  return g ^ (e & (f ^ g));
}

@inline
function majority(a: u32, b: u32, c: u32): u32 {
  return (a & b) | (c & (a | b));
}

@inline
function begin(): void {
  s0 = 0x6a09e667;
  s1 = 0xbb67ae85;
  s2 = 0x3c6ef372;
  s3 = 0xa54ff53a;
  s4 = 0x510e527f;
  s5 = 0x9b05688c;
  s6 = 0x1f83d9ab;
  s7 = 0x5be0cd19;
}

/** Takes one block, as its 16 words, into the state. */
function compress(
  w0: u32, w1: u32, w2: u32, w3: u32, w4: u32, w5: u32, w6: u32, w7: u32,
  w8: u32, w9: u32, w10: u32, w11: u32, w12: u32, w13: u32, w14: u32, w15: u32,
): void {
  let a = s0;
  let b = s1;
  let c = s2;
  let d = s3;
  let e = s4;
  let f = s5;
  let g = s6;
  let h = s7;
  h += sum1(e) + choose(e, f, g) + 0x428a2f98 + w0; d += h; h += sum0(a) + majority(a, b, c);
  g += sum1(d) + choose(d, e, f) + 0x71374491 + w1; c += g; g += sum0(h) + majority(h, a, b);
  f += sum1(c) + choose(c, d, e) + 0xb5c0fbcf + w2; b += f; f += sum0(g) + majority(g, h, a);
  e += sum1(b) + choose(b, c, d) + 0xe9b5dba5 + w3; a += e; e += sum0(f) + majority(f, g, h);
  d += sum1(a) + choose(a, b, c) + 0x3956c25b + w4; h += d; d += sum0(e) + majority(e, f, g);
  c += sum1(h) + choose(h, a, b) + 0x59f111f1 + w5; g += c; c += sum0(d) + majority(d, e, f);
  b += sum1(g) + choose(g, h, a) + 0x923f82a4 + w6; f += b; b += sum0(c) + majority(c, d, e);
  a += sum1(f) + choose(f, g, h) + 0xab1c5ed5 + w7; e += a; a += sum0(b) + majority(b, c, d);
  h += sum1(e) + choose(e, f, g) + 0xd807aa98 + w8; d += h; h += sum0(a) + majority(a, b, c);
  g += sum1(d) + choose(d, e, f) + 0x12835b01 + w9; c += g; g += sum0(h) + majority(h, a, b);
  f += sum1(c) + choose(c, d, e) + 0x243185be + w10; b += f; f += sum0(g) + majority(g, h, a);
  e += sum1(b) + choose(b, c, d) + 0x550c7dc3 + w11; a += e; e += sum0(f) + majority(f, g, h);
  d += sum1(a) + choose(a, b, c) + 0x72be5d74 + w12; h += d; d += sum0(e) + majority(e, f, g);
  c += sum1(h) + choose(h, a, b) + 0x80deb1fe + w13; g += c; c += sum0(d) + majority(d, e, f);
  b += sum1(g) + choose(g, h, a) + 0x9bdc06a7 + w14; f += b; b += sum0(c) + majority(c, d, e);
  a += sum1(f) + choose(f, g, h) + 0xc19bf174 + w15; e += a; a += sum0(b) + majority(b, c, d);
  w0 += sigma1(w14) + w9 + sigma0(w1);
  h += sum1(e) + choose(e, f, g) + 0xe49b69c1 + w0; d += h; h += sum0(a) + majority(a, b, c);
  w1 += sigma1(w15) + w10 + sigma0(w2);
  g += sum1(d) + choose(d, e, f) + 0xefbe4786 + w1; c += g; g += sum0(h) + majority(h, a, b);
  w2 += sigma1(w0) + w11 + sigma0(w3);
  f += sum1(c) + choose(c, d, e) + 0x0fc19dc6 + w2; b += f; f += sum0(g) + majority(g, h, a);
  w3 += sigma1(w1) + w12 + sigma0(w4);
  e += sum1(b) + choose(b, c, d) + 0x240ca1cc + w3; a += e; e += sum0(f) + majority(f, g, h);
  w4 += sigma1(w2) + w13 + sigma0(w5);
  d += sum1(a) + choose(a, b, c) + 0x2de92c6f + w4; h += d; d += sum0(e) + majority(e, f, g);
  w5 += sigma1(w3) + w14 + sigma0(w6);
  c += sum1(h) + choose(h, a, b) + 0x4a7484aa + w5; g += c; c += sum0(d) + majority(d, e, f);
  w6 += sigma1(w4) + w15 + sigma0(w7);
  b += sum1(g) + choose(g, h, a) + 0x5cb0a9dc + w6; f += b; b += sum0(c) + majority(c, d, e);
  w7 += sigma1(w5) + w0 + sigma0(w8);
  a += sum1(f) + choose(f, g, h) + 0x76f988da + w7; e += a; a += sum0(b) + majority(b, c, d);
  w8 += sigma1(w6) + w1 + sigma0(w9);
  h += sum1(e) + choose(e, f, g) + 0x983e5152 + w8; d += h; h += sum0(a) + majority(a, b, c);
  w9 += sigma1(w7) + w2 + sigma0(w10);
  g += sum1(d) + choose(d, e, f) + 0xa831c66d + w9; c += g; g += sum0(h) + majority(h, a, b);
  w10 += sigma1(w8) + w3 + sigma0(w11);
  f += sum1(c) + choose(c, d, e) + 0xb00327c8 + w10; b += f; f += sum0(g) + majority(g, h, a);
  w11 += sigma1(w9) + w4 + sigma0(w12);
  e += sum1(b) + choose(b, c, d) + 0xbf597fc7 + w11; a += e; e += sum0(f) + majority(f, g, h);
  w12 += sigma1(w10) + w5 + sigma0(w13);
  d += sum1(a) + choose(a, b, c) + 0xc6e00bf3 + w12; h += d; d += sum0(e) + majority(e, f, g);
  w13 += sigma1(w11) + w6 + sigma0(w14);
  c += sum1(h) + choose(h, a, b) + 0xd5a79147 + w13; g += c; c += sum0(d) + majority(d, e, f);
  w14 += sigma1(w12) + w7 + sigma0(w15);
  b += sum1(g) + choose(g, h, a) + 0x06ca6351 + w14; f += b; b += sum0(c) + majority(c, d, e);
  w15 += sigma1(w13) + w8 + sigma0(w0);
  a += sum1(f) + choose(f, g, h) + 0x14292967 + w15; e += a; a += sum0(b) + majority(b, c, d);
  w0 += sigma1(w14) + w9 + sigma0(w1);
  h += sum1(e) + choose(e, f, g) + 0x27b70a85 + w0; d += h; h += sum0(a) + majority(a, b, c);
  w1 += sigma1(w15) + w10 + sigma0(w2);
  g += sum1(d) + choose(d, e, f) + 0x2e1b2138 + w1; c += g; g += sum0(h) + majority(h, a, b);
  w2 += sigma1(w0) + w11 + sigma0(w3);
  f += sum1(c) + choose(c, d, e) + 0x4d2c6dfc + w2; b += f; f += sum0(g) + majority(g, h, a);
  w3 += sigma1(w1) + w12 + sigma0(w4);
  e += sum1(b) + choose(b, c, d) + 0x53380d13 + w3; a += e; e += sum0(f) + majority(f, g, h);
  w4 += sigma1(w2) + w13 + sigma0(w5);
  d += sum1(a) + choose(a, b, c) + 0x650a7354 + w4; h += d; d += sum0(e) + majority(e, f, g);
  w5 += sigma1(w3) + w14 + sigma0(w6);
  c += sum1(h) + choose(h, a, b) + 0x766a0abb + w5; g += c; c += sum0(d) + majority(d, e, f);
  w6 += sigma1(w4) + w15 + sigma0(w7);
  b += sum1(g) + choose(g, h, a) + 0x81c2c92e + w6; f += b; b += sum0(c) + majority(c, d, e);
  w7 += sigma1(w5) + w0 + sigma0(w8);
  a += sum1(f) + choose(f, g, h) + 0x92722c85 + w7; e += a; a += sum0(b) + majority(b, c, d);
  w8 += sigma1(w6) + w1 + sigma0(w9);
  h += sum1(e) + choose(e, f, g) + 0xa2bfe8a1 + w8; d += h; h += sum0(a) + majority(a, b, c);
  w9 += sigma1(w7) + w2 + sigma0(w10);
  g += sum1(d) + choose(d, e, f) + 0xa81a664b + w9; c += g; g += sum0(h) + majority(h, a, b);
  w10 += sigma1(w8) + w3 + sigma0(w11);
  f += sum1(c) + choose(c, d, e) + 0xc24b8b70 + w10; b += f; f += sum0(g) + majority(g, h, a);
  w11 += sigma1(w9) + w4 + sigma0(w12);
  e += sum1(b) + choose(b, c, d) + 0xc76c51a3 + w11; a += e; e += sum0(f) + majority(f, g, h);
  w12 += sigma1(w10) + w5 + sigma0(w13);
  d += sum1(a) + choose(a, b, c) + 0xd192e819 + w12; h += d; d += sum0(e) + majority(e, f, g);
  w13 += sigma1(w11) + w6 + sigma0(w14);
  c += sum1(h) + choose(h, a, b) + 0xd6990624 + w13; g += c; c += sum0(d) + majority(d, e, f);
  w14 += sigma1(w12) + w7 + sigma0(w15);
  b += sum1(g) + choose(g, h, a) + 0xf40e3585 + w14; f += b; b += sum0(c) + majority(c, d, e);
  w15 += sigma1(w13) + w8 + sigma0(w0);
  a += sum1(f) + choose(f, g, h) + 0x106aa070 + w15; e += a; a += sum0(b) + majority(b, c, d);
  w0 += sigma1(w14) + w9 + sigma0(w1);
  h += sum1(e) + choose(e, f, g) + 0x19a4c116 + w0; d += h; h += sum0(a) + majority(a, b, c);
  w1 += sigma1(w15) + w10 + sigma0(w2);
  g += sum1(d) + choose(d, e, f) + 0x1e376c08 + w1; c += g; g += sum0(h) + majority(h, a, b);
  w2 += sigma1(w0) + w11 + sigma0(w3);
  f += sum1(c) + choose(c, d, e) + 0x2748774c + w2; b += f; f += sum0(g) + majority(g, h, a);
  w3 += sigma1(w1) + w12 + sigma0(w4);
  e += sum1(b) + choose(b, c, d) + 0x34b0bcb5 + w3; a += e; e += sum0(f) + majority(f, g, h);
  w4 += sigma1(w2) + w13 + sigma0(w5);
  d += sum1(a) + choose(a, b, c) + 0x391c0cb3 + w4; h += d; d += sum0(e) + majority(e, f, g);
  w5 += sigma1(w3) + w14 + sigma0(w6);
  c += sum1(h) + choose(h, a, b) + 0x4ed8aa4a + w5; g += c; c += sum0(d) + majority(d, e, f);
  w6 += sigma1(w4) + w15 + sigma0(w7);
  b += sum1(g) + choose(g, h, a) + 0x5b9cca4f + w6; f += b; b += sum0(c) + majority(c, d, e);
  w7 += sigma1(w5) + w0 + sigma0(w8);
  a += sum1(f) + choose(f, g, h) + 0x682e6ff3 + w7; e += a; a += sum0(b) + majority(b, c, d);
  w8 += sigma1(w6) + w1 + sigma0(w9);
  h += sum1(e) + choose(e, f, g) + 0x748f82ee + w8; d += h; h += sum0(a) + majority(a, b, c);
  w9 += sigma1(w7) + w2 + sigma0(w10);
  g += sum1(d) + choose(d, e, f) + 0x78a5636f + w9; c += g; g += sum0(h) + majority(h, a, b);
  w10 += sigma1(w8) + w3 + sigma0(w11);
  f += sum1(c) + choose(c, d, e) + 0x84c87814 + w10; b += f; f += sum0(g) + majority(g, h, a);
  w11 += sigma1(w9) + w4 + sigma0(w12);
  e += sum1(b) + choose(b, c, d) + 0x8cc70208 + w11; a += e; e += sum0(f) + majority(f, g, h);
  w12 += sigma1(w10) + w5 + sigma0(w13);
  d += sum1(a) + choose(a, b, c) + 0x90befffa + w12; h += d; d += sum0(e) + majority(e, f, g);
  w13 += sigma1(w11) + w6 + sigma0(w14);
  c += sum1(h) + choose(h, a, b) + 0xa4506ceb + w13; g += c; c += sum0(d) + majority(d, e, f);
  w14 += sigma1(w12) + w7 + sigma0(w15);
  b += sum1(g) + choose(g, h, a) + 0xbef9a3f7 + w14; f += b; b += sum0(c) + majority(c, d, e);
  w15 += sigma1(w13) + w8 + sigma0(w0);
  a += sum1(f) + choose(f, g, h) + 0xc67178f2 + w15; e += a; a += sum0(b) + majority(b, c, d);
  s0 += a;
  s1 += b;
  s2 += c;
  s3 += d;
  s4 += e;
  s5 += f;
  s6 += g;
  s7 += h;
}

@inline
function word(at: usize): u32 {
  return bswap(load<u32>(at));
}

function compressAt(p: usize): void {
  compress(
    word(p), word(p + 4), word(p + 8), word(p + 12), word(p + 16), word(p + 20), word(p + 24), word(p + 28),
    word(p + 32), word(p + 36), word(p + 40), word(p + 44), word(p + 48), word(p + 52), word(p + 56), word(p + 60),
  );
}

/** The word at `offset` of a block that begins with the `left` bytes at `p`: the message, its end mark, zeros. */
function lastWord(p: usize, left: i32, offset: i32): u32 {
  const here = left - offset;
  if (here >= 4) return word(p + offset);
  if (here < 0) return 0;
  // Byte by byte: the message may end where the memory does.
  let value: u32 = 0x80 << (24 - (here << 3));
  for (let i = 0; i < here; i++) value |= <u32>load<u8>(p + offset + i) << (24 - (i << 3));
  return value;
}

/** Takes the last `left` bytes of a message of `length`, at `p`, into the state; fewer than a block. */
function finish(p: usize, left: i32, length: u32): void {
  const high = length >> 29;
  const low = length << 3;
  const fits = left < 56;
  compress(
    lastWord(p, left, 0), lastWord(p, left, 4), lastWord(p, left, 8), lastWord(p, left, 12),
    lastWord(p, left, 16), lastWord(p, left, 20), lastWord(p, left, 24), lastWord(p, left, 28),
    lastWord(p, left, 32), lastWord(p, left, 36), lastWord(p, left, 40), lastWord(p, left, 44),
    lastWord(p, left, 48), lastWord(p, left, 52),
    fits ? high : lastWord(p, left, 56), fits ? low : lastWord(p, left, 60),
  );
  if (!fits) compress(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low);
}

/** Writes length word and digest of the `length` bytes at `pointer`. All lies in the memory; the two may overlap. */
export function sha256(pointer: usize, length: u32, out: usize): void {
  begin();
  let left = length;
  while (left >= BLOCK_BYTES) {
    compressAt(pointer);
    pointer += BLOCK_BYTES;
    left -= BLOCK_BYTES;
  }
  finish(pointer, left, length);
  write(out);
}

/** The same of the digest of the digest. */
export function sha256d(pointer: usize, length: u32, out: usize): void {
  sha256(pointer, length, out);
  sha256(out, DIGEST_BYTES, out);
}

function write(out: usize): void {
  store<u32>(out - 4, DIGEST_BYTES);
  store<u32>(out, bswap(s0));
  store<u32>(out, bswap(s1), 4);
  store<u32>(out, bswap(s2), 8);
  store<u32>(out, bswap(s3), 12);
  store<u32>(out, bswap(s4), 16);
  store<u32>(out, bswap(s5), 20);
  store<u32>(out, bswap(s6), 24);
  store<u32>(out, bswap(s7), 28);
}
