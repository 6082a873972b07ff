// LEB128 numbers of more than one byte.

/** The byte behind the number that was read last. */
export let after: usize = 0;

/** No number was read: what follows is at `at`. */
@inline
export function stay(at: usize): void {
  after = at;
}

/** The unsigned number at `at`, of up to 32 bits. */
export function longU32(at: usize): u32 {
  let value: u32 = 0;
  for (let shift: u32 = 0; ; shift += 7) {
    const byte: u32 = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  after = at;
  return value;
}

/** The signed number at `at`, of up to 64 bits. */
export function longI64(at: usize): i64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  let byte: u64;
  do {
    byte = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  after = at;
  return shift < 64 && byte & 0x40 ? <i64>(value | (<u64>-1 << shift)) : <i64>value;
}

/** Bits of the bytes of a number that another one follows. */
const FOLLOWED: u64 = 0x8080808080808080;

/** The byte behind the number at `at`, whatever it is. Reads up to eight bytes behind it. */
@inline
export function skipped(at: usize): usize {
  return load<u8>(at) < 0x80 ? at + 1 : skippedLong(at);
}

function skippedLong(at: usize): usize {
  const lasts = ~load<u64>(at) & FOLLOWED;
  if (lasts !== 0) return at + ((<usize>ctz(lasts) >> 3) + 1);
  at += 8;
  while (load<u8>(at) >= 0x80) at++;
  return at + 1;
}
