/** What rows of a batch must see in place of the state before the block. */
import { copyBytes } from '../../util/copy-bytes.js';
import { AT, HEAD, type RowOverrides, SharedWords, Words } from '../tasks/row-records.js';
import { NO_PREDICTION, type Predictions } from './predictions.js';
import type { RowTable } from './row-table.js';
import { NO_VERSION, type RowVersions } from './row-versions.js';

/**
 * Calls `put` for what `row` must see of the keys of its access set: what is predicted, or what the block has written
 * before it, from `start` to `end` of the state. Any other key is read as it was before the block. If any of that is
 * not so, it is found at the row's turn.
 */
export function eachOverride(
  row: number,
  table: RowTable,
  versions: RowVersions,
  predictions: Predictions | undefined,
  put: (key: number, start: number, end: number) => void,
): void {
  if (versions.isEmpty) {
    predictions?.each(row, put);
    return;
  }
  const { list } = table.words;
  const at = table.recordOf(row);
  const reads = list[at + AT.reads] + list[at + AT.declaredReads];
  const keys = reads + list[at + AT.writes] + list[at + AT.declaredWrites];
  for (let k = at + HEAD; k < at + HEAD + keys; k++) {
    const key = list[k];
    const prediction = predictions?.find(row, key) ?? NO_PREDICTION;
    if (predictions !== undefined && prediction !== NO_PREDICTION) {
      put(key, predictions.start(prediction), predictions.end(prediction));
      continue;
    }
    const version = versions.find(key, row);
    if (version !== NO_VERSION) put(key, versions.start(version), versions.end(version));
  }
}

const NO_WORDS = new Uint32Array(new SharedArrayBuffer(0));
const NO_BYTES = new Uint8Array(new SharedArrayBuffer(0));

/** The same for `rows`, as other threads can be told. */
export function overridesOf(
  rows: Uint32Array,
  table: RowTable,
  versions: RowVersions,
  predictions: Predictions | undefined,
): RowOverrides {
  const { state } = table;
  const ends = new Uint32Array(new SharedArrayBuffer(4 * rows.length));
  if (versions.isEmpty && (predictions?.isEmpty ?? true)) return { ends, words: NO_WORDS, bytes: NO_BYTES };
  const places = new SharedWords();
  const parts = new Words();
  let length = 0;
  const put = (key: number, start: number, end: number): void => {
    const from = parts.take(4);
    const [keyStart, keyEnd] = [state.keyStart(key), state.keyEnd(key)];
    parts.list[from] = keyStart;
    parts.list[from + 1] = keyEnd;
    parts.list[from + 2] = start;
    parts.list[from + 3] = end;
    const to = places.take(4);
    places.list[to] = length;
    length += keyEnd - keyStart;
    places.list[to + 1] = length;
    places.list[to + 2] = length;
    length += end - start;
    places.list[to + 3] = length;
  };
  for (let i = 0; i < rows.length; i++) {
    eachOverride(rows[i], table, versions, predictions, put);
    ends[i] = places.length;
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let i = 0, at = 0; i < parts.length; i += 2) {
    copyBytes(state.bytes, parts.list[i], parts.list[i + 1], bytes, at);
    at += parts.list[i + 1] - parts.list[i];
  }
  return { ends, words: places.view, bytes };
}
