// ECDSA verification over secp256k1.wgsl, whose field program checks the sum of points that the two scalars give. The
// data also holds a program of multiplications modulo n (src/gpu/intrinsics/secp256k1/order.ts).

// y of an uncompressed key. The split of the scalars writes here later.
const WHOLE_Y = ODD_S;

fn scalar_is_zero(at: u32) -> bool {
  var any = 0u;
  for (var i = 0u; i < 8u; i++) {
    any |= scalars[at + i];
  }
  return any == 0u;
}

// The number below 2 n whose 20 limbs are in `element`, reduced below n.
fn order_store(to: u32, element: u32) {
  for (var i = 0u; i < 9u; i++) {
    scalars[to + i] = 0u;
  }
  for (var i = 0u; i < SCHNORR_LIMBS; i++) {
    let limb = (fe[element][i >> 2u][(i >> 1u) & 1u] >> ((i & 1u) * 16u)) & 0xffffu;
    let word = to + ((13u * i) >> 5u);
    let shift = (13u * i) & 31u;
    scalars[word] |= limb << shift;
    scalars[word + 1u] |= (limb >> 1u) >> (31u - shift);
  }
  if ((scalars[to + 8u] != 0u) | !scalar_below(to, SCHNORR_ORDER_AT)) {
    scalar_subtract(to, to, false);
    scalars[to + 8u] = 0u;
  }
}

// WHOLE_S = z / s and WHOLE_E = r / s modulo n, from s in WHOLE_S, z in WHOLE_E and r.
fn scalars_of_signature() {
  if (!scalar_below(WHOLE_E, SCHNORR_ORDER_AT)) {
    scalar_subtract(WHOLE_E, WHOLE_E, false);
  }
  field_load(ORDER_S, WHOLE_S);
  field_load(ORDER_R, WHOLE_R);
  field_load(ORDER_Z, WHOLE_E);
  for (var i = 0u; i < SCHNORR_ELEMENT_WORDS; i++) {
    fe[ORDER_SQUARED][i >> 1u][i & 1u] = program_data[SCHNORR_MONTGOMERY_AT + i];
  }
  var at = SCHNORR_SCALAR_CODE_AT;
  loop {
    let fields = program_data[at];
    if (fields == 0u) {
      break;
    }
    order_multiply(fields & 63u, (fields >> 6u) & 63u, (fields >> 12u) & 63u, fields >> 18u);
    at += 1u;
  }
  order_store(WHOLE_S, ORDER_U1);
  order_store(WHOLE_E, ORDER_U2);
}

// Addresses of a digest of 32 bytes, of a key's x and y, and of a signature of 64 bytes; `kind`: 2 and 3 for a key of
// which only x and the parity of y are known, 4 for one with both, anything else for what is no key.
fn ecdsa_valid(digest: u32, key: u32, signature: u32, kind: u32) -> bool {
  scalar_load(WHOLE_R, signature);
  scalar_load(WHOLE_S, signature + 32u);
  scalar_load(WHOLE_KEY, key);
  var valid = (kind >= 2u)
    & (kind <= 4u)
    & scalar_below(WHOLE_R, SCHNORR_ORDER_AT)
    & scalar_below(WHOLE_S, SCHNORR_ORDER_AT)
    & scalar_below(WHOLE_KEY, SCHNORR_FIELD_AT)
    & !scalar_is_zero(WHOLE_R)
    & !scalar_is_zero(WHOLE_S);
  if (valid & (kind == 4u)) {
    scalar_load(WHOLE_Y, key + 32u);
    valid = scalar_below(WHOLE_Y, SCHNORR_FIELD_AT) & !scalar_is_zero(WHOLE_Y);
  }
  if (valid) {
    scalar_load(WHOLE_E, digest);
    scalars_of_signature();
    field_load(SCHNORR_INPUT_R, WHOLE_R);
    field_load(SCHNORR_INPUT_KEY, WHOLE_KEY);
    // All zero for a compressed key.
    field_load(SCHNORR_INPUT_Y, WHOLE_Y);
    lifted_parity = select(kind & 1u, scalars[WHOLE_Y] & 1u, kind == 4u);
    scalars_split();
    valid = field_run();
  }
  return valid;
}
