// Finds the keys that a program names among the declared keys of its call, reads values and applies a message's writes.

fn hash_key(at: u32, length: u32) -> u32 {
  var h = params.seed ^ (length * 0x9e3779b1u);
  for (var i = 0u; i < length; i += 4u) {
    let left = length - i;
    let mask = select(0xffffffffu, (1u << ((left & 3u) * 8u)) - 1u, left < 4u);
    h = (h ^ (get32(at + i) & mask)) * 0x85ebca6bu;
    h ^= h >> 15u;
  }
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

fn call_word(index: u32) -> u32 {
  return tx_payloads[call_index * CALL_WORDS + index];
}

// Index in access_lists of the call's entry for the key that has all of `flags`, or NONE. The entries are sorted by
// hash. Each iteration of the one loop does one of three things: halve the range, take the next entry of that hash,
// compare the next word of its key.
fn find_access(at: u32, length: u32, flags: u32) -> u32 {
  let hash = hash_key(at, length);
  let end = call_word(CALL_FIRST_ACCESS) + call_word(CALL_ACCESSES);
  var low = call_word(CALL_FIRST_ACCESS);
  var high = end;
  var found = NONE;
  var key_at = 0u;
  var compared = 0u;
  var comparing = false;
  var done = low == end;
  loop {
    if (done) {
      break;
    }
    if (low < high) {
      let middle = (low + high) >> 1u;
      let before = access_lists[middle * ACCESS_WORDS + ACCESS_HASH] < hash;
      low = select(low, middle + 1u, before);
      high = select(middle, high, before);
      done = low == end;
    } else if (comparing) {
      let left = length - compared;
      let mask = select(0xffffffffu, (1u << ((left & 3u) * 8u)) - 1u, left < 4u);
      comparing = ((get32(at + compared) ^ input_state[key_at + (compared >> 2u)]) & mask) == 0u;
      compared += 4u;
      let same = comparing & (compared >= length);
      found = select(found, low, same);
      low += select(1u, 0u, comparing);
      high = low;
      done = same | (low == end);
    } else {
      let slot = access_lists[low * ACCESS_WORDS + ACCESS_SLOT];
      let base = (slot & MAX_SLOTS) * SLOT_WORDS;
      let candidate = access_lists[low * ACCESS_WORDS + ACCESS_HASH] == hash;
      let fits = candidate & ((slot & flags) == flags) & (state_map[base + SLOT_KEY_BYTES] == length);
      key_at = state_map[base + SLOT_KEY_AT];
      compared = 0u;
      found = select(found, low, fits & (length == 0u));
      comparing = fits & (length != 0u);
      low += select(1u, 0u, comparing);
      high = low;
      done = !candidate | (found != NONE) | (low == end);
    }
  }
  return found;
}

fn slot_of(access: u32) -> u32 {
  return access_lists[access * ACCESS_WORDS + ACCESS_SLOT] & MAX_SLOTS;
}

// Address of the value of a declared read, NONE if it is absent; stops with ACCESS_VIOLATION if the key is not
// declared. Every read is reported, with the address of the value that it got.
fn access_read(at: u32, length: u32) -> u32 {
  let access = find_access(at, length, KEY_READ);
  stop_if(access == NONE, STATUS_ACCESS_VIOLATION);
  let index = select(access, 0u, access == NONE);
  let value = state_map[slot_of(index) * SLOT_WORDS + SLOT_VALUE];
  if (st == 0u) {
    status_flags[params.seen_at + index] = value;
  }
  return value;
}

// For a key that the program declares without reading or writing it: stops unless it is in the declared set.
fn access_declared(at: u32, length: u32, flags: u32) {
  stop_if(find_access(at, length, flags) == NONE, STATUS_ACCESS_VIOLATION);
}

// Word `index` of the buffer that the address `place` points into.
fn value_source(place: u32, index: u32) -> u32 {
  var word = 0u;
  if ((place & WRITTEN_ADDRESS) == 0u) {
    word = input_state[index];
  } else {
    word = output_state[index];
  }
  return word;
}

// Four bytes at an address of any alignment, in the buffer that `place` points into.
fn value_word(place: u32, at: u32) -> u32 {
  let byte = at & ~WRITTEN_ADDRESS;
  let index = byte >> 2u;
  return funnel(value_source(place, index), value_source(place, index + 1u), byte);
}

fn value_bytes(value: u32) -> u32 {
  let absent = value == NONE;
  return select(value_word(value, select(value - 4u, 4u, absent)), 0u, absent);
}

// The price of the result at `pointer`, and where its storage map begins; (NONE, 0) for a result that will be REJECTED.
// The sum is below 2^32 for any result that fits into memory.
fn find_map(pointer: u32, length: u32) -> vec2<u32> {
  var broken = length < 20u || (get32(pointer + 4u) | get32(pointer + 8u) | get32(pointer + 12u)) != 0u;
  let transfers = get32(pointer);
  broken = broken || transfers > min(length / 48u, MAX_TRANSFERS);
  let start = select(16u + transfers * 48u, 0u, broken);
  broken = broken || start > length || length - start < 4u;
  let entries = select(get32(pointer + start), 0u, broken);
  broken = broken || entries > MAX_MAP_ENTRIES;
  var at = start + 4u;
  // A key, then a value, then the next key: 2 fields per entry.
  for (var i = 0u; i < entries * 2u && !broken; i++) {
    broken = length - at < 4u;
    let bytes = select(get32(pointer + at), 0u, broken);
    at += 4u;
    broken = broken || bytes > length - at || ((i & 1u) == 0u && bytes > MAX_KEY_BYTES);
    at += select(bytes, 0u, broken);
  }
  let map_fuel = FUEL_MAP_BYTE * (at - start) + FUEL_MAP_ENTRY * entries;
  let rest = FUEL_TRANSFER * transfers + (length - at + DATA_BYTES_PER_FUEL - 1u) / DATA_BYTES_PER_FUEL;
  return select(vec2<u32>(map_fuel + rest, start), vec2<u32>(NONE, 0u), broken);
}

// Applies the storage map of the result, so that later messages of the block read its values; the result lies at word
// `out` of output_state. Stops with ACCESS_VIOLATION at a key outside the declared write set. A result that will be
// REJECTED (it is malformed, or the fuel left does not pay for its map) writes nothing.
fn apply_writes(pointer: u32, length: u32, out: u32) {
  let map = find_map(pointer, length);
  if (map.x != NONE) {
    let paid = map.x <= w_fuel;
    let entries = get32(pointer + map.y);
    var at = map.y + 4u;
    for (var i = 0u; i < entries && st == 0u; i++) {
      let key_bytes = get32(pointer + at);
      let value_at = at + 8u + key_bytes;
      let access = find_access(pointer + at + 4u, key_bytes, KEY_WRITTEN);
      stop_if(access == NONE, STATUS_ACCESS_VIOLATION);
      if (paid && st == 0u) {
        state_map[slot_of(access) * SLOT_WORDS + SLOT_VALUE] = WRITTEN_ADDRESS | (out * 4u + value_at);
      }
      at = value_at + get32(pointer + value_at - 4u);
    }
  }
}
