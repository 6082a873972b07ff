// SHA-256 (FIPS 180-4) of four messages at a time, one in each lane of the vector registers.
import { INITIAL, K } from '../sdk/sha256';

/** Eight vectors: word i of the state of the messages in lanes 0 to 3. */
const STATE: usize = memory.data(128, 16);
const SCHEDULE: usize = memory.data(1024, 16);

/** Where the next block of each lane lies. */
export const BLOCKS: usize = memory.data(16, 4);

@inline
function rotate(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n));
}

@inline
function sum0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 2), rotate(x, 13)), rotate(x, 22));
}

@inline
function sum1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 6), rotate(x, 11)), rotate(x, 25));
}

@inline
function sigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 7), rotate(x, 18)), i32x4.shr_u(x, 3));
}

@inline
function sigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 17), rotate(x, 19)), i32x4.shr_u(x, 10));
}

/** h + sum1(e) + choose(e, f, g) + the round's constant and word. */
@inline
function first(e: v128, f: v128, g: v128, h: v128, at: usize): v128 {
  const choose = v128.xor(g, v128.and(e, v128.xor(f, g)));
  const word = i32x4.add(v128.load(SCHEDULE + (at << 2)), v128.load32_splat(K + at));
  return i32x4.add(i32x4.add(i32x4.add(h, sum1(e)), choose), word);
}

/** sum0(a) + majority(a, b, c). */
@inline
function second(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(sum0(a), v128.or(v128.and(a, b), v128.and(c, v128.or(a, b))));
}

@inline
function swapBytes(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Four words of each lane's block, turned so that each vector has one word of every lane. */
@inline
function gather(offset: usize): void {
  const a = v128.load(<usize>load<u32>(BLOCKS) + offset);
  const b = v128.load(<usize>load<u32>(BLOCKS, 4) + offset);
  const c = v128.load(<usize>load<u32>(BLOCKS, 8) + offset);
  const d = v128.load(<usize>load<u32>(BLOCKS, 12) + offset);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  const out = SCHEDULE + (offset << 2);
  v128.store(out, swapBytes(i64x2.shuffle(ab, cd, 0, 2)));
  v128.store(out, swapBytes(i64x2.shuffle(ab, cd, 1, 3)), 16);
  v128.store(out, swapBytes(i64x2.shuffle(abHigh, cdHigh, 0, 2)), 32);
  v128.store(out, swapBytes(i64x2.shuffle(abHigh, cdHigh, 1, 3)), 48);
}

/** Begins a message in `lane`. */
export function beginLane(lane: u32): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(STATE + (i << 4) + (lane << 2), load<u32>(INITIAL + (i << 2)));
}

/** Begins a message in every lane. */
export function beginAll(): void {
  for (let i: usize = 0; i < 8; i++) v128.store(STATE + (i << 4), v128.load32_splat(INITIAL + (i << 2)));
}

/** Writes the 32 bytes of the digest in `lane`. */
export function finishLane(lane: u32, out: usize): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(out + (i << 2), bswap(load<u32>(STATE + (i << 4) + (lane << 2))));
}

/** Takes one block into every lane. */
export function compressAll(): void {
  gather(0);
  gather(16);
  gather(32);
  gather(48);
  for (let at: usize = 256; at < 1024; at += 16) {
    const word = SCHEDULE + at;
    const sum = i32x4.add(v128.load(word - 256), v128.load(word - 112));
    v128.store(word, i32x4.add(sum, i32x4.add(sigma0(v128.load(word - 240)), sigma1(v128.load(word - 32)))));
  }
  let a = v128.load(STATE);
  let b = v128.load(STATE, 16);
  let c = v128.load(STATE, 32);
  let d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64);
  let f = v128.load(STATE, 80);
  let g = v128.load(STATE, 96);
  let h = v128.load(STATE, 112);
  for (let at: usize = 0; at < 256; at += 32) {
    h = first(e, f, g, h, at);
    d = i32x4.add(d, h);
    h = i32x4.add(h, second(a, b, c));
    g = first(d, e, f, g, at + 4);
    c = i32x4.add(c, g);
    g = i32x4.add(g, second(h, a, b));
    f = first(c, d, e, f, at + 8);
    b = i32x4.add(b, f);
    f = i32x4.add(f, second(g, h, a));
    e = first(b, c, d, e, at + 12);
    a = i32x4.add(a, e);
    e = i32x4.add(e, second(f, g, h));
    d = first(a, b, c, d, at + 16);
    h = i32x4.add(h, d);
    d = i32x4.add(d, second(e, f, g));
    c = first(h, a, b, c, at + 20);
    g = i32x4.add(g, c);
    c = i32x4.add(c, second(d, e, f));
    b = first(g, h, a, b, at + 24);
    f = i32x4.add(f, b);
    b = i32x4.add(b, second(c, d, e));
    a = first(f, g, h, a, at + 28);
    e = i32x4.add(e, a);
    a = i32x4.add(a, second(b, c, d));
  }
  v128.store(STATE, i32x4.add(v128.load(STATE), a));
  v128.store(STATE, i32x4.add(v128.load(STATE, 16), b), 16);
  v128.store(STATE, i32x4.add(v128.load(STATE, 32), c), 32);
  v128.store(STATE, i32x4.add(v128.load(STATE, 48), d), 48);
  v128.store(STATE, i32x4.add(v128.load(STATE, 64), e), 64);
  v128.store(STATE, i32x4.add(v128.load(STATE, 80), f), 80);
  v128.store(STATE, i32x4.add(v128.load(STATE, 96), g), 96);
  v128.store(STATE, i32x4.add(v128.load(STATE, 112), h), 112);
}
