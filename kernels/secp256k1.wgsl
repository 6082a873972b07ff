// BIP340 verification, and what of it ECDSA has as well. The data holds a program of field operations
// (src/gpu/intrinsics/secp256k1/program.ts); this is the loop that runs it. The curve arithmetic is all in the program,
// so a kernel contains only one multiplication and one squaring, and compiles fast.

// Numbers of 32-bit words, lowest first, each followed by a zero word. Picks of the program and range checks read them.
const HALF_1 = 0u;
const HALF_2 = 6u;
const ODD_S = 12u;
const WHOLE_S = 21u;
const WHOLE_E = 30u;
const WHOLE_R = 39u;
const WHOLE_KEY = 48u;
var<private> scalars: array<u32, 57>;
// Signs of the two halves of e and of s.
var<private> scalar_signs: array<bool, 3>;
// Which of the two y of the key's x is taken: 1 for the odd one.
var<private> lifted_parity: u32;
// 16-bit digits: e, two products, the two halves. Also the limbs of an element while it is reduced.
const PRODUCT_1 = SCHNORR_SCALAR_DIGITS;
const PRODUCT_2 = PRODUCT_1 + 2u * SCHNORR_SCALAR_DIGITS;
const HALVES = PRODUCT_2 + 2u * SCHNORR_SCALAR_DIGITS;
var<private> digits: array<u32, HALVES + 2u * SCHNORR_HALF_DIGITS>;

// Whether the number of 8 words at `at` is below the one in the data.
fn scalar_below(at: u32, bound_at: u32) -> bool {
  var borrow = 0u;
  for (var i = 0u; i < 8u; i++) {
    let a = scalars[at + i];
    let b = program_data[bound_at + i];
    borrow = select(0u, 1u, (a < b) | ((a == b) & (borrow != 0u)));
  }
  return borrow != 0u;
}

// to = n - source, or source - n, modulo 2^256.
fn scalar_subtract(to: u32, source: u32, turned: bool) {
  var borrow = 0u;
  for (var i = 0u; i < 8u; i++) {
    let n = program_data[SCHNORR_ORDER_AT + i];
    let a = select(scalars[source + i], n, turned);
    let b = select(n, scalars[source + i], turned);
    scalars[to + i] = a - b - borrow;
    borrow = select(0u, 1u, (a < b) | ((a == b) & (borrow != 0u)));
  }
}

// Big-endian number of 32 bytes in linear memory.
fn scalar_load(to: u32, at: u32) {
  for (var i = 0u; i < 8u; i++) {
    scalars[to + i] = swap_bytes(get32(at + 28u - 4u * i));
  }
}

fn scalar_bits(at: u32, position: u32, count: u32) -> u32 {
  let word = at + (position >> 5u);
  let shift = position & 31u;
  let both = (scalars[word] >> shift) | ((scalars[word + 1u] << 1u) << (31u - shift));
  return both & ((1u << count) - 1u);
}

// The element whose 8 words are at `source`.
fn field_load(element: u32, source: u32) {
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    let low = scalar_bits(source, 26u * i, 13u);
    // The last limb has 9 bits; nothing follows the zero word.
    let high = scalar_bits(source, 26u * i + 13u, 13u);
    fe[element][i >> 1u][i & 1u] = low | (high << 16u);
  }
}

// e = SHA-256 of tag, tag, r, key and message, modulo n.
fn scalar_challenge(message: u32) {
  sha_start();
  for (var block = 0u; block < 3u; block++) {
    for (var i = 0u; i < 16u; i++) {
      var word = program_data[SCHNORR_TAG_AT + i];
      if (block == 1u) {
        word = scalars[select(WHOLE_KEY + 15u, WHOLE_R + 7u, i < 8u) - i];
      }
      if (block == 2u) {
        let padding = select(0u, 0x80000000u, i == 8u) | select(0u, 160u * 8u, i == 15u);
        word = select(padding, swap_bytes(get32(message + 4u * min(i, 7u))), i < 8u);
      }
      sha_words[i] = word;
    }
    sha_block();
  }
  for (var i = 0u; i < 8u; i++) {
    scalars[WHOLE_E + i] = sha_state[7u - i];
  }
  if (!scalar_below(WHOLE_E, SCHNORR_ORDER_AT)) {
    scalar_subtract(WHOLE_E, WHOLE_E, false);
  }
}

// The digits at `to` (`room` of them) += those at `a` (`a_count`) times the `b_count` in the data.
fn digits_multiply(to: u32, room: u32, a: u32, a_count: u32, b_at: u32, b_count: u32) {
  for (var i = 0u; i < a_count; i++) {
    var carry = 0u;
    let count = min(b_count, room - i);
    for (var j = 0u; j < count; j++) {
      let sum = digits[a + i] * program_data[b_at + j] + digits[to + i + j] + carry;
      digits[to + i + j] = sum & 0xffffu;
      carry = sum >> 16u;
    }
    if (i + count < room) {
      digits[to + i + count] = carry;
    }
  }
}

// Splits e into two odd halves of less than 132 bits and makes s odd; the signs are kept separately.
fn scalars_split() {
  for (var i = 0u; i < HALVES + 2u * SCHNORR_HALF_DIGITS; i++) {
    digits[i] = 0u;
  }
  for (var i = 0u; i < SCHNORR_SCALAR_DIGITS; i++) {
    let digit = (scalars[WHOLE_E + (i >> 1u)] >> ((i & 1u) * 16u)) & 0xffffu;
    digits[i] = digit;
    digits[HALVES + min(i, SCHNORR_HALF_DIGITS)] = digit;
  }
  digits[HALVES + SCHNORR_HALF_DIGITS] = 0u;
  for (var job = 0u; job < 6u; job++) {
    let first = job < 2u;
    let part = (job - 2u) >> 1u;
    let which = job & 1u;
    let product = select(PRODUCT_1, PRODUCT_2, which != 0u);
    digits_multiply(
      select(HALVES + part * SCHNORR_HALF_DIGITS, product, first),
      select(SCHNORR_HALF_DIGITS, 2u * SCHNORR_SCALAR_DIGITS, first),
      select(product + 24u, 0u, first),
      select(8u, SCHNORR_SCALAR_DIGITS, first),
      select(
        SCHNORR_VECTORS_AT + (job - 2u) * SCHNORR_HALF_DIGITS,
        select(SCHNORR_SPLIT_1_AT, SCHNORR_SPLIT_2_AT, which != 0u),
        first,
      ),
      select(SCHNORR_HALF_DIGITS, SCHNORR_SCALAR_DIGITS, first),
    );
  }
  let fix = (1u - (digits[HALVES] & 1u)) + 2u * (1u - (digits[HALVES + SCHNORR_HALF_DIGITS] & 1u));
  for (var half = 0u; half < 2u; half++) {
    let at = HALVES + half * SCHNORR_HALF_DIGITS;
    let fix_at = SCHNORR_FIXES_AT + (2u * fix + half) * SCHNORR_HALF_DIGITS;
    var carry = 0u;
    for (var i = 0u; i < SCHNORR_HALF_DIGITS; i++) {
      let sum = digits[at + i] + program_data[fix_at + i] + carry;
      digits[at + i] = sum & 0xffffu;
      carry = sum >> 16u;
    }
    let negative = digits[at + SCHNORR_HALF_DIGITS - 1u] > 0x7fffu;
    scalar_signs[half] = negative;
    carry = select(0u, 1u, negative);
    for (var i = 0u; i < SCHNORR_HALF_DIGITS; i++) {
      let sum = (digits[at + i] ^ select(0u, 0xffffu, negative)) + carry;
      digits[at + i] = sum & 0xffffu;
      carry = sum >> 16u;
    }
    let to = select(HALF_1, HALF_2, half != 0u);
    for (var i = 0u; i < SCHNORR_HALF_DIGITS / 2u; i++) {
      scalars[to + i] = digits[at + 2u * i] | (digits[at + 2u * i + 1u] << 16u);
    }
    odd_digits(to, SCHNORR_KEY_DIGITS * SCHNORR_KEY_WINDOW_BITS);
  }
  let even = (scalars[WHOLE_S] & 1u) == 0u;
  scalar_signs[2] = even;
  for (var i = 0u; i < 8u; i++) {
    scalars[ODD_S + i] = scalars[WHOLE_S + i];
  }
  if (even) {
    scalar_subtract(ODD_S, WHOLE_S, true);
  }
  odd_digits(ODD_S, 256u);
}

// An odd number below 2^bits is the sum of +2^i where bit i of the result is set, -2^i where it is not.
fn odd_digits(at: u32, bits: u32) {
  let words = (bits + 31u) >> 5u;
  for (var i = 0u; i < words; i++) {
    let above = select(scalars[at + i + 1u], 0u, i + 1u == words);
    scalars[at + i] = (scalars[at + i] >> 1u) | (above << 31u);
  }
  scalars[at + words - 1u] |= 1u << ((bits - 1u) & 31u);
}

fn field_is_zero(element: u32) -> bool {
  var any = 0u;
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    any |= fe[element][i >> 1u][i & 1u];
  }
  return any == 0u;
}

fn field_equal(a: u32, b: u32) -> bool {
  var difference = 0u;
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    difference |= fe[a][i >> 1u][i & 1u] ^ fe[b][i >> 1u][i & 1u];
  }
  return difference == 0u;
}

// Reduces to [0, p). Twice, what exceeds 256 bits is folded in at the bottom; then p is subtracted if adding 2^256 - p
// reaches 2^256.
fn field_canonical(to: u32, element: u32) {
  for (var i = 0u; i < SCHNORR_LIMBS; i++) {
    digits[i] = (fe[element][i >> 2u][(i >> 1u) & 1u] >> ((i & 1u) * 16u)) & 0xffffu;
  }
  for (var step = 0u; step < 3u; step++) {
    let last = step == 2u;
    let target_at = select(0u, SCHNORR_LIMBS, last);
    let over = select(digits[SCHNORR_LIMBS - 1u] >> 9u, 1u, last);
    var carry = over * 977u;
    for (var i = 0u; i < SCHNORR_LIMBS; i++) {
      let limb = select(digits[i], digits[i] & 0x1ffu, (i == SCHNORR_LIMBS - 1u) & !last);
      carry += limb + select(0u, over << 6u, i == 2u);
      digits[target_at + i] = select(carry & 0x1fffu, carry, i == SCHNORR_LIMBS - 1u);
      carry = carry >> 13u;
    }
  }
  let reduced = (digits[2u * SCHNORR_LIMBS - 1u] >> 9u) != 0u;
  digits[2u * SCHNORR_LIMBS - 1u] &= 0x1ffu;
  let start = select(0u, SCHNORR_LIMBS, reduced);
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    fe[to][i >> 1u][i & 1u] = digits[start + 2u * i] | (digits[start + 2u * i + 1u] << 16u);
  }
}

// Puts the element that a pick selects (x of a point) into `first`, the other one (y), with its sign, into `second`.
fn field_pick(kind: u32, counter: u32, first: u32, second: u32, source: u32) {
  let in_data = kind == SCHNORR_PICK_GENERATOR;
  var x_at = source;
  var y_at = source;
  var negative = false;
  if (kind <= SCHNORR_PICK_GENERATOR) {
    let bits = select(SCHNORR_KEY_WINDOW_BITS, SCHNORR_COMB_BITS, in_data);
    let at = select(select(HALF_1, HALF_2, kind == SCHNORR_PICK_SECOND_HALF), ODD_S, in_data);
    let digit = scalar_bits(at, counter * bits, bits);
    let middle = 1u << (bits - 1u);
    let below = digit < middle;
    let entry = select(digit - middle, middle - 1u - digit, below);
    negative = below != scalar_signs[kind];
    let table = select(SCHNORR_TABLE_X, SCHNORR_TABLE_BETA_X, kind == SCHNORR_PICK_SECOND_HALF);
    x_at = select(table + entry, 2u * (counter * SCHNORR_COMB_TABLE + entry), in_data);
    y_at = select(SCHNORR_TABLE_Y + entry, x_at + 1u, in_data);
  } else if (kind == SCHNORR_PICK_NEGATE_TO_PARITY) {
    negative = (fe[source][0].x & 1u) != lifted_parity;
  } else {
    let entry = scalar_bits(WHOLE_S, counter, 1u) + 2u * scalar_bits(WHOLE_E, counter, 1u);
    x_at = SCHNORR_FALLBACK_TABLE + 3u * entry + select(0u, 2u, kind == SCHNORR_PICK_FALLBACK_Z);
    y_at = SCHNORR_FALLBACK_TABLE + 3u * entry + select(1u, 2u, kind == SCHNORR_PICK_FALLBACK_Z);
  }
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    var x = 0u;
    var y = 0u;
    if (in_data) {
      x = program_data[SCHNORR_COMB_AT + x_at * SCHNORR_ELEMENT_WORDS + i];
      y = program_data[SCHNORR_COMB_AT + y_at * SCHNORR_ELEMENT_WORDS + i];
    } else {
      x = fe[x_at][i >> 1u][i & 1u];
      y = fe[y_at][i >> 1u][i & 1u];
    }
    fe[first][i >> 1u][i & 1u] = x;
    fe[second][i >> 1u][i & 1u] = select(y, program_data[SCHNORR_MINUEND_AT + i] - y, negative);
  }
}

// Runs the program; returns whether every test holds.
fn field_run() -> bool {
  var valid = true;
  var running = true;
  var at = 0u;
  var counter = 0u;
  loop {
    if (!running) {
      break;
    }
    let code = SCHNORR_CODE_AT + at;
    let fields = program_data[code];
    let second = program_data[code + 1u];
    let operation = fields & 15u;
    let dst = (fields >> 4u) & 63u;
    let a = (fields >> 10u) & 63u;
    let b = (fields >> 16u) & 63u;
    at += SCHNORR_INSTRUCTION_WORDS;
    if (operation <= SCHNORR_OP_SUM) {
      field_math(operation, fields, second, code + 2u);
    } else if (operation == SCHNORR_OP_PICK) {
      field_pick(second, counter, dst, b, a);
    } else if (operation == SCHNORR_OP_LOOP) {
      at = select(at, second, counter != 0u);
      counter -= min(counter, 1u);
    } else if (operation == SCHNORR_OP_CANONICAL) {
      field_canonical(dst, a);
    } else if (operation == SCHNORR_OP_CONSTANT) {
      for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
        fe[dst][i >> 1u][i & 1u] = program_data[SCHNORR_DATA_AT + second + i];
      }
    } else if (operation == SCHNORR_OP_TEST) {
      if (second == SCHNORR_TEST_EQUAL) {
        valid = field_equal(a, b);
      } else if (second == SCHNORR_TEST_EVEN) {
        valid = (fe[a][0].x & 1u) == 0u;
      } else if (second == SCHNORR_TEST_SMALL_R) {
        valid = scalar_below(WHOLE_R, SCHNORR_FIELD_OVER_ORDER_AT);
      } else {
        valid = !field_is_zero(a);
      }
      running = valid;
    } else if (operation == SCHNORR_OP_SET_COUNTER) {
      counter = second;
    } else if (operation == SCHNORR_OP_JUMP_IF_ZERO) {
      at = select(at, second, field_is_zero(a));
    } else if (operation == SCHNORR_OP_JUMP) {
      at = second;
    } else {
      running = false;
    }
  }
  return valid;
}

// Addresses of message, key and signature, of 32, 32 and 64 bytes.
fn schnorr_valid(message: u32, key: u32, signature: u32) -> bool {
  scalar_load(WHOLE_R, signature);
  scalar_load(WHOLE_S, signature + 32u);
  scalar_load(WHOLE_KEY, key);
  var valid = scalar_below(WHOLE_R, SCHNORR_FIELD_AT)
    & scalar_below(WHOLE_S, SCHNORR_ORDER_AT)
    & scalar_below(WHOLE_KEY, SCHNORR_FIELD_AT);
  if (valid) {
    scalar_challenge(message);
    scalars_split();
    field_load(SCHNORR_INPUT_R, WHOLE_R);
    field_load(SCHNORR_INPUT_KEY, WHOLE_KEY);
    // The program computes with -P.
    lifted_parity = 1u;
    valid = field_run();
  }
  return valid;
}
