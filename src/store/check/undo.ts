import { StoreError } from '../../errors/errors.js';
import { toBinaryString } from '../../util/bytes.js';
import { isAddressUndoKey } from '../address-undo.js';
import { finalHeight } from '../final.js';
import { beU32, historyKey, historyRange, latestKey, readBeU32, undoPartKey } from '../keys.js';
import { writtenAt } from '../rows.js';
import type { TouchedKey } from '../touched.js';
import type { Namespace } from '../types.js';
import { touchedIn, undoRows } from '../undo-rows.js';
import { type CheckRun, portions } from './run.js';
import { currentVersion, endedVersion, type VersionCounts } from './versions.js';

/** Rows looked up at once. */
const PORTION = 500;
/** Heights whose missing keys are reported one by one: their undo rows are in memory together. */
const NAMED_HEIGHTS = 4;

/**
 * Column `undo`: a record for every height from the lowest to the tip that is not final, each naming every key that its
 * block gave a value or took one from, whether it had one before, and no other key. `counts` must reach from the lowest
 * undo row to the tip.
 */
export function checkUndo(run: CheckRun, counts: VersionCounts): void {
  const incomplete: number[] = [];
  const final = finalHeight(run.rocks) ?? -1;
  let expected: number | undefined;
  let next: Uint8Array | undefined = new Uint8Array(0);
  while (next !== undefined) {
    // One row at a time: each names all keys of a block.
    const row = run.rocks.first('undo', { gte: next });
    if (row === undefined) break;
    run.saw('undo');
    next = new Uint8Array([...row[0], 0]);
    if (isAddressUndoKey(row[0])) continue;
    if (row[0].length === 8 && run.rocks.get('undo', partBefore(row[0])) !== undefined) continue;
    if (row[0].length !== 4) {
      run.report('CHECK_UNDO', 'an undo row whose key has a wrong length', { key: row[0] });
      continue;
    }
    const height = readBeU32(row[0], 0);
    if (!run.covers(height)) {
      run.report('CHECK_UNDO', 'an undo row of a height without a block', { height });
      continue;
    }
    // Records of blocks below a final one, which have no use any more, are dropped bit by bit.
    if (height > final && expected !== undefined && height !== expected) {
      run.report('CHECK_UNDO', `no undo row from here to ${height - 1}`, { height: expected });
    }
    expected = Math.max(height, final) + 1;
    if (checkRecord(run, height, counts) === 'incomplete') incomplete.push(height);
  }
  // A rollback of maximum depth leaves no undo row.
  if (expected !== undefined && expected !== run.last + 1) {
    run.report('CHECK_UNDO', `no undo row from here to the tip`, { height: expected });
  }
  if (incomplete.length > 0) nameMissing(run, incomplete);
}

/** The row that a further one of a record needs before it. */
function partBefore(key: Uint8Array): Uint8Array {
  const [height, number] = [readBeU32(key, 0), readBeU32(key, 4)];
  return number === 1 ? beU32(height) : undoPartKey(height, Math.max(0, number - 1));
}

/** Keys ascend in a record, so none is named twice, and equal counts leave none out. */
function checkRecord(run: CheckRun, height: number, counts: VersionCounts): 'complete' | 'incomplete' {
  let ended = 0;
  let begun = 0;
  try {
    for (const keys of portions(touchedIn(height, undoRows(run.rocks, height) ?? []), PORTION)) {
      const present = keys.filter((key) => key.present);
      const absent = keys.filter((key) => !key.present);
      ended += countFound(run, height, present, endedAt(run, height, present), 'a key without a value that ended');
      begun += countFound(run, height, absent, begunAt(run, height, absent), 'a key that got no first value');
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    run.report('CHECK_UNDO', 'the undo row cannot be read', { height });
    return 'complete';
  }
  return ended < counts.ended(height) || begun < counts.begun(height) ? 'incomplete' : 'complete';
}

function countFound(
  run: CheckRun,
  height: number,
  keys: readonly TouchedKey[],
  found: readonly boolean[],
  what: string,
): number {
  keys.forEach(({ ns, key }, i) => {
    if (!found[i]) run.report('CHECK_UNDO', `the undo row names ${what}`, { height, namespace: ns, key });
  });
  return found.filter((is) => is).length;
}

/** Which of the keys have a value that block `height` ended. */
function endedAt(run: CheckRun, height: number, keys: readonly TouchedKey[]): boolean[] {
  const rows = run.rocks.getMany(
    'history',
    keys.map(({ ns, key }) => historyKey(ns, key, height)),
  );
  return rows.map((row) => row !== undefined);
}

/** Which of the keys have a value that was written at `height`, and none that ended there. */
function begunAt(run: CheckRun, height: number, keys: readonly TouchedKey[]): boolean[] {
  const rows = run.rocks.getMany(
    'latest',
    keys.map(({ ns, key }) => latestKey(ns, key)),
  );
  const ended = endedAt(run, height, keys);
  return keys.map(({ ns, key }, i) => {
    if (ended[i]) return false;
    const row = rows[i];
    if (row !== undefined && writtenAt(row) === height) return true;
    const later = run.rocks.first('history', historyRange(ns, key, height));
    return later !== undefined && writtenAt(later[1]) === height;
  });
}

/** Reports the keys that the undo rows of some heights leave out. */
function nameMissing(run: CheckRun, heights: readonly number[]): void {
  for (const height of heights.slice(NAMED_HEIGHTS)) {
    run.report('CHECK_UNDO', 'the undo row leaves out keys that its block touched', { height });
  }
  const rows = new Map<number, Set<string>>();
  for (const height of heights.slice(0, NAMED_HEIGHTS)) {
    const touched = touchedIn(height, undoRows(run.rocks, height) ?? []);
    rows.set(height, new Set([...touched].map(({ ns, key }) => ns + toBinaryString(key))));
  }
  const reportMissing = (namespace: Namespace, key: Uint8Array, height: number): void => {
    const named = rows.get(height);
    const name = namespace + toBinaryString(key);
    if (named === undefined || named.has(name)) return;
    named.add(name);
    run.report('CHECK_UNDO', 'the undo row leaves out a key that its block touched', { height, namespace, key });
  };
  for (const column of ['history', 'latest'] as const) {
    for (const row of run.rocks.scan(column)) {
      const version = column === 'history' ? endedVersion(row) : currentVersion(row);
      if (version === undefined) continue;
      reportMissing(version.namespace, version.key, version.written);
      if (version.end !== undefined) reportMissing(version.namespace, version.key, version.end);
    }
  }
}
