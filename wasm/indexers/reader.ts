// Reads a serialised block. Anything that does not parse ends the run: a host provides valid blocks.

let at: usize = 0;
let end: usize = 0;

/** Begins to read at `from`, up to `to`. */
export function openReader(from: usize, to: usize): void {
  at = from;
  end = to;
}

/** Skips `size` bytes and returns where they begin. */
@inline
export function take(size: u64): usize {
  if (size > <u64>(end - at)) unreachable();
  const from = at;
  at += <usize>size;
  return from;
}

/** Continues at an earlier position. */
@inline
export function seek(to: usize): void {
  at = to;
}

@inline
export function position(): usize {
  return at;
}

/** Bytes that are left. */
@inline
export function remaining(): usize {
  return end - at;
}

/** A CompactSize number. */
export function takeCount(): u64 {
  const first = load<u8>(take(1));
  if (first < 0xfd) return <u64>first;
  if (first == 0xfd) return <u64>load<u16>(take(2));
  if (first == 0xfe) return <u64>load<u32>(take(4));
  return load<u64>(take(8));
}
