// a * b / c of 128 bits each over a product of 256 bits, in digits of 16 bits (Knuth, TAOCP 2, algorithm D).

// a, b and c have 8 digits each, from 0, 8 and 16 on. The product, later the remainder, is at MUL_DIV_REST, the
// quotient at MUL_DIV_QUOTIENT.
const MUL_DIV_REST = 24u;
const MUL_DIV_QUOTIENT = 41u;
var<private> mul_div: array<u32, 49>;

fn mul_div_load(digit: u32, at: u32) {
  for (var i = 0u; i < 4u; i++) {
    let word = get32(at + i * 4u);
    mul_div[digit + 2u * i] = word & 0xffffu;
    mul_div[digit + 2u * i + 1u] = word >> 16u;
  }
}

// Shifts `count` digits from `first` on up by less than 16 bits.
fn mul_div_shift(first: u32, count: u32, bits: u32) {
  var carry = 0u;
  for (var i = first; i < first + count; i++) {
    let shifted = (mul_div[i] << bits) | carry;
    mul_div[i] = shifted & 0xffffu;
    carry = shifted >> 16u;
  }
}

// Adds `factor` times c to the remainder at digit `at`, or subtracts it; returns the new digit above them, modulo 2^32.
fn mul_div_subtract(at: u32, factor: u32) -> u32 {
  var borrow = 0u;
  for (var i = 0u; i < 8u; i++) {
    let product = factor * mul_div[16u + i] + borrow;
    let difference = mul_div[at + i] + 0x10000u - (product & 0xffffu);
    mul_div[at + i] = difference & 0xffffu;
    borrow = (product >> 16u) + 1u - (difference >> 16u);
  }
  return mul_div[at + 8u] - borrow;
}

fn mul_div_add(at: u32) -> u32 {
  var carry = 0u;
  for (var i = 0u; i < 8u; i++) {
    let sum = mul_div[at + i] + mul_div[16u + i] + carry;
    mul_div[at + i] = sum & 0xffffu;
    carry = sum >> 16u;
  }
  return carry;
}

// Multiplies a by b; returns whether the quotient by c fits into 128 bits, which also means that c is not 0.
fn mul_div_multiply() -> bool {
  for (var i = MUL_DIV_REST; i < MUL_DIV_REST + 17u; i++) {
    mul_div[i] = 0u;
  }
  for (var i = 0u; i < 8u; i++) {
    var carry = 0u;
    for (var j = 0u; j < 8u; j++) {
      let at = MUL_DIV_REST + i + j;
      let sum = mul_div[i] * mul_div[8u + j] + mul_div[at] + carry;
      mul_div[at] = sum & 0xffffu;
      carry = sum >> 16u;
    }
    mul_div[MUL_DIV_REST + i + 8u] = carry;
  }
  // The upper half of the product must be below c.
  var borrow = 0u;
  for (var i = 0u; i < 8u; i++) {
    borrow = (mul_div[MUL_DIV_REST + 8u + i] - mul_div[16u + i] - borrow) >> 31u;
  }
  return borrow != 0u;
}

fn mul_div_divide() {
  // Normalise c: its top bit moves to the top of its digits, first by whole digits, then by bits.
  for (var i = 0u; i < 7u && mul_div[23] == 0u; i++) {
    for (var j = 23u; j > 16u; j--) {
      mul_div[j] = mul_div[j - 1u];
    }
    mul_div[16] = 0u;
    for (var j = MUL_DIV_REST + 16u; j > MUL_DIV_REST; j--) {
      mul_div[j] = mul_div[j - 1u];
    }
    mul_div[MUL_DIV_REST] = 0u;
  }
  let top = max(mul_div[23], 1u);
  let bits = countLeadingZeros(top) - 16u;
  mul_div_shift(16u, 8u, bits);
  mul_div_shift(MUL_DIV_REST, 17u, bits);
  for (var i = 0u; i < 8u; i++) {
    let digit = 7u - i;
    let at = MUL_DIV_REST + digit;
    // The estimate is never too small, and at most 2 too large.
    var quotient = min(((mul_div[at + 8u] << 16u) | mul_div[at + 7u]) / max(mul_div[23], 1u), 0xffffu);
    var above = mul_div_subtract(at, quotient);
    for (var j = 0u; j < 2u && above != 0u; j++) {
      quotient -= 1u;
      above += mul_div_add(at);
    }
    mul_div[at + 8u] = 0u;
    mul_div[MUL_DIV_QUOTIENT + digit] = quotient;
  }
}

fn host_u128_mul_div(a: u32, b: u32, c: u32, out: u32) -> u32 {
  var fits = 0u;
  if (st == 0u) {
    mul_div_load(0u, read_exactly(a, 16u));
    mul_div_load(8u, read_exactly(b, 16u));
    mul_div_load(16u, read_exactly(c, 16u));
    charge(FUEL_U128_MUL_DIV);
    check_output(out, 16u);
    if (st == 0u) {
      if (mul_div_multiply()) {
        mul_div_divide();
        put32(out - 4u, 16u);
        for (var i = 0u; i < 4u; i++) {
          put32(out + i * 4u, mul_div[MUL_DIV_QUOTIENT + 2u * i] | (mul_div[MUL_DIV_QUOTIENT + 2u * i + 1u] << 16u));
        }
        fits = 1u;
      }
    }
  }
  return fits;
}
