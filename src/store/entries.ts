/** Listings of the state from rows of `latest` and `history`, in the order of the keys. */
import { compareBytes } from '../util/bytes.js';
import type { Row } from './database.js';
import { parseHistoryKey, readBeU32 } from './keys.js';
import { rowValue, writtenAt } from './rows.js';

export type Entry = readonly [key: Uint8Array, value: Uint8Array];

type Rows = Generator<Row, void, void>;

/** Rows of which the first was fetched, so that they are those of that moment. */
export interface BegunRows {
  readonly first: IteratorResult<Row, void>;
  readonly rows: Rows;
}

export function rowsOnce(rows: Rows): BegunRows {
  return { first: rows.next(), rows };
}

/** All rows, from the first on. */
export function* allRows({ first, rows }: BegunRows): Rows {
  if (first.done) return;
  try {
    yield first.value;
    yield* rows;
  } finally {
    rows.return();
  }
}

/** Every row of `latest`. */
export function* currentEntries(latest: BegunRows): Generator<Entry, void, void> {
  for (const [row, value] of allRows(latest)) yield [new Uint8Array(row.subarray(1)), rowValue(value)];
}

/**
 * The state after block `height`, below the tip: rows of `latest` that were written by then, and rows of `history` that
 * were, and had not ended yet. `latest` must have been begun first: of what a commit in between moved, both have a row.
 */
export function* oldEntries(latest: BegunRows, history: BegunRows, height: number): Generator<Entry, void, void> {
  const current = writtenBy(latest, height);
  const ended = endedAbove(history, height);
  try {
    let a = current.next();
    let b = ended.next();
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compareBytes(a.value[0], b.value[0]);
      if (order <= 0 && !a.done) yield a.value;
      else if (!b.done) yield b.value;
      if (order <= 0) a = current.next();
      if (order >= 0) b = ended.next();
    }
  } finally {
    current.return();
    ended.return();
  }
}

function* writtenBy(latest: BegunRows, height: number): Generator<Entry, void, void> {
  for (const [row, value] of allRows(latest)) {
    if (writtenAt(value) <= height) yield [new Uint8Array(row.subarray(1)), rowValue(value)];
  }
}

/** Of each key at most one: values follow each other. */
function* endedAbove(history: BegunRows, height: number): Generator<Entry, void, void> {
  for (const [row, value] of allRows(history)) {
    const end = readBeU32(row, row.length - 4);
    if (end > height && writtenAt(value) <= height) yield [parseHistoryKey(row).key, rowValue(value)];
  }
}
