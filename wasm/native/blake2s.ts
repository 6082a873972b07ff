// BLAKE2s-256 (RFC 7693) of four messages at a time, one in each lane of the vector registers.
import { COUNTS, FIRST_HALVES, LASTS, scratch, SECOND_HALVES, STATE, WORDS } from './tree-scratch';

/** The initial state, and the same with the parameters: digest of 32 bytes, no key, one chain of blocks. */
const IV0: i32 = 0x6a09e667;
const IV1: i32 = <i32>0xbb67ae85;
const IV2: i32 = 0x3c6ef372;
const IV3: i32 = <i32>0xa54ff53a;
const IV4: i32 = 0x510e527f;
const IV5: i32 = <i32>0x9b05688c;
const IV6: i32 = 0x1f83d9ab;
const IV7: i32 = 0x5be0cd19;
const IV0_AND_PARAMETERS: i32 = IV0 ^ 0x01010020;

@inline
function add3(at: usize, x: v128, y: v128, word: usize): v128 {
  return i32x4.add(i32x4.add(x, y), v128.load(at + (word << 4), WORDS));
}

// (x ^ y) turned right by as many bits.

@inline
function turn16(x: v128, y: v128): v128 {
  const z = v128.xor(x, y);
  return i8x16.shuffle(z, z, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function turn12(x: v128, y: v128): v128 {
  const z = v128.xor(x, y);
  return v128.or(i32x4.shr_u(z, 12), i32x4.shl(z, 20));
}

@inline
function turn8(x: v128, y: v128): v128 {
  const z = v128.xor(x, y);
  return i8x16.shuffle(z, z, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

@inline
function turn7(x: v128, y: v128): v128 {
  const z = v128.xor(x, y);
  return v128.or(i32x4.shr_u(z, 7), i32x4.shl(z, 25));
}

/** Four words of each lane's half, turned so that each vector has one word of every lane. */
@inline
function gather(halves: usize, offset: usize, out: usize): void {
  const a = v128.load(<usize>load<u32>(halves) + offset);
  const b = v128.load(<usize>load<u32>(halves, 4) + offset);
  const c = v128.load(<usize>load<u32>(halves, 8) + offset);
  const d = v128.load(<usize>load<u32>(halves, 12) + offset);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(out, i64x2.shuffle(ab, cd, 1, 3), 16);
  v128.store(out, i64x2.shuffle(abHigh, cdHigh, 0, 2), 32);
  v128.store(out, i64x2.shuffle(abHigh, cdHigh, 1, 3), 48);
}

/** Writes four words of the state of each lane: the inverse of {@link gather}. */
@inline
function scatter(words: usize, out0: usize, out1: usize, out2: usize, out3: usize): void {
  const a = v128.load(words);
  const b = v128.load(words, 16);
  const c = v128.load(words, 32);
  const d = v128.load(words, 48);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(out0, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(out1, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(out2, i64x2.shuffle(abHigh, cdHigh, 0, 2));
  v128.store(out3, i64x2.shuffle(abHigh, cdHigh, 1, 3));
}

/** Begins a message in `lane`. */
export function beginLane(lane: u32): void {
  const words = scratch + STATE + (<usize>lane << 2);
  store<i32>(words, IV0_AND_PARAMETERS);
  store<i32>(words, IV1, 16);
  store<i32>(words, IV2, 32);
  store<i32>(words, IV3, 48);
  store<i32>(words, IV4, 64);
  store<i32>(words, IV5, 80);
  store<i32>(words, IV6, 96);
  store<i32>(words, IV7, 112);
}

/** Begins a message in every lane. */
@inline
export function beginAll(): void {
  const at = scratch;
  v128.store(at, i32x4.splat(IV0_AND_PARAMETERS), STATE);
  v128.store(at, i32x4.splat(IV1), 16);
  v128.store(at, i32x4.splat(IV2), 32);
  v128.store(at, i32x4.splat(IV3), 48);
  v128.store(at, i32x4.splat(IV4), 64);
  v128.store(at, i32x4.splat(IV5), 80);
  v128.store(at, i32x4.splat(IV6), 96);
  v128.store(at, i32x4.splat(IV7), 112);
}

/** Writes the 32 bytes of the digest in `lane`. */
export function finishLane(lane: u32, out: usize): void {
  const words = scratch + STATE + (<usize>lane << 2);
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(out + (i << 2), load<u32>(words + (i << 4)));
  }
}

/** Writes the digests of all lanes. */
@inline
export function finishAll(out0: usize, out1: usize, out2: usize, out3: usize): void {
  const at = scratch;
  scatter(at + STATE, out0, out1, out2, out3);
  scatter(at + STATE + 64, out0 + 16, out1 + 16, out2 + 16, out3 + 16);
}

/** Takes one block into every lane. */
export function compressAll(): void {
  const at = scratch;
  gather(at + FIRST_HALVES, 0, at + WORDS);
  gather(at + FIRST_HALVES, 16, at + WORDS + 64);
  gather(at + SECOND_HALVES, 0, at + WORDS + 128);
  gather(at + SECOND_HALVES, 16, at + WORDS + 192);
  let v0 = v128.load(at, STATE);
  let v1 = v128.load(at, 16);
  let v2 = v128.load(at, 32);
  let v3 = v128.load(at, 48);
  let v4 = v128.load(at, 64);
  let v5 = v128.load(at, 80);
  let v6 = v128.load(at, 96);
  let v7 = v128.load(at, 112);
  let v8 = i32x4.splat(IV0);
  let v9 = i32x4.splat(IV1);
  let v10 = i32x4.splat(IV2);
  let v11 = i32x4.splat(IV3);
  // Messages have less than 4 GiB: the high word of the count is 0.
  let v12 = v128.xor(i32x4.splat(IV4), v128.load(at, COUNTS));
  let v13 = i32x4.splat(IV5);
  let v14 = v128.xor(i32x4.splat(IV6), v128.load(at, LASTS));
  let v15 = i32x4.splat(IV7);
  // Round 0.
  v0 = add3(at, v0, v4, 0); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 2); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 4); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 6); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 1); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 3); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 5); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 7); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 8); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 10); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 12); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 14); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 9); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 11); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 13); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 15); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 1.
  v0 = add3(at, v0, v4, 14); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 4); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 9); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 13); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 10); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 8); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 15); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 6); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 1); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 0); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 11); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 5); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 12); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 2); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 7); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 3); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 2.
  v0 = add3(at, v0, v4, 11); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 12); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 5); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 15); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 8); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 0); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 2); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 13); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 10); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 3); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 7); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 9); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 14); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 6); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 1); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 4); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 3.
  v0 = add3(at, v0, v4, 7); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 3); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 13); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 11); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 9); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 1); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 12); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 14); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 2); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 5); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 4); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 15); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 6); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 10); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 0); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 8); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 4.
  v0 = add3(at, v0, v4, 9); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 5); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 2); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 10); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 0); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 7); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 4); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 15); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 14); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 11); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 6); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 3); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 1); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 12); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 8); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 13); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 5.
  v0 = add3(at, v0, v4, 2); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 6); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 0); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 8); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 12); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 10); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 11); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 3); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 4); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 7); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 15); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 1); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 13); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 5); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 14); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 9); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 6.
  v0 = add3(at, v0, v4, 12); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 1); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 14); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 4); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 5); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 15); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 13); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 10); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 0); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 6); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 9); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 8); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 7); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 3); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 2); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 11); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 7.
  v0 = add3(at, v0, v4, 13); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 7); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 12); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 3); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 11); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 14); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 1); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 9); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 5); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 15); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 8); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 2); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 0); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 4); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 6); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 10); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 8.
  v0 = add3(at, v0, v4, 6); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 14); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 11); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 0); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 15); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 9); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 3); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 8); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 12); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 13); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 1); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 10); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 2); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 7); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 4); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 5); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  // Round 9.
  v0 = add3(at, v0, v4, 10); v12 = turn16(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn12(v4, v8);
  v1 = add3(at, v1, v5, 8); v13 = turn16(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn12(v5, v9);
  v2 = add3(at, v2, v6, 7); v14 = turn16(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn12(v6, v10);
  v3 = add3(at, v3, v7, 1); v15 = turn16(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn12(v7, v11);
  v0 = add3(at, v0, v4, 2); v12 = turn8(v12, v0); v8 = i32x4.add(v8, v12); v4 = turn7(v4, v8);
  v1 = add3(at, v1, v5, 4); v13 = turn8(v13, v1); v9 = i32x4.add(v9, v13); v5 = turn7(v5, v9);
  v2 = add3(at, v2, v6, 6); v14 = turn8(v14, v2); v10 = i32x4.add(v10, v14); v6 = turn7(v6, v10);
  v3 = add3(at, v3, v7, 5); v15 = turn8(v15, v3); v11 = i32x4.add(v11, v15); v7 = turn7(v7, v11);
  v0 = add3(at, v0, v5, 15); v15 = turn16(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn12(v5, v10);
  v1 = add3(at, v1, v6, 9); v12 = turn16(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn12(v6, v11);
  v2 = add3(at, v2, v7, 3); v13 = turn16(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn12(v7, v8);
  v3 = add3(at, v3, v4, 13); v14 = turn16(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn12(v4, v9);
  v0 = add3(at, v0, v5, 11); v15 = turn8(v15, v0); v10 = i32x4.add(v10, v15); v5 = turn7(v5, v10);
  v1 = add3(at, v1, v6, 14); v12 = turn8(v12, v1); v11 = i32x4.add(v11, v12); v6 = turn7(v6, v11);
  v2 = add3(at, v2, v7, 12); v13 = turn8(v13, v2); v8 = i32x4.add(v8, v13); v7 = turn7(v7, v8);
  v3 = add3(at, v3, v4, 0); v14 = turn8(v14, v3); v9 = i32x4.add(v9, v14); v4 = turn7(v4, v9);
  v128.store(at, v128.xor(v128.xor(v128.load(at, STATE), v0), v8), STATE);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 16), v1), v9), 16);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 32), v2), v10), 32);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 48), v3), v11), 48);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 64), v4), v12), 64);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 80), v5), v13), 80);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 96), v6), v14), 96);
  v128.store(at, v128.xor(v128.xor(v128.load(at, 112), v7), v15), 112);
}
