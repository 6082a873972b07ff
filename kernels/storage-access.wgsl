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

fn key_equals(at: u32, length: u32, key_at: u32) -> bool {
  let words = length >> 2u;
  var equal = true;
  for (var i = 0u; i < words; i++) {
    if (get32(at + i * 4u) != input_state[key_at + i]) {
      equal = false;
      break;
    }
  }
  let rest = length & 3u;
  if (equal && rest != 0u) {
    equal = ((get32(at + words * 4u) ^ input_state[key_at + words]) & ((1u << (rest * 8u)) - 1u)) == 0u;
  }
  return equal;
}

// Index in access_lists of the record among `count` from `first` on that holds the key, or NONE.
// The table holds the records of all calls: one counts only if it lies in the range of this call.
fn find_access(first: u32, count: u32, at: u32, length: u32) -> u32 {
  var found = NONE;
  if (count != 0u) {
    let hash = hash_key(at, length);
    var slot = mix_hash(hash, first) & params.map_mask;
    loop {
      let entry = state_map[slot];
      if (entry == 0u || found != NONE) {
        break;
      }
      let record = entry - 1u;
      let base = record * ACCESS_WORDS;
      if (record >= first && record - first < count && access_lists[base + ACCESS_HASH] == hash && access_lists[base + ACCESS_KEY_BYTES] == length) {
        if (key_equals(at, length, access_lists[base + ACCESS_KEY_AT])) {
          found = record;
        }
      }
      slot = (slot + 1u) & params.map_mask;
    }
  }
  return found;
}

fn call_word(index: u32) -> u32 {
  return tx_payloads[call_index * CALL_WORDS + index];
}

// Record of a declared read, marked as touched; stops with ACCESS_VIOLATION and gives NONE if the key is not declared.
fn access_read(at: u32, length: u32) -> u32 {
  let first = call_word(CALL_FIRST_READ);
  let record = find_access(first, call_word(CALL_READS), at, length);
  if (record == NONE) {
    stop(STATUS_ACCESS_VIOLATION, 0u);
  } else {
    let index = record - first;
    status_flags.words[call_word(CALL_TOUCHED_AT) + (index >> 5u)] |= 1u << (index & 31u);
  }
  return record;
}

fn access_write(at: u32, length: u32) {
  if (find_access(call_word(CALL_FIRST_WRITE), call_word(CALL_WRITES), at, length) == NONE) {
    stop(STATUS_ACCESS_VIOLATION, 0u);
  }
}

fn access_value_bytes(record: u32) -> u32 {
  let bytes = access_lists[record * ACCESS_WORDS + ACCESS_VALUE_BYTES];
  return select(bytes, 0u, bytes == NONE);
}
