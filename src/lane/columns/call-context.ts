/** The context of a call of the common kind (alkanes-wire.md section 8), for the assets that the transaction spends. */
import { writeU32 } from '../../util/bytes.js';
import { copyBytes } from '../../util/copy-bytes.js';
import type { LaneColumns } from './lane-columns.js';
import { SHEET_ENTRY } from './parcel.js';

/** Context bytes in front of the incoming assets, and where their count stands among them. */
const CONTEXT_HEAD = 96;
const COUNT_AT = 80;

/** Bytes of the context of `row`, which spends a sheet of `sheetBytes` bytes. */
export function callContextBytes({ contextStart, contextEnd }: LaneColumns, row: number, sheetBytes: number): number {
  return contextEnd[row] - contextStart[row] + sheetBytes;
}

/** Writes it to `memory` at `at`; the sheet lies from `start` to `end` of `bytes`. */
export function writeCallContext(
  { contexts, contextStart, contextEnd }: LaneColumns,
  row: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  memory: Uint8Array,
  at: number,
): void {
  const inputs = contextStart[row] + CONTEXT_HEAD;
  const assets = end - start;
  copyBytes(contexts, contextStart[row], inputs, memory, at);
  writeU32(memory, at + COUNT_AT, assets / SHEET_ENTRY);
  copyBytes(bytes, start, end, memory, at + CONTEXT_HEAD);
  copyBytes(contexts, inputs, contextEnd[row], memory, at + CONTEXT_HEAD + assets);
}
