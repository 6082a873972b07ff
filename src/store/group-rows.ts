/**
 * The rows of several blocks that are stored together, in one batch: the same as if each had been stored alone, but
 * that the value of a key between two of the blocks goes to `history` at once, and only the last one to `latest`.
 */
import { PackedMap } from '../util/packed-map.js';
import { reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import type { AddressIndex } from './address-block.js';
import { putAddressRows } from './address-writes.js';
import { putBlock } from './block-rows.js';
import { groupedWrites } from './block-writes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKeyAt, latestKeyAt } from './keys.js';
import { MergedWrites } from './merged-writes.js';
import { PIECE_BYTES } from './portions.js';
import { corrupt } from './records.js';
import { latestRowAt } from './rows.js';
import type { KeyPlace, Touched } from './touched.js';
import type { Trees } from './trees.js';
import type { BlockCommit, StateRoots } from './types.js';
import { putUndo, UNDO_PARTS } from './undo-rows.js';

/** Keys whose rows are in memory at a time. */
const PORTION = 4_096;
const NO_KEY: KeyPlace = { bytes: new Uint8Array(0), keyStart: 0, keyEnd: 0 };
const NOTHING: Touched = { count: 0, entry: () => NO_KEY, isPresent: () => false };

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();

interface GroupOptions {
  readonly trees: Trees;
  /** What finds the rows of the index by address, if there is one. */
  readonly addresses: AddressIndex | undefined;
  readonly final: boolean;
}

/**
 * Puts everything of the blocks into the batch, but what is pruned with them; returns the roots after the last, the
 * only one that gets them. `final`: without undo data. Throws StoreError STORE_CORRUPT.
 */
export function putGroup(
  database: Database,
  batch: DatabaseBatch,
  blocks: readonly BlockCommit[],
  { trees, addresses, final }: GroupOptions,
): StateRoots {
  const writes = new MergedWrites(blocks.map(groupedWrites));
  const update = trees.update({ S: writes, P: new PackedMap() });
  const heights = blocks.map(({ height }) => height);
  const touched = final ? undefined : heights.map(() => new TouchedVersions(writes));
  putVersionsOf(database, batch, writes, update.existed.S, heights, touched);
  for (const [i, of] of (touched ?? []).entries()) {
    for (const _ of putUndo(batch, heights[i], { S: of, P: NOTHING }, PIECE_BYTES / UNDO_PARTS));
  }
  const roots = update.roots();
  const last = blocks.length - 1;
  trees.store(batch, heights[last], blocks.length);
  if (addresses !== undefined) {
    for (const block of blocks) {
      putAddressRows(batch, addresses.changes(block), (put) => (final ? undefined : put(batch)));
    }
  }
  for (const [i, block] of blocks.entries()) putBlock(batch, block, i === last ? roots : undefined);
  return roots;
}

/**
 * Puts the versions of the blocks of `heights`; `touched` gets those of each. `existed`: by key, 1 if it had a value
 * before the first of them. Throws StoreError STORE_CORRUPT if one of those has no row.
 */
function putVersionsOf(
  database: Database,
  batch: DatabaseBatch,
  writes: MergedWrites,
  existed: Uint8Array,
  heights: readonly number[],
  touched: readonly TouchedVersions[] | undefined,
): void {
  for (let from = 0; from < writes.size; from += PORTION) {
    const end = Math.min(writes.size, from + PORTION);
    const before = rowsBefore(database, writes, existed, from, end);
    for (let key = from, next = 0; key < end; key++) {
      const had = existed[key] === 1;
      const row = had ? before[next++] : undefined;
      if (had && row === undefined) throw corrupt('row of a key that was written before', heights[0]);
      putVersions(batch, writes, key, row, heights, touched);
    }
  }
}

/** The rows of `latest` of the keys that had a value, in their order. */
function rowsBefore(
  database: Database,
  writes: MergedWrites,
  existed: Uint8Array,
  from: number,
  end: number,
): (Uint8Array | undefined)[] {
  const rows: (Uint8Array | undefined)[] = [];
  const unknown: { readonly key: number; readonly at: number }[] = [];
  let bytes = 0;
  for (let key = from; key < end; key++) {
    if (existed[key] !== 1) continue;
    const known = writes.knownRow(key);
    const at = rows.push(known) - 1;
    if (known !== undefined) continue;
    const { keyStart, keyEnd } = writes.read(key);
    bytes += 1 + keyEnd - keyStart;
    unknown.push({ key, at });
  }
  const allocate = slabAllocator(bytes);
  const read = database.getMany(
    'latest',
    unknown.map(({ key }) => {
      const { bytes: of, keyStart, keyEnd } = writes.read(key);
      return latestKeyAt('S', of, keyStart, keyEnd, allocate);
    }),
  );
  unknown.forEach(({ at }, i) => {
    rows[at] = read[i];
  });
  return rows;
}

/** `row`: what `latest` has of the key before the blocks. */
function putVersions(
  batch: DatabaseBatch,
  writes: MergedWrites,
  key: number,
  row: Uint8Array | undefined,
  heights: readonly number[],
  touched: readonly TouchedVersions[] | undefined,
): void {
  const [first, end] = writes.versionsOf(key);
  let ended = row;
  for (let version = first; version < end; version++) {
    const block = writes.blockOf(version);
    const height = heights[block];
    touched?.[block].add(version, ended !== undefined);
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = writes.version(version);
    if (ended !== undefined) {
      batch.put('history', historyKeyAt('S', bytes, keyStart, keyEnd, height, keyRoom), ended);
    }
    ended = latestRowAt(height, bytes, valueStart, valueEnd, valueRoom);
    if (version === end - 1) batch.put('latest', latestKeyAt('S', bytes, keyStart, keyEnd, keyRoom), ended);
  }
}

/** The keys that one of the blocks wrote: those of some versions. */
class TouchedVersions implements Touched {
  readonly #writes: MergedWrites;
  readonly #versions: number[] = [];
  readonly #present: boolean[] = [];

  constructor(writes: MergedWrites) {
    this.#writes = writes;
  }

  add(version: number, isPresent: boolean): void {
    this.#versions.push(version);
    this.#present.push(isPresent);
  }

  get count(): number {
    return this.#versions.length;
  }

  entry(index: number): KeyPlace {
    return this.#writes.version(this.#versions[index]);
  }

  isPresent(index: number): boolean {
    return this.#present[index];
  }
}
