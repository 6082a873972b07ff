// Loads and stores.

/** Bytes that each moves, by opcode from 0x28 on. */
const WIDTHS: usize = memory.data<u8>([
  4, 8, 0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 0, 0, 1, 2, 1, 2, 4,
]);

/**
 * Load or store `op`, with its operands below `top`, of a memory of `bytes` bytes at `memoryAt`; gives the new top.
 * `offset` is that of the instruction.
 */
@inline
export function access(op: u32, offset: u32, top: usize, memoryAt: usize, bytes: u64): usize {
  // Loads leave their result where the address was.
  const base = op >= 0x36 ? top - 16 : top - 8;
  const address = <u64>load<u32>(base) + offset;
  if (address + load<u8>(WIDTHS + op - 0x28) > bytes) unreachable();
  const place = memoryAt + <usize>address;
  switch (op) {
    case 0x28: // i32.load
      store<u32>(base, load<u32>(place));
      return top;
    case 0x29: // i64.load
      store<u64>(base, load<u64>(place));
      return top;
    case 0x2c: // i32.load8_s
      store<i32>(base, <i32>load<i8>(place));
      return top;
    case 0x2d: // i32.load8_u
      store<u32>(base, <u32>load<u8>(place));
      return top;
    case 0x2e: // i32.load16_s
      store<i32>(base, <i32>load<i16>(place));
      return top;
    case 0x2f: // i32.load16_u
      store<u32>(base, <u32>load<u16>(place));
      return top;
    case 0x30: // i64.load8_s
      store<i64>(base, <i64>load<i8>(place));
      return top;
    case 0x31: // i64.load8_u
      store<u64>(base, <u64>load<u8>(place));
      return top;
    case 0x32: // i64.load16_s
      store<i64>(base, <i64>load<i16>(place));
      return top;
    case 0x33: // i64.load16_u
      store<u64>(base, <u64>load<u16>(place));
      return top;
    case 0x34: // i64.load32_s
      store<i64>(base, <i64>load<i32>(place));
      return top;
    case 0x35: // i64.load32_u
      store<u64>(base, <u64>load<u32>(place));
      return top;
    case 0x36: // i32.store
      store<u32>(place, load<u32>(base, 8));
      return base;
    case 0x37: // i64.store
      store<u64>(place, load<u64>(base, 8));
      return base;
    case 0x3a: // i32.store8
      store<u8>(place, load<u8>(base, 8));
      return base;
    case 0x3b: // i32.store16
      store<u16>(place, load<u16>(base, 8));
      return base;
    case 0x3c: // i64.store8
      store<u8>(place, load<u8>(base, 8));
      return base;
    case 0x3d: // i64.store16
      store<u16>(place, load<u16>(base, 8));
      return base;
    default: // i64.store32
      store<u32>(place, load<u32>(base, 8));
      return base;
  }
}
