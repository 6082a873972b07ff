/** Values of the columns `latest` and `history`: the height at which a value was written, u32 BE, and the value. */
import { copyBytes } from '../util/copy-bytes.js';
import { newBytes, type ReusedRow, type RowAllocator } from '../util/row-bytes.js';
import { copyWords } from '../util/words.js';
import { readBeU32, writeBeU32 } from './keys.js';

/** Bytes of the height in a row. */
export const HEIGHT_BYTES = 4;

export function latestRow(height: number, value: Uint8Array): Uint8Array {
  return latestRowAt(height, value, 0, value.length, newBytes);
}

/** As {@link latestRow}, of the value in `bytes` from `start` to `end`. */
export function latestRowAt(
  height: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  allocate: RowAllocator,
): Uint8Array {
  const row = allocate(HEIGHT_BYTES + end - start);
  writeBeU32(row, 0, height);
  copyBytes(bytes, start, end, row, HEIGHT_BYTES);
  return row;
}

/** As {@link latestRow}, of the value that `from` shows from `start` to `end`. */
export function latestRowIn(row: ReusedRow, height: number, from: DataView, start: number, end: number): Uint8Array {
  const out = row.of(HEIGHT_BYTES + end - start);
  writeBeU32(out, 0, height);
  copyWords(from, start, end, row.view, HEIGHT_BYTES);
  return out;
}

/** The height at which the row's value was written. */
export function writtenAt(row: Uint8Array): number {
  return readBeU32(row, 0);
}

/** The row's value, copied. */
export function rowValue(row: Uint8Array): Uint8Array {
  return new Uint8Array(row.subarray(HEIGHT_BYTES));
}

/** The same of a row that may not be there. */
export function valueIn(row: Uint8Array | undefined): Uint8Array | undefined {
  return row && rowValue(row);
}
