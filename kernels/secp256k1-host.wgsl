// The host function over secp256k1.wgsl.

fn host_schnorr_verify(message: u32, key: u32, signature: u32) -> u32 {
  var valid = false;
  if (st == 0u) {
    let message_at = read_exactly(message, 32u);
    let key_at = read_exactly(key, 32u);
    let signature_at = read_exactly(signature, 64u);
    charge(FUEL_SCHNORR_VERIFY);
    if (st == 0u) {
      valid = schnorr_valid(message_at, key_at, signature_at);
    }
  }
  return select(0u, 1u, valid);
}
