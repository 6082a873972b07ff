import { toBinaryString } from '../../util/bytes.js';
import { beU32, historyKey, readBeU32 } from '../keys.js';
import { decodeTouched, type TouchedKey } from '../records.js';
import { type CheckRun, portions } from './run.js';
import { namespaceOf, parseVersion, type VersionCounts } from './versions.js';

/** History rows looked up at once. */
const PORTION = 500;
/** Heights whose missing versions are reported one by one: their undo rows are in memory together. */
const NAMED_HEIGHTS = 4;

/**
 * Column `undo`: a row for every height from the lowest to the tip, each naming every key that has a version of its
 * height once, and no other. `counts` must reach from the lowest undo row to the tip.
 */
export function checkUndo(run: CheckRun, counts: VersionCounts): void {
  const incomplete: number[] = [];
  let expected: number | undefined;
  let next: Uint8Array | undefined = new Uint8Array(0);
  while (next !== undefined) {
    // One row at a time: each names all keys of a block.
    const row = run.rocks.first('undo', { gte: next });
    if (row === undefined) break;
    run.saw('undo');
    next = new Uint8Array([...row[0], 0]);
    if (row[0].length !== 4) {
      run.report('CHECK_UNDO', 'an undo row whose key has a wrong length', { key: row[0] });
      continue;
    }
    const height = readBeU32(row[0], 0);
    if (!run.covers(height)) {
      run.report('CHECK_UNDO', 'an undo row of a height without a block', { height });
      continue;
    }
    if (expected !== undefined && height !== expected) {
      run.report('CHECK_UNDO', `no undo row from here to ${height - 1}`, { height: expected });
    }
    expected = height + 1;
    const named = checkRow(run, height, row[1]);
    if (named !== undefined && named < counts.at(height)) incomplete.push(height);
  }
  // A rollback of maximum depth leaves no undo row.
  if (expected !== undefined && expected !== run.last + 1) {
    run.report('CHECK_UNDO', `no undo row from here to the tip`, { height: expected });
  }
  if (incomplete.length > 0) nameMissing(run, incomplete);
}

/** Returns how many versions of the height the row names; undefined if it cannot be read. */
function checkRow(run: CheckRun, height: number, value: Uint8Array): number | undefined {
  const touched = decoded(height, value);
  if (touched === undefined) {
    run.report('CHECK_UNDO', 'the undo row cannot be read', { height });
    return undefined;
  }
  const seen = new Set<string>();
  let named = 0;
  for (const keys of portions(touched, PORTION)) {
    const versions = run.rocks.getMany(
      'history',
      keys.map(({ ns, key }) => historyKey(ns, key, height)),
    );
    keys.forEach(({ ns, key }, i) => {
      const name = ns + toBinaryString(key);
      if (seen.has(name)) run.report('CHECK_UNDO', 'the undo row names a key twice', { height, namespace: ns, key });
      else if (versions[i] !== undefined) named++;
      else run.report('CHECK_UNDO', 'the undo row names a key without a version', { height, namespace: ns, key });
      seen.add(name);
    });
  }
  return named;
}

function decoded(height: number, value: Uint8Array): TouchedKey[] | undefined {
  try {
    const touched = decodeTouched(height, value);
    let at = 0;
    for (const { key } of touched) {
      if (namespaceOf(value[at]) === undefined) return undefined;
      at += 5 + key.length;
    }
    return touched;
  } catch {
    return undefined;
  }
}

/** Reports the versions that the undo rows of some heights leave out. */
function nameMissing(run: CheckRun, heights: readonly number[]): void {
  for (const height of heights.slice(NAMED_HEIGHTS)) {
    run.report('CHECK_UNDO', 'the undo row leaves out keys that have a version', { height });
  }
  const rows = new Map<number, Set<string>>();
  for (const height of heights.slice(0, NAMED_HEIGHTS)) {
    const value = run.rocks.get('undo', beU32(height));
    const touched = (value && decoded(height, value)) ?? [];
    rows.set(height, new Set(touched.map(({ ns, key }) => ns + toBinaryString(key))));
  }
  for (const [row] of run.rocks.scan('history')) {
    const version = parseVersion(row);
    if (version === undefined) continue;
    const named = rows.get(version.height);
    if (named !== undefined && !named.has(version.namespace + toBinaryString(version.key))) {
      run.report('CHECK_UNDO', 'the undo row leaves out a key that has a version', version);
    }
  }
}
