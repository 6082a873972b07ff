import { bytesEqual, EMPTY_BYTES } from '../../util/bytes.js';
import { decodeFloor, type Floor } from '../floor.js';
import { checkIdentity, identityOf } from '../identity.js';
import {
  blockKey,
  META_FINAL,
  META_GENESIS,
  META_HISTORY,
  META_IDENTITY,
  META_LABEL,
  META_TIP,
  readBeU32,
} from '../keys.js';
import { checkedLabel } from '../options.js';
import { decodeBlockRecord } from '../records.js';
import { Rocks } from '../rocks.js';
import { isNew } from '../stamp.js';
import { takeBackTorn } from '../torn.js';
import type { StateRoots, StoreIdentity } from '../types.js';
import { checkAddresses } from './addresses.js';
import { checkBlocks } from './blocks.js';
import { type CheckListener, CheckRun } from './run.js';
import { checkTrees } from './tree.js';
import { checkUndo } from './undo.js';
import { checkVersions, VersionCounts } from './versions.js';

export interface CheckSummary {
  readonly violations: number;
  /** Rows read; rows read twice count twice. */
  readonly rows: number;
  /** First block and tip; undefined for an empty store. */
  readonly heights: { readonly first: number; readonly tip: number } | undefined;
  /** Root after the tip as recorded, lower-case hex. */
  readonly stateRoot: string | undefined;
}

/**
 * Verifies the whole store in `dir`: every row of every column against the others, and both roots from the state.
 * Changes nothing but what every opening does. Memory: a few bytes per block, one block's keys, and the state trees.
 * Throws what opening throws; every other problem goes to the listener.
 */
export async function checkStore(dir: string, listener: CheckListener): Promise<CheckSummary> {
  const rocks = await Rocks.open(dir, false);
  try {
    // As at every opening: what a crash left of a block is no violation.
    takeBackTorn(rocks, (batch) => batch.write());
    return checkDatabase(dir, rocks, listener);
  } finally {
    await rocks.close();
  }
}

function checkDatabase(dir: string, rocks: Rocks, listener: CheckListener): CheckSummary {
  const run = new CheckRun(rocks, listener);
  checkRecordedIdentity(dir, run);
  const genesis = run.phase('meta', () => rocks.get('meta', META_GENESIS));
  run.phase('blocks', () => checkBlocks(run, genesis));
  run.phase('meta', () => checkMeta(run, genesis));
  const lowest = run.phase('undo', () => lowestUndo(run)) ?? run.last + 1;
  const counts = new VersionCounts(Math.max(run.first, lowest), run.last);
  const floor = run.phase('meta', () => checkedFloor(run, lowest)) ?? { height: -1, swept: true };
  const kept = run.phase(
    'meta',
    () => parsedIdentity(rocks.get('meta', META_IDENTITY) ?? EMPTY_BYTES)?.addresses === true,
  );
  run.phase('addresses', () => checkAddresses(run, kept === true));
  run.phase('versions', () => checkVersions(run, counts, floor));
  run.phase('undo', () => checkUndo(run, counts));
  const roots = tipRoots(run);
  run.phase('tree', () => checkTrees(run, roots));
  const heights = run.last < run.first ? undefined : { first: run.first, tip: run.last };
  return { violations: run.violations, rows: run.rows, heights, stateRoot: roots?.state };
}

/**
 * Refuses a layout that this program does not know: it could not be checked. A store without rows has no identity yet.
 */
function checkRecordedIdentity(dir: string, run: CheckRun): void {
  const bytes = run.phase('meta', () => run.rocks.get('meta', META_IDENTITY));
  const identity = bytes && parsedIdentity(bytes);
  if (bytes === undefined && isNew(run.rocks)) return;
  if (identity === undefined) run.report('CHECK_META', 'no identity record, or one that cannot be read');
  else checkIdentity(dir, identity, identityOf(identity));
}

function parsedIdentity(bytes: Uint8Array): StoreIdentity | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as StoreIdentity) : undefined;
  } catch {
    return undefined;
  }
}

function checkMeta(run: CheckRun, genesis: Uint8Array | undefined): void {
  const known = [META_FINAL, META_GENESIS, META_HISTORY, META_IDENTITY, META_LABEL, META_TIP];
  for (const [row] of run.rocks.scan('meta')) {
    if (!known.some((key) => bytesEqual(key, row))) run.report('CHECK_META', 'a record of no known name', { key: row });
  }
  if (!validLabel(run.rocks.get('meta', META_LABEL)))
    run.report('CHECK_META', 'the label is none that a store can have');
  const block0 = run.rocks.get('blocks', blockKey(0));
  if (genesis !== undefined && genesis.length !== 32) run.report('CHECK_META', 'the genesis hash has not 32 bytes');
  else if (genesis !== undefined && block0 !== undefined && !bytesEqual(genesis, block0.subarray(0, 32))) {
    run.report('CHECK_META', 'the recorded genesis hash is not that of block 0', { height: 0 });
  }
  const final = run.rocks.get('meta', META_FINAL);
  if (final !== undefined && (final.length !== 4 || !run.covers(readBeU32(final, 0))))
    run.report('CHECK_META', 'the newest block without undo data is none');
  const tip = run.rocks.get('meta', META_TIP);
  const empty = run.last < run.first;
  if (empty !== (tip === undefined) || (tip !== undefined && (tip.length !== 4 || readBeU32(tip, 0) !== run.last))) {
    const recorded = tip === undefined ? 'none' : tip.length === 4 ? readBeU32(tip, 0) : 'unreadable';
    run.report('CHECK_META', `the recorded tip is ${recorded}, the last block ${empty ? 'none' : run.last}`);
  }
}

/** What the store says about the states that it no longer keeps. `lowest`: its lowest undo row. */
function checkedFloor(run: CheckRun, lowest: number): Floor | undefined {
  const bytes = run.rocks.get('meta', META_HISTORY);
  const floor = bytes && decodeFloor(bytes);
  if (bytes !== undefined && floor === undefined) run.report('CHECK_META', 'the lowest state kept cannot be read');
  else if (floor !== undefined && (!run.covers(floor.height) || floor.height >= lowest)) {
    run.report('CHECK_META', 'the lowest state kept is none, or above one that undo data leads to', floor);
  }
  return floor;
}

function validLabel(label: Uint8Array | undefined): boolean {
  try {
    return label === undefined || bytesEqual(checkedLabel(new TextDecoder().decode(label)), label);
  } catch {
    return false;
  }
}

function lowestUndo(run: CheckRun): number | undefined {
  for (const [row] of run.rocks.scan('undo')) {
    if (row.length === 4) return readBeU32(row, 0);
  }
  return undefined;
}

function tipRoots(run: CheckRun): StateRoots | undefined {
  const bytes = run.rocks.get('blocks', blockKey(run.last));
  try {
    return bytes && decodeBlockRecord(run.last, bytes).roots;
  } catch {
    return undefined;
  }
}
