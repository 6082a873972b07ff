// BIP340 verification of many signatures. The input is all messages, all keys and all signatures.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) {
    let keys = params.count * 32u;
    let valid = schnorr_valid(id.x * 32u, keys + id.x * 32u, 2u * keys + id.x * 64u);
    task_output[id.x] = select(0u, 1u, valid);
  }
}
