// Unsigned 128-bit numbers in memory: 16 bytes, little-endian, named by their address. Results may overlap operands.

/** Where the 256-bit product of the last multiplication lies. */
const PRODUCT: usize = memory.data(32, 8);
const QUOTIENT: usize = memory.data(32, 8);
// One limb more than the product: normalising shifts up to 31 bits out of the highest limb.
const NUMERATOR: usize = memory.data(40, 8);
const DENOMINATOR: usize = memory.data(16, 8);
const ONE: usize = memory.data<u64>([1, 0], 8);
const ZERO: usize = memory.data(16, 8);

/** The number 0, which must not be written to. */
export function zero(): usize {
  return ZERO;
}

/** The number 1, which must not be written to. */
export function one(): usize {
  return ONE;
}

/** Its lower 64 bits. */
@inline
export function low(at: usize): u64 {
  return load<u64>(at);
}

/** Its upper 64 bits. */
@inline
export function high(at: usize): u64 {
  return load<u64>(at, 8);
}

/** out = its two halves. */
@inline
export function set(out: usize, lowPart: u64, highPart: u64): void {
  store<u64>(out, lowPart);
  store<u64>(out, highPart, 8);
}

/** out = a. */
@inline
export function copy(out: usize, a: usize): void {
  set(out, low(a), high(a));
}

/** a = 0. */
@inline
export function isZero(a: usize): bool {
  return (low(a) | high(a)) == 0;
}

/** a = b. */
@inline
export function equal(a: usize, b: usize): bool {
  return ((low(a) ^ low(b)) | (high(a) ^ high(b))) == 0;
}

/** a < b. */
@inline
export function less(a: usize, b: usize): bool {
  return high(a) == high(b) ? low(a) < low(b) : high(a) < high(b);
}

/** out = a + b modulo 2^128. True if it did not fit. */
export function add(out: usize, a: usize, b: usize): bool {
  const aLow = low(a);
  const aHigh = high(a);
  const sumLow = aLow + low(b);
  const carry = <u64>(sumLow < aLow);
  const sumHigh = aHigh + high(b);
  const total = sumHigh + carry;
  set(out, sumLow, total);
  return sumHigh < aHigh || total < sumHigh;
}

/** out = a − b modulo 2^128. True if b > a. */
export function subtract(out: usize, a: usize, b: usize): bool {
  const borrowed = less(a, b);
  const aLow = low(a);
  const bLow = low(b);
  set(out, aLow - bLow, high(a) - high(b) - <u64>(aLow < bLow));
  return borrowed;
}

/** The 256-bit product a · b into PRODUCT, limb by limb of 32 bits: each step fits into 64. */
function multiplyWide(a: usize, b: usize): void {
  for (let i: usize = 0; i < 32; i += 8) store<u64>(PRODUCT + i, 0);
  for (let i: usize = 0; i < 16; i += 4) {
    const limb = <u64>load<u32>(a + i);
    let carry: u64 = 0;
    for (let j: usize = 0; j < 16; j += 4) {
      const at = PRODUCT + i + j;
      const sum = limb * <u64>load<u32>(b + j) + <u64>load<u32>(at) + carry;
      store<u32>(at, <u32>sum);
      carry = sum >> 32;
    }
    store<u32>(PRODUCT + i + 16, <u32>carry);
  }
}

/** out = a · b. False, and out untouched, if it does not fit into 128 bits. */
export function multiply(out: usize, a: usize, b: usize): bool {
  multiplyWide(a, b);
  if (!isZero(PRODUCT + 16)) return false;
  copy(out, PRODUCT);
  return true;
}

/** Number of 32-bit limbs of a nonzero denominator. */
function limbsOf(c: usize): u32 {
  let n: u32 = 4;
  while (n > 1 && load<u32>(c + ((n - 1) << 2)) == 0) n--;
  return n;
}

/** QUOTIENT = PRODUCT / c for one limb. Returns the remainder. */
function divideByLimb(divisor: u64): u64 {
  let rest: u64 = 0;
  for (let i: i32 = 28; i >= 0; i -= 4) {
    const part = (rest << 32) | <u64>load<u32>(PRODUCT + <usize>i);
    store<u32>(QUOTIENT + <usize>i, <u32>(part / divisor));
    rest = part % divisor;
  }
  return rest;
}

/** NUMERATOR and DENOMINATOR = PRODUCT and c, both shifted left until the denominator's highest bit is set. */
function normalise(c: usize, n: u32): void {
  const shift = <u64>clz(load<u32>(c + ((n - 1) << 2)));
  let carry: u64 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    const part = (<u64>load<u32>(PRODUCT + i) << shift) | carry;
    store<u32>(NUMERATOR + i, <u32>part);
    carry = part >> 32;
  }
  store<u32>(NUMERATOR + 32, <u32>carry);
  carry = 0;
  for (let i: u32 = 0; i < n; i++) {
    const part = (<u64>load<u32>(c + (i << 2)) << shift) | carry;
    store<u32>(DENOMINATOR + (i << 2), <u32>part);
    carry = part >> 32;
  }
}

/** One digit of the long division (Knuth, The Art of Computer Programming 4.3.1, algorithm D, steps D3 to D6). */
function quotientDigit(at: usize, n: u32): u32 {
  const topDigit = <u64>load<u32>(DENOMINATOR + ((n - 1) << 2));
  const nextDigit = <u64>load<u32>(DENOMINATOR + ((n - 2) << 2));
  const head = at + (n << 2);
  const part = (<u64>load<u32>(head) << 32) | <u64>load<u32>(head - 4);
  let guess = part / topDigit;
  let rest = part % topDigit;
  while (rest >> 32 == 0 && (guess >> 32 != 0 || guess * nextDigit > ((rest << 32) | <u64>load<u32>(head - 8)))) {
    guess--;
    rest += topDigit;
  }
  // Subtract guess · denominator. `borrow` is what the next limb still owes, at most 2^32.
  let borrow: u64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const limb = at + (i << 2);
    const take = guess * <u64>load<u32>(DENOMINATOR + (i << 2)) + borrow;
    const have = <u64>load<u32>(limb);
    store<u32>(limb, <u32>(have - take));
    borrow = (take >> 32) + <u64>(have < (take & 0xffffffff));
  }
  const have = <u64>load<u32>(head);
  store<u32>(head, <u32>(have - borrow));
  if (have < borrow) {
    // The guess was one too large: add the denominator back.
    guess--;
    let carry: u64 = 0;
    for (let i: u32 = 0; i < n; i++) {
      const limb = at + (i << 2);
      const sum = <u64>load<u32>(limb) + <u64>load<u32>(DENOMINATOR + (i << 2)) + carry;
      store<u32>(limb, <u32>sum);
      carry = sum >> 32;
    }
    store<u32>(head, load<u32>(head) + <u32>carry);
  }
  return <u32>guess;
}

/** QUOTIENT = PRODUCT / c for c > 0. True if the division leaves a remainder. */
function divideWide(c: usize): bool {
  const n = limbsOf(c);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(QUOTIENT + i, 0);
  if (n == 1) return divideByLimb(<u64>load<u32>(c)) != 0;
  normalise(c, n);
  for (let j: i32 = <i32>((8 - n) << 2); j >= 0; j -= 4) {
    store<u32>(QUOTIENT + <usize>j, quotientDigit(NUMERATOR + <usize>j, n));
  }
  let rest: u32 = 0;
  for (let i: u32 = 0; i < n; i++) rest |= load<u32>(NUMERATOR + (i << 2));
  return rest != 0;
}

/**
 * out = ⌊a · b / c⌋, or ⌈a · b / c⌉ if `up`, exact. False, and out untouched, if c is 0 or the result exceeds 128 bits.
 */
export function multiplyDivide(out: usize, a: usize, b: usize, c: usize, up: bool): bool {
  if (isZero(c)) return false;
  multiplyWide(a, b);
  const inexact = divideWide(c);
  if (!isZero(QUOTIENT + 16)) return false;
  if (up && inexact && add(QUOTIENT, QUOTIENT, ONE)) return false;
  copy(out, QUOTIENT);
  return true;
}
