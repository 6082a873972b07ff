import { reusingAllocator } from '../util/row-bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { finalHeight } from './final.js';
import { type Floor, floorOf, putFloor } from './floor.js';
import { beU32, blockKey, historyKey, readBeU32 } from './keys.js';
import { corrupt } from './records.js';
import { delUndo, touchedIn, undoRows } from './undo-rows.js';

/** Undo rows that one commit drops at most: after a smaller setting the rest goes with the blocks that follow. */
const PRUNED_A_BLOCK = 1_000;
/** Keys after which a commit drops no more history, once it dropped that of twice the blocks that it stores. */
const PRUNED_KEYS = 100_000;
/** Undo rows that no rollback can reach, of which one commit drops at most so many. */
const UNREACHABLE_ROWS = 200;
/** Rows of `history` that a commit looks through for those that no undo row names any more. */
const SWEPT_ROWS = 10_000;

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();

/** How many blocks' undo data and superseded values a store keeps. */
export interface Kept {
  /** Blocks that can be undone. */
  readonly undo: number;
  /** Blocks below the tip whose state can be told; Infinity for all. What undoing needs is kept in any case. */
  readonly history: number;
}

/** Drops, with each commit, what is no longer kept. One for each open store. */
export class Keeping {
  /** Lowest undo row, once known. */
  #undoFrom: number | undefined;
  /** Where the sweep of `history` goes on; undefined while none is under way. */
  #cursor: Uint8Array | undefined;
  readonly #database: Database;
  readonly #kept: Kept;

  constructor(database: Database, kept: Kept) {
    this.#database = database;
    this.#kept = kept;
  }

  /** Whether a block that says so may be final: nothing else needs its undo data. */
  get allowsFinal(): boolean {
    return this.#kept.history === Number.POSITIVE_INFINITY;
  }

  /** To be called when undo rows were dropped otherwise, or a commit that pruned was not written. */
  forget(): void {
    this.#undoFrom = undefined;
    this.#cursor = undefined;
  }

  /** Height of the lowest undo row that is there; undefined if none is. */
  lowestUndo(): number | undefined {
    const row = this.#database.first('undo', {});
    return row && readBeU32(row[0], 0);
  }

  /**
   * Adds to the batch of block `height` what is dropped with it; `blocks`: it is the last of so many; `final`: they
   * are. Throws StoreError STORE_CORRUPT.
   */
  prune(batch: DatabaseBatch, height: number, blocks = 1, final = false): void {
    const first = height - blocks + 1;
    // What is written with the same batch stays at least until the next one.
    const last = first - 1;
    const barrier = final ? last : (finalHeight(this.#database) ?? -1);
    let from = this.#undoFrom ?? this.lowestUndo() ?? first;
    if (from <= barrier) {
      if (!this.#dropUnreachable(batch, barrier)) return;
      from = barrier + 1;
    }
    if (this.#kept.history === Number.POSITIVE_INFINITY)
      this.#undoFrom = this.#pruneUndo(batch, from, Math.min(last, height - this.#kept.undo));
    else {
      const end = Math.min(last, height - Math.max(this.#kept.undo, this.#kept.history));
      this.#undoFrom = this.#pruneHistory(batch, from, end, blocks);
    }
    if (final) this.#undoFrom = height + 1;
  }

  /** Drops undo rows of blocks up to `barrier`, the newest final block or below it; false if some are left. */
  #dropUnreachable(batch: DatabaseBatch, barrier: number): boolean {
    this.#undoFrom = undefined;
    let rows = 0;
    for (const [key] of this.#database.scan('undo', { lt: beU32(barrier + 1), limit: UNREACHABLE_ROWS })) {
      batch.del('undo', key);
      rows++;
    }
    return rows < UNREACHABLE_ROWS;
  }

  /** Drops undo records from `from` on, up to `last`; returns the lowest that stays. */
  #pruneUndo(batch: DatabaseBatch, from: number, last: number): number {
    const end = Math.min(last, from + PRUNED_A_BLOCK - 1);
    let at = from;
    for (; at <= end; at++) delUndo(this.#database, batch, at);
    return at;
  }

  /** Undo rows go with the rows of `history` that they name; returns the lowest undo row that stays. */
  #pruneHistory(batch: DatabaseBatch, from: number, end: number, blocks: number): number {
    const floor = floorOf(this.#database);
    let at = from;
    for (let keys = 0; at <= end && (keys < PRUNED_KEYS || at < from + 2 * blocks); at++)
      keys += this.#dropEnded(batch, at);
    const dropped = at > from;
    const lowest = dropped ? at - 1 : floor?.height;
    if (lowest === undefined) return at;
    const unnamed = dropped && this.#leavesUnnamed(from, floor);
    const swept = (floor?.swept ?? true) && !unnamed ? true : this.#sweep(batch, lowest);
    if (lowest !== floor?.height || swept !== floor.swept) putFloor(batch, { height: lowest, swept });
    return at;
  }

  /** Drops the undo row of a height and the rows of `history` that ended there; returns how many keys it names. */
  #dropEnded(batch: DatabaseBatch, height: number): number {
    const undo = undoRows(this.#database, height);
    if (undo === undefined) throw corrupt('undo record', height);
    let keys = 0;
    for (const { ns, key, present } of touchedIn(height, undo)) {
      keys++;
      if (present) batch.del('history', historyKey(ns, key, height, keyRoom));
    }
    delUndo(this.#database, batch, height);
    return keys;
  }

  /**
   * Whether rows ended below the undo row of `from` and are not dropped yet: those of blocks whose undo data went while
   * all of the history was kept.
   */
  #leavesUnnamed(from: number, floor: Floor | undefined): boolean {
    if (floor !== undefined) return from > floor.height + 1;
    const firstBlock = this.#database.first('blocks', { gte: blockKey(0), lt: blockKey(0xffffffff) });
    // The first block ends nothing.
    return firstBlock !== undefined && from > readBeU32(firstBlock[0], 1) + 1;
  }

  /** Looks through some rows of `history` and drops those that ended at `floor` or below; true at the last. */
  #sweep(batch: DatabaseBatch, floor: number): boolean {
    const gte = this.#cursor ?? new Uint8Array(0);
    let rows = 0;
    let last: Uint8Array | undefined;
    for (const [row] of this.#database.scan('history', { gte, limit: SWEPT_ROWS })) {
      if (readBeU32(row, row.length - 4) <= floor) batch.del('history', row);
      last = row;
      rows++;
    }
    this.#cursor = rows < SWEPT_ROWS || last === undefined ? undefined : new Uint8Array([...last, 0]);
    return this.#cursor === undefined;
  }
}
