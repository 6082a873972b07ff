/** The context of a call of the common kind (alkanes-wire.md section 8), for the assets that the transaction spends. */
import { copyWords } from '../../util/words.js';
import type { LaneColumns } from './lane-columns.js';
import { SHEET_ENTRY } from './parcel.js';

/** Context bytes in front of the incoming assets, and where their count stands among them. */
const CONTEXT_HEAD = 96;
const COUNT_AT = 80;

/** Bytes of the context of `row`, which spends a sheet of `sheetBytes` bytes. */
export function callContextBytes({ contextStart, contextEnd }: LaneColumns, row: number, sheetBytes: number): number {
  return contextEnd[row] - contextStart[row] + sheetBytes;
}

/** Writes it to `to` at `at`. `contexts`: all of the columns. The sheet lies from `start` to `end` of `sheets`. */
export function writeCallContext(
  { contextStart, contextEnd }: LaneColumns,
  row: number,
  contexts: DataView,
  sheets: DataView,
  start: number,
  end: number,
  to: DataView,
  at: number,
): void {
  const inputs = contextStart[row] + CONTEXT_HEAD;
  const assets = end - start;
  copyWords(contexts, contextStart[row], inputs, to, at);
  to.setUint32(at + COUNT_AT, assets / SHEET_ENTRY, true);
  copyWords(sheets, start, end, to, at + CONTEXT_HEAD);
  copyWords(contexts, inputs, contextEnd[row], to, at + CONTEXT_HEAD + assets);
}
