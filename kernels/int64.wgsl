// 64-bit integers as vec2<u32>: x the low word, y the high word. Operations that trap in WASM call stop().

fn wide(value: u32) -> vec2<u32> {
  return vec2<u32>(value, 0u);
}

fn wide_signed(value: u32) -> vec2<u32> {
  return vec2<u32>(value, bitcast<u32>(bitcast<i32>(value) >> 31u));
}

fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn sub64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// The full product of two words, from 16-bit parts because WGSL has no multiply-high.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let p00 = a0 * b0;
  let p01 = a0 * b1;
  let p10 = a1 * b0;
  let middle = (p00 >> 16u) + (p01 & 0xffffu) + (p10 & 0xffffu);
  return vec2<u32>(a * b, a1 * b1 + (p01 >> 16u) + (p10 >> 16u) + (middle >> 16u));
}

fn mul64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = mul_wide(a.x, b.x);
  return vec2<u32>(low.x, low.y + a.x * b.y + a.y * b.x);
}

// Shift amounts are taken modulo 64; every inner shift stays below 32.
fn shl64(a: vec2<u32>, amount: u32) -> vec2<u32> {
  let n = amount & 31u;
  let carried = (a.x >> 1u) >> (31u - n);
  let small = vec2<u32>(a.x << n, (a.y << n) | carried);
  return select(small, vec2<u32>(0u, small.x), (amount & 32u) != 0u);
}

fn shr_u64(a: vec2<u32>, amount: u32) -> vec2<u32> {
  let n = amount & 31u;
  let carried = (a.y << 1u) << (31u - n);
  let small = vec2<u32>((a.x >> n) | carried, a.y >> n);
  return select(small, vec2<u32>(small.y, 0u), (amount & 32u) != 0u);
}

fn shr_s64(a: vec2<u32>, amount: u32) -> vec2<u32> {
  let n = amount & 31u;
  let carried = (a.y << 1u) << (31u - n);
  let high = bitcast<u32>(bitcast<i32>(a.y) >> n);
  let small = vec2<u32>((a.x >> n) | carried, high);
  let sign = bitcast<u32>(bitcast<i32>(a.y) >> 31u);
  return select(small, vec2<u32>(high, sign), (amount & 32u) != 0u);
}

fn rotl64(a: vec2<u32>, amount: u32) -> vec2<u32> {
  return shl64(a, amount & 63u) | shr_u64(a, (64u - (amount & 63u)) & 63u);
}

fn rotr64(a: vec2<u32>, amount: u32) -> vec2<u32> {
  return shr_u64(a, amount & 63u) | shl64(a, (64u - (amount & 63u)) & 63u);
}

fn rotl32(a: u32, amount: u32) -> u32 {
  let n = amount & 31u;
  return (a << n) | ((a >> 1u) >> (31u - n));
}

fn rotr32(a: u32, amount: u32) -> u32 {
  let n = amount & 31u;
  return (a >> n) | ((a << 1u) << (31u - n));
}

fn clz64(a: vec2<u32>) -> vec2<u32> {
  return wide(select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u));
}

fn ctz64(a: vec2<u32>) -> vec2<u32> {
  return wide(select(countTrailingZeros(a.x), 32u + countTrailingZeros(a.y), a.x == 0u));
}

fn popcnt64(a: vec2<u32>) -> vec2<u32> {
  return wide(countOneBits(a.x) + countOneBits(a.y));
}

fn eq64(a: vec2<u32>, b: vec2<u32>) -> bool {
  return (a.x == b.x) & (a.y == b.y);
}

fn lt_u64(a: vec2<u32>, b: vec2<u32>) -> bool {
  return (a.y < b.y) | ((a.y == b.y) & (a.x < b.x));
}

fn lt_s64(a: vec2<u32>, b: vec2<u32>) -> bool {
  return (bitcast<i32>(a.y) < bitcast<i32>(b.y)) | ((a.y == b.y) & (a.x < b.x));
}

fn lt_s32(a: u32, b: u32) -> bool {
  return bitcast<i32>(a) < bitcast<i32>(b);
}

fn extend8(value: u32) -> u32 {
  return bitcast<u32>(bitcast<i32>(value << 24u) >> 24u);
}

fn extend16(value: u32) -> u32 {
  return bitcast<u32>(bitcast<i32>(value << 16u) >> 16u);
}

// One digit of the long division below: quotient of (high:next) by divisor in base 2^16, high < divisor.
fn divide_digit(high: u32, next: u32, divisor: u32) -> u32 {
  let d1 = divisor >> 16u;
  let d0 = divisor & 0xffffu;
  let q = high / d1;
  let rest = high - q * d1;
  // The estimate is at most two too large.
  let first = too_large(q, rest, next, d0);
  let q1 = q - first;
  let rest1 = rest + first * d1;
  return q1 - first * too_large(q1, rest1, next, d0);
}

fn too_large(q: u32, rest: u32, next: u32, d0: u32) -> u32 {
  let over = (q >= 0x10000u) | (q * d0 > ((rest << 16u) | next));
  return select(0u, 1u, over & (rest < 0x10000u));
}

// (high:low) / divisor for high < divisor: quotient in x, remainder in y.
fn divide_word(high: u32, low: u32, divisor: u32) -> vec2<u32> {
  let s = countLeadingZeros(divisor);
  let d = divisor << s;
  let n2 = (high << s) | ((low >> 1u) >> (31u - s));
  let n10 = low << s;
  let n1 = n10 >> 16u;
  let n0 = n10 & 0xffffu;
  let q1 = divide_digit(n2, n1, d);
  let n21 = (n2 << 16u) + n1 - q1 * d;
  let q0 = divide_digit(n21, n0, d);
  return vec2<u32>((q1 << 16u) + q0, ((n21 << 16u) + n0 - q0 * d) >> s);
}

// b is not 0.
fn quotient64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  var q = vec2<u32>(0u, 0u);
  if (b.y == 0u) {
    q.y = a.y / b.x;
    q.x = divide_word(a.y - q.y * b.x, a.x, b.x).x;
  } else {
    let s = countLeadingZeros(b.y);
    let half = shr_u64(a, 1u);
    let estimate = shr_u64(shl64(wide(divide_word(half.y, half.x, shl64(b, s).y).x), s), 31u);
    q.x = estimate.x - min(estimate.x, 1u);
    q.x += select(1u, 0u, lt_u64(sub64(a, mul64(q, b)), b));
  }
  return q;
}

fn negate64(a: vec2<u32>) -> vec2<u32> {
  return sub64(vec2<u32>(0u, 0u), a);
}

fn magnitude64(a: vec2<u32>) -> vec2<u32> {
  return select(a, negate64(a), (a.y >> 31u) != 0u);
}

fn nonzero64(b: vec2<u32>) -> vec2<u32> {
  let zero = (b.x | b.y) == 0u;
  stop_if(zero, STATUS_TRAP);
  return select(b, wide(1u), zero);
}

fn div_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return quotient64(a, nonzero64(b));
}

fn rem_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let d = nonzero64(b);
  return sub64(a, mul64(quotient64(a, d), d));
}

fn div_s64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let d = nonzero64(b);
  stop_if(((a.x | (a.y ^ 0x80000000u)) == 0u) & ((d.x & d.y) == 0xffffffffu), STATUS_TRAP);
  let q = quotient64(magnitude64(a), magnitude64(d));
  return select(q, negate64(q), ((a.y ^ d.y) >> 31u) != 0u);
}

fn rem_s64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let d = magnitude64(nonzero64(b));
  let m = magnitude64(a);
  let r = sub64(m, mul64(quotient64(m, d), d));
  return select(r, negate64(r), (a.y >> 31u) != 0u);
}

fn nonzero32(b: u32) -> u32 {
  stop_if(b == 0u, STATUS_TRAP);
  return select(b, 1u, b == 0u);
}

fn div_u32(a: u32, b: u32) -> u32 {
  return a / nonzero32(b);
}

fn rem_u32(a: u32, b: u32) -> u32 {
  return a % nonzero32(b);
}

fn magnitude32(a: u32) -> u32 {
  return select(a, 0u - a, (a >> 31u) != 0u);
}

fn div_s32(a: u32, b: u32) -> u32 {
  let d = nonzero32(b);
  stop_if((a == 0x80000000u) & (d == 0xffffffffu), STATUS_TRAP);
  let q = magnitude32(a) / magnitude32(d);
  return select(q, 0u - q, ((a ^ d) >> 31u) != 0u);
}

fn rem_s32(a: u32, b: u32) -> u32 {
  let r = magnitude32(a) % magnitude32(nonzero32(b));
  return select(r, 0u - r, (a >> 31u) != 0u);
}
