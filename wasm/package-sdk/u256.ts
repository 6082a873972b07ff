// Unsigned 256-bit numbers in memory: 32 bytes, little-endian, named by their address. Results may overlap operands.
import * as u128 from './u128';

const BYTES: u32 = 32;
const ZERO: usize = memory.data(32, 8);
const PRODUCT: usize = memory.data(64, 8);
const REST: usize = memory.data(32, 8);
const QUOTIENT: usize = memory.data(32, 8);

/** The number 0, which must not be written to. */
export function zero(): usize {
  return ZERO;
}

/** out = a. */
export function copy(out: usize, a: usize): void {
  memory.copy(out, a, BYTES);
}

/** out = the number of 64 bits. */
export function set(out: usize, value: u64): void {
  memory.fill(out, 0, BYTES);
  store<u64>(out, value);
}

/** out = the 16-byte number `a`. */
export function fromU128(out: usize, a: usize): void {
  const low = u128.low(a);
  const high = u128.high(a);
  set(out, low);
  store<u64>(out, high, 8);
}

/** The 16 bytes of `out` = a. False, and `out` untouched, if it does not fit. */
export function toU128(out: usize, a: usize): bool {
  if (!u128.isZero(a + 16)) return false;
  u128.copy(out, a);
  return true;
}

/** a = 0. */
export function isZero(a: usize): bool {
  return u128.isZero(a) && u128.isZero(a + 16);
}

/** a = b. */
export function equal(a: usize, b: usize): bool {
  return u128.equal(a, b) && u128.equal(a + 16, b + 16);
}

/** a < b. */
export function less(a: usize, b: usize): bool {
  return u128.equal(a + 16, b + 16) ? u128.less(a, b) : u128.less(a + 16, b + 16);
}

/** out = a + b modulo 2^256. True if it did not fit. */
export function add(out: usize, a: usize, b: usize): bool {
  let carry: u64 = 0;
  for (let i: usize = 0; i < BYTES; i += 8) {
    const left = load<u64>(a + i);
    const sum = left + load<u64>(b + i);
    const total = sum + carry;
    carry = <u64>(sum < left) | <u64>(total < sum);
    store<u64>(out + i, total);
  }
  return carry != 0;
}

/** out = a − b modulo 2^256. True if b > a. */
export function subtract(out: usize, a: usize, b: usize): bool {
  let borrow: u64 = 0;
  for (let i: usize = 0; i < BYTES; i += 8) {
    const left = load<u64>(a + i);
    const right = load<u64>(b + i);
    const difference = left - right;
    store<u64>(out + i, difference - borrow);
    borrow = <u64>(left < right) | <u64>(difference < borrow);
  }
  return borrow != 0;
}

/** out = a · b. False, and `out` untouched, if it does not fit into 256 bits. */
export function multiply(out: usize, a: usize, b: usize): bool {
  memory.fill(PRODUCT, 0, 2 * BYTES);
  for (let i: usize = 0; i < BYTES; i += 4) {
    const limb = <u64>load<u32>(a + i);
    let carry: u64 = 0;
    for (let j: usize = 0; j < BYTES; j += 4) {
      const at = PRODUCT + i + j;
      const sum = limb * <u64>load<u32>(b + j) + <u64>load<u32>(at) + carry;
      store<u32>(at, <u32>sum);
      carry = sum >> 32;
    }
    store<u32>(PRODUCT + i + BYTES, <u32>carry);
  }
  if (!isZero(PRODUCT + BYTES)) return false;
  copy(out, PRODUCT);
  return true;
}

/** quotient = ⌊a / b⌋, rest = a − quotient · b, two places. False, and both untouched, if b is 0. */
export function divide(quotient: usize, rest: usize, a: usize, b: usize): bool {
  if (isZero(b)) return false;
  memory.fill(REST, 0, BYTES);
  memory.fill(QUOTIENT, 0, BYTES);
  for (let bit: i32 = 255; bit >= 0; bit--) {
    const word = <usize>(bit >> 6) << 3;
    const shift = <u64>(bit & 63);
    // What is shifted out of the rest would be a 257th bit: then it is not less than b.
    const isOver = add(REST, REST, REST);
    store<u64>(REST, load<u64>(REST) | ((load<u64>(a + word) >> shift) & 1));
    if (isOver || !less(REST, b)) {
      subtract(REST, REST, b);
      store<u64>(QUOTIENT + word, load<u64>(QUOTIENT + word) | ((<u64>1) << shift));
    }
  }
  copy(quotient, QUOTIENT);
  copy(rest, REST);
  return true;
}
