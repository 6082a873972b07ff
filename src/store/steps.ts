/**
 * Walks the keys of the state after a block, one step a key, from any key on: for listings that stop at any step and go
 * on later. A step takes a bounded number of rows, however many values its key has had.
 */
import { bytesEqual, compareBytes, concatBytes } from '../util/bytes.js';
import type { Database, Row } from './database.js';
import { afterPrefix, beU32, historyPrefixRange, historyRange, latestKey, parseHistoryKey, readBeU32 } from './keys.js';
import { rowValue, writtenAt } from './rows.js';
import type { Namespace } from './types.js';

/** A key that was looked at: what comes before it in the order of the keys was, too. */
export interface Step {
  readonly key: Uint8Array;
  /** Its value in that state; undefined: it has none there. */
  readonly value: Uint8Array | undefined;
  /** Height of the block that wrote the value. */
  readonly written: number;
  /** Bytes that were read for it. */
  readonly bytes: number;
}

/** Rows of one key in `history` that are gone through before the rest of them is passed over. */
const MOST_PASSED = 8;
/** Rows of `history` that are read at once: few at first, as most of them may be passed over. */
const FIRST_ROWS = 16;
const MOST_ROWS = 512;
/** Bytes of a history key behind the escaped key: its terminator and a height. */
const TAIL = 6;

/** What is walked: the keys of `ns` that begin with `prefix` and lie behind `after`, if that is given. */
export interface Walk {
  readonly ns: Namespace;
  readonly prefix: Uint8Array;
  readonly after: Uint8Array | undefined;
  /** The state is that after this block. */
  readonly height: number;
  /** Whether that is all that `latest` holds: then `history` is not looked at. Asked when `latest` has been begun. */
  isCurrent(): boolean;
}

/**
 * The keys of a state, ascending by bytes. Rows of `latest` are those of the first step: a commit meanwhile only moves
 * rows of it to `history`, which is read later, so a value of the height is in one of them. What a rollback moves, or
 * what is dropped of old states, whoever walks has to rule out before and after.
 */
export function* stepsOver(database: Database, walk: Walk): Generator<Step, void, void> {
  const { ns, prefix, after, height } = walk;
  const whole = latestKey(ns, prefix);
  const gte = after === undefined ? whole : concatBytes(latestKey(ns, after), Uint8Array.of(0));
  const rows = database.scan('latest', { gte, lt: afterPrefix(whole) });
  try {
    let row = rows.next();
    const ended = walk.isCurrent() ? undefined : endedSteps(database, walk);
    let past = ended?.next();
    while (!row.done || past?.done === false) {
      const current = row.done ? undefined : stepOf(row.value, height);
      const old = past?.done === false ? past.value : undefined;
      const order = current === undefined ? 1 : old === undefined ? -1 : compareBytes(current.key, old.key);
      const [first, second] = order <= 0 ? [current, order === 0 ? old : undefined] : [old, undefined];
      if (first !== undefined) yield first.value === undefined && second !== undefined ? second : first;
      if (order <= 0) row = rows.next();
      if (order >= 0) past = ended?.next();
    }
  } finally {
    rows.return();
  }
}

function stepOf([row, value]: Row, height: number): Step {
  return { ...valueAt(value, height), key: new Uint8Array(row.subarray(1)) };
}

function valueAt(row: Uint8Array, height: number): Omit<Step, 'key'> {
  const written = writtenAt(row);
  return { value: written <= height ? rowValue(row) : undefined, written, bytes: row.length };
}

/** The rows of one key in `history`. */
interface Group {
  readonly key: Uint8Array;
  /** The key as its rows have it. */
  readonly name: Uint8Array;
  /** Whether the row was met that ended above the height. */
  isFound: boolean;
  /** Rows that were gone through for nothing. */
  passed: number;
}

/** Of each key in `history`: the value that block `height` left, if one that has ended was it. */
function* endedSteps(database: Database, { ns, prefix, after, height }: Walk): Generator<Step, void, void> {
  const whole = historyPrefixRange(ns, prefix);
  let from = after === undefined ? whole.gte : historyRange(ns, after, 0).lt;
  let group: Group | undefined;
  for (let most = FIRST_ROWS; ; most = Math.min(MOST_ROWS, 2 * most)) {
    const rows = [...database.scan('history', { gte: from, lt: whole.lt, limit: most })];
    let jump: Uint8Array | undefined;
    for (const [row, value] of rows) {
      const name = row.subarray(0, row.length - TAIL);
      const { key, end } = parseHistoryKey(row);
      if (group === undefined || !bytesEqual(group.name, name)) {
        // All of its values had ended by then.
        if (group?.isFound === false) yield { key: group.key, value: undefined, written: 0, bytes: 0 };
        group = { key, name: new Uint8Array(name), isFound: false, passed: 0 };
      }
      if (!group.isFound && end > height) {
        group.isFound = true;
        yield { ...valueAt(value, height), key };
      } else if (++group.passed > MOST_PASSED) {
        const range = historyRange(ns, key, height);
        jump = group.isFound ? range.lt : range.gte;
        group.passed = 0;
        break;
      }
    }
    if (jump !== undefined) {
      from = jump;
      most = FIRST_ROWS / 2;
    } else if (rows.length < most) return;
    else from = concatBytes(rows[rows.length - 1][0], Uint8Array.of(0));
  }
}

/** A value that a key had: from block `written` on, up to block `end`, which took or replaced it. */
export interface Version {
  readonly written: number;
  /** Undefined: it has it still. */
  readonly end: number | undefined;
  readonly value: Uint8Array;
}

/** The values of a key that are kept, the newest first. */
export function* versionsOf(database: Database, ns: Namespace, key: Uint8Array): Generator<Version, void, void> {
  const latest = database.get('latest', latestKey(ns, key));
  if (latest !== undefined) yield { written: writtenAt(latest), end: undefined, value: rowValue(latest) };
  const { lt } = historyRange(ns, key, 0);
  const range = { gte: concatBytes(lt.subarray(0, lt.length - 1), Uint8Array.of(1), beU32(0)), lt, reverse: true };
  for (const [row, value] of database.scan('history', range)) {
    yield { written: writtenAt(value), end: readBeU32(row, row.length - 4), value: rowValue(value) };
  }
}
