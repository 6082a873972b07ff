// Short byte strings: a call of the engine's own copy costs more than they do.

/** Copies `length` bytes between places that do not overlap. */
export function copy(to: usize, from: usize, length: u32): void {
  if (length < 8) {
    for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
    return;
  }
  const rest = <usize>length - 8;
  for (let i: usize = 0; i < rest; i += 8) store<u64>(to + i, load<u64>(from + i));
  // The last eight may overlap those before.
  store<u64>(to + rest, load<u64>(from + rest));
}

/** Whether `length` bytes are the same. */
export function same(a: usize, b: usize, length: u32): bool {
  if (length < 8) {
    for (let i: u32 = 0; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
    return true;
  }
  const rest = <usize>length - 8;
  for (let i: usize = 0; i < rest; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  return load<u64>(a + rest) == load<u64>(b + rest);
}
