// Keys that the program names, found in the declared read or write set of its call.

fn mix_hash(hash: u32, first: u32) -> u32 {
  var h = hash ^ (first * 0x9e3779b1u);
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  return h ^ (h >> 15u);
}

fn hash_key(at: u32, length: u32) -> u32 {
  var h = params.seed;
  for (var i = 0u; i < length; i++) {
    h = (h ^ get8(at + i)) * 16777619u;
  }
  return h;
}

// Index in access_lists of the record among `count` from `first` on that holds the key, or NONE.
// The table holds the records of all calls: one counts only if it lies in the range of this call. One loop both probes
// the table and compares: `compared` is how far the key of the record in hand is compared, in bytes.
fn find_access(first: u32, count: u32, at: u32, length: u32) -> u32 {
  let hash = hash_key(at, length);
  var slot = mix_hash(hash, first) & params.map_mask;
  var record = NONE;
  var key_at = 0u;
  var done = count == 0u;
  var compared = 0u;
  var comparing = false;
  loop {
    if (done) {
      break;
    }
    if (comparing) {
      let left = length - compared;
      let mask = select(0xffffffffu, (1u << ((left & 3u) * 8u)) - 1u, left < 4u);
      comparing = ((get32(at + compared) ^ input_state[key_at + (compared >> 2u)]) & mask) == 0u;
      compared += 4u;
      done = comparing & (compared >= length);
    } else {
      record = state_map[slot] - 1u;
      slot = (slot + 1u) & params.map_mask;
      let base = select(record, 0u, record == NONE) * ACCESS_WORDS;
      key_at = access_lists[base + ACCESS_KEY_AT];
      compared = 0u;
      comparing = (record - first < count) & (access_lists[base + ACCESS_HASH] == hash) & (access_lists[base + ACCESS_KEY_BYTES] == length);
      done = (record == NONE) | (comparing & (length == 0u));
    }
  }
  return record;
}

fn call_word(index: u32) -> u32 {
  return tx_payloads[call_index * CALL_WORDS + index];
}

// Record of a declared read, marked as touched; stops with ACCESS_VIOLATION and gives NONE if the key is not declared.
fn access_read(at: u32, length: u32) -> u32 {
  let first = call_word(CALL_FIRST_READ);
  let record = find_access(first, call_word(CALL_READS), at, length);
  if (record == NONE) {
    stop(STATUS_ACCESS_VIOLATION);
  } else {
    let index = record - first;
    status_flags.words[call_word(CALL_TOUCHED_AT) + (index >> 5u)] |= 1u << (index & 31u);
  }
  return record;
}

fn access_write(at: u32, length: u32) {
  if (find_access(call_word(CALL_FIRST_WRITE), call_word(CALL_WRITES), at, length) == NONE) {
    stop(STATUS_ACCESS_VIOLATION);
  }
}

fn access_value_bytes(record: u32) -> u32 {
  let bytes = access_lists[record * ACCESS_WORDS + ACCESS_VALUE_BYTES];
  return select(bytes, 0u, bytes == NONE);
}
