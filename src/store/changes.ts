/**
 * What blocks changed of the state. The undo record of a block names the keys that it touched; where it has none (final
 * blocks, and those that can no longer be undone), its changes follow from all rows of `latest` and `history`: a value
 * was written in the block that its row names, and the one before it ended in the block that its own row names.
 */
import { StoreError } from '../errors/errors.js';
import { bytesEqual, compareBytes } from '../util/bytes.js';
import type { Database, Row } from './database.js';
import { allRows, type BegunRows, rowsOnce } from './entries.js';
import { historyKey, META_TIP, parseHistoryKey } from './keys.js';
import { unfinishedHeight } from './pieces.js';
import { rowValue, writtenAt } from './rows.js';
import type { Namespace } from './types.js';
import { touchedIn, undoRows } from './undo-rows.js';

/** A key that has another value after a block than before it, whatever happened to it meanwhile. */
export interface StateChange {
  readonly ns: Namespace;
  readonly key: Uint8Array;
  /** Undefined: the block deleted it. */
  readonly value: Uint8Array | undefined;
  /** What it was before the block; undefined: absent. */
  readonly before: Uint8Array | undefined;
}

export interface PlacedChange extends StateChange {
  /** Of the block. */
  readonly height: number;
}

/** Keys whose rows are in memory at a time. */
const PORTION = 4_096;
/** Of a walk to begin, and milliseconds from one to the next: a large block takes some tens to be written. */
const MOST_TRIES = 100;
const PAUSE_MS = 5;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Rows (rows.ts) of keys after the block whose changes are read. */
export type RowsAfter = (ns: Namespace, keys: readonly Uint8Array[]) => (Uint8Array | undefined)[];

interface Touched {
  readonly ns: Namespace;
  readonly key: Uint8Array;
  readonly present: boolean;
}

/**
 * Changes of block `height`, namespace S first, then by key; undefined if it has no undo record. While blocks are
 * undone, or their undo records dropped, they may be less than all: whoever reads beside a writer looks afterwards
 * whether that was so.
 */
export function changesOf(
  database: Database,
  height: number,
  rowsAfter: RowsAfter,
): Generator<StateChange, void, void> | undefined {
  const undo = undoRows(database, height);
  return undo && touchedChanges(database, height, touchedIn(height, undo), rowsAfter);
}

function* touchedChanges(
  database: Database,
  height: number,
  keys: Iterable<Touched>,
  rowsAfter: RowsAfter,
): Generator<StateChange, void, void> {
  let portion: Touched[] = [];
  for (const { ns, key, present } of keys) {
    if (portion.length === PORTION || (portion.length > 0 && portion[0].ns !== ns)) {
      yield* portionChanges(database, height, portion, rowsAfter);
      portion = [];
    }
    portion.push({ ns, key: new Uint8Array(key), present });
  }
  if (portion.length > 0) yield* portionChanges(database, height, portion, rowsAfter);
}

function* portionChanges(
  database: Database,
  height: number,
  portion: readonly Touched[],
  rowsAfter: RowsAfter,
): Generator<StateChange, void, void> {
  const rows = rowsAfter(
    portion[0].ns,
    portion.map(({ key }) => key),
  );
  const ended = database.getMany(
    'history',
    portion.filter(({ present }) => present).map(({ ns, key }) => historyKey(ns, key, height)),
  );
  let next = 0;
  for (const [i, { ns, key, present }] of portion.entries()) {
    const past = present ? ended[next++] : undefined;
    const row = rows[i];
    const value = row !== undefined && writtenAt(row) === height ? rowValue(row) : undefined;
    const before = past && rowValue(past);
    if (!bytesEqual(value, before)) yield { ns, key, value, before };
  }
}

/**
 * Changes of all blocks from `from` to `to`, key by key, in one walk over the whole state. Blocks up to `to` must be
 * ones that are never undone. Whether their state is kept is to be asked after the first step. Throws StoreError
 * STORE_REORG_UNDER_WAY.
 */
export function* changesBetween(database: Database, from: number, to: number): Generator<PlacedChange, void, void> {
  const { latest, history } = begin(database);
  const current = versions(allRows(latest), currentVersion);
  const past = versions(allRows(history), pastVersion);
  let now = current.next();
  let then = past.next();
  while (!now.done || !then.done) {
    const order = now.done ? 1 : then.done ? -1 : compareVersions(now.value, then.value);
    let previous: Version | undefined;
    const name = order <= 0 && !now.done ? now.value : then.value;
    if (name === undefined) return;
    while (!then.done && compareVersions(then.value, name) === 0) {
      yield* changesAt(previous, then.value, from, to);
      previous = then.value;
      then = past.next();
    }
    if (!now.done && compareVersions(now.value, name) === 0) {
      // A commit since the rows of `latest` were begun may have moved one of them to `history`.
      if (previous?.written !== now.value.written) {
        yield* changesAt(previous, now.value, from, to);
        previous = undefined;
      }
      now = current.next();
    }
    if (previous !== undefined) yield* changesAt(previous, undefined, from, to);
  }
}

/** Both columns as of one moment but for commits: those move rows from the first to the second. */
function begin(database: Database): { readonly latest: BegunRows; readonly history: BegunRows } {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (tries > 0) Atomics.wait(NEVER, 0, 0, PAUSE_MS);
    const tip = database.get('meta', META_TIP);
    // The rows of such a block may be on their way back.
    if (unfinishedHeight(database) !== undefined) continue;
    const latest = rowsOnce(database.scan('latest'));
    const history = rowsOnce(database.scan('history'));
    if (bytesEqual(database.get('meta', META_TIP), tip)) return { latest, history };
    // A block that was undone between the two has moved rows back, into what was begun before.
    latest.rows.return();
    history.rows.return();
  }
  throw new StoreError('STORE_REORG_UNDER_WAY', 'a block was being stored or undone each time its rows were read', {
    hint: 'Try again.',
  });
}

interface Version {
  readonly ns: Namespace;
  readonly key: Uint8Array;
  readonly written: number;
  /** Height of the block that ended it; Infinity: none has. */
  readonly end: number;
  readonly row: Uint8Array;
}

function* versions(rows: Iterable<Row>, of: (row: Row) => Version): Generator<Version, undefined, void> {
  for (const row of rows) yield of(row);
  return undefined;
}

function currentVersion([row, value]: Row): Version {
  return {
    ns: namespaceOf(row),
    key: new Uint8Array(row.subarray(1)),
    written: writtenAt(value),
    end: Number.POSITIVE_INFINITY,
    row: value,
  };
}

function pastVersion([row, value]: Row): Version {
  return { ns: namespaceOf(row), ...parseHistoryKey(row), written: writtenAt(value), row: value };
}

function namespaceOf(row: Uint8Array): Namespace {
  return row[0] === 0x53 ? 'S' : 'P';
}

function compareVersions(a: Version, b: Version): number {
  // As the codes of the namespaces in the rows.
  if (a.ns !== b.ns) return a.ns < b.ns ? -1 : 1;
  return compareBytes(a.key, b.key);
}

/** What happened to a key between one of its values and the next; undefined: none came before, or comes after. */
function* changesAt(
  previous: Version | undefined,
  next: Version | undefined,
  from: number,
  to: number,
): Generator<PlacedChange, void, void> {
  const follows = previous !== undefined && previous.end === next?.written;
  if (previous !== undefined && !follows && previous.end >= from && previous.end <= to) {
    const { ns, key, end: height, row } = previous;
    yield { height, ns, key, value: undefined, before: rowValue(row) };
  }
  if (next === undefined || next.written < from || next.written > to) return;
  const { ns, key, written: height, row } = next;
  const value = rowValue(row);
  const before = follows ? rowValue(previous.row) : undefined;
  if (!bytesEqual(value, before)) yield { height, ns, key, value, before };
}
