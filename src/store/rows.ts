/** Values of the columns `latest` and `history`: the height at which a value was written, u32 BE, and the value. */
import { newBytes, type RowAllocator } from '../util/row-bytes.js';
import { readBeU32, writeBeU32 } from './keys.js';

/** Bytes of the height in a row. */
export const HEIGHT_BYTES = 4;

export function latestRow(height: number, value: Uint8Array, allocate: RowAllocator = newBytes): Uint8Array {
  const row = allocate(HEIGHT_BYTES + value.length);
  writeBeU32(row, 0, height);
  row.set(value, HEIGHT_BYTES);
  return row;
}

/** The height at which the row's value was written. */
export function writtenAt(row: Uint8Array): number {
  return readBeU32(row, 0);
}

/** The row's value, copied. */
export function rowValue(row: Uint8Array): Uint8Array {
  return new Uint8Array(row.subarray(HEIGHT_BYTES));
}
