// ECDSA verification of many signatures. The input is all digests, all keys (x and y), all signatures and a byte for
// each key that says of which kind it is.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) {
    let keys = params.count * 32u;
    let signatures = keys + params.count * 64u;
    let kinds = signatures + params.count * 64u;
    let kind = get32(kinds + id.x) & 0xffu;
    let valid = ecdsa_valid(id.x * 32u, keys + id.x * 64u, signatures + id.x * 64u, kind);
    task_output[id.x] = select(0u, 1u, valid);
  }
}
