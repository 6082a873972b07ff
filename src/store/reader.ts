import { StoreError } from '../errors/errors.js';
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { indexOf } from '../lane/receipt-list.js';
import type { PlanSummary, Receipt } from '../lane/types.js';
import { bytesEqual, fromBinaryString, fromDisplayHash, toBinaryString, toHex } from '../util/bytes.js';
import { reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import { changesBetween, changesOf, type PlacedChange, type StateChange } from './changes.js';
import { COLUMNS, type ColumnName, type Database, type Row } from './database.js';
import { currentEntries, oldEntries, rowsOnce } from './entries.js';
import { finalHeight } from './final.js';
import { floorOf } from './floor.js';
import { parseIdentity } from './identity.js';
import {
  afterPrefix,
  beU32,
  blockKey,
  historyPrefixRange,
  historyRange,
  latestKey,
  latestKeyAt,
  latestKeysAt,
  META_GENESIS,
  META_IDENTITY,
  META_LABEL,
  META_TIP,
  planKey,
  readBeU32,
  receiptPrefix,
} from './keys.js';
import { StoreLists } from './lists.js';
import { unfinishedHeight } from './pieces.js';
import { pageWith, receiptsOf } from './receipt-pages.js';
import { decodeBlockRecord, decodePlan } from './records.js';
import { valueIn, writtenAt } from './rows.js';
import type { StateProof } from './tree/verify-proof.js';
import { Trees, type TreesOwner } from './trees.js';
import {
  type BlockRecord,
  DEFAULT_KEEP_UNDO,
  type Namespace,
  type StateRoots,
  type StoreIdentity,
  type Tip,
} from './types.js';
import { touchedIn, undoRows } from './undo-rows.js';

/** Keys that {@link StoreReader.proveAt} sets back for a proof, at most: about a third of a second of its thread. */
const MOST_UNDONE = 10_000;
/** The database copies its arguments. */
const keyRoom = reusingAllocator();

/**
 * Synchronous reads of a store. Values are copies that the caller may keep and change. Namespace 'S': a key once
 * written stays, its value may be empty. Namespace 'P': an absent or deleted key reads as undefined.
 */
export class StoreReader {
  #trees: Trees | undefined;

  protected constructor(protected readonly rocks: Database) {}

  /** What the store was created with. Throws STORE_EMPTY if it never had a block. */
  identity(): StoreIdentity {
    const recorded = this.recordedIdentity();
    if (recorded !== undefined) return recorded;
    throw new StoreError('STORE_EMPTY', 'the database has no block yet', {
      hint: 'Index or replay a chain into it first: what it is for is recorded with the first block.',
    });
  }

  /**
   * What the store was created with; undefined before its first block. Throws STORE_CORRUPT if the record cannot be
   * read.
   */
  recordedIdentity(): StoreIdentity | undefined {
    const bytes = this.rocks.get('meta', META_IDENTITY);
    return bytes && parseIdentity(bytes);
  }

  /** Whether it has an index by address. Throws STORE_EMPTY if it never had a block. */
  get keepsAddresses(): boolean {
    return this.identity().addresses === true;
  }

  /** Hash of block 0 of the chain (32 bytes, wire order), if it was recorded. */
  genesis(): Uint8Array | undefined {
    const bytes = this.rocks.get('meta', META_GENESIS);
    return bytes && new Uint8Array(bytes);
  }

  /** The name that the store was given. */
  label(): string | undefined {
    const bytes = this.rocks.get('meta', META_LABEL);
    return bytes && new TextDecoder().decode(bytes);
  }

  /**
   * Lowest height that a rollback can go to, by the undo data that is there: the height below the first block from
   * which on every block has some, the tip's where none has, -1 for an empty store.
   */
  lowestRollback(): number {
    const tip = this.tip();
    if (tip === undefined) return -1;
    const lowest = this.lowestUndo();
    if (lowest === undefined) return tip.height;
    return Math.min(Math.max(lowest - 1, finalHeight(this.rocks) ?? -1), tip.height);
  }

  /** Height of the lowest undo row. */
  protected lowestUndo(): number | undefined {
    const row = this.rocks.first('undo', {});
    return row && readBeU32(row[0], 0);
  }

  /** What it reads, for a reader that takes the place of this one. */
  get database(): Database {
    return this.rocks;
  }

  /** A number that grows with every write: while it stays, all that was read of the store still holds. */
  get version(): number {
    return this.rocks.version;
  }

  /** The last whole block; undefined before the first. */
  tip(): Tip | undefined {
    for (let seen: number | undefined; ; ) {
      const bytes = this.rocks.get('meta', META_TIP);
      if (bytes === undefined) return undefined;
      const height = readBeU32(bytes, 0);
      const hash = this.blockHash(height);
      if (hash !== undefined) return { height, hash };
      // Another thread may have undone the block between the two reads: then the tip is another one by now.
      if (height === seen) throw new StoreError('STORE_CORRUPT', 'the tip has no block record', { facts: { height } });
      seen = height;
    }
  }

  /**
   * Value at the tip; `key`: its bytes from `start` to `end`. While another thread commits a block, it may be the
   * block's: {@link getAt} tells them apart.
   */
  getLatest(ns: Namespace, key: Uint8Array, start = 0, end = key.length): Uint8Array | undefined {
    return valueIn(this.rocks.get('latest', latestKeyAt(ns, key, start, end, keyRoom)));
  }

  /** As {@link getLatest}, of several keys in their order; one read of the database. */
  getMany(ns: Namespace, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    const allocate = slabAllocator(keys.reduce((sum, key) => sum + 1 + key.length, 0));
    return this.#latestOf(keys.map((key) => latestKey(ns, key, allocate)));
  }

  /** The same for keys where they lie: from `starts` to `ends` of `bytes`. */
  getManyOf(ns: Namespace, bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): (Uint8Array | undefined)[] {
    return this.#latestOf(latestKeysAt(ns, bytes, starts, ends));
  }

  #latestOf(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.rocks.getMany('latest', keys).map(valueIn);
  }

  /**
   * Value after block `height`. Throws StoreError STORE_HISTORY_PRUNED if what tells it is no longer kept.
   *
   * `latest` is read before `history`: a commit in between only moves a row from the one to the other, so the value is
   * seen in the one or the other. A rollback in between moves rows back, so `latest` is read again where `history` has
   * none: only a block undone and stored again between two reads could go unseen, and each of both is a synced write.
   */
  getAt(ns: Namespace, key: Uint8Array, height: number): Uint8Array | undefined {
    return valueIn(this.rowAt(ns, key, height));
  }

  /** As {@link getAt}, of several keys in their order, which is cheaper than one after the other. */
  getManyAt(ns: Namespace, keys: readonly Uint8Array[], height: number): (Uint8Array | undefined)[] {
    return this.rowsAt(ns, keys, height).map(valueIn);
  }

  /** As {@link getAt}, the row (rows.ts) with the value. */
  rowAt(ns: Namespace, key: Uint8Array, height: number): Uint8Array | undefined {
    if (height < 0) return undefined;
    return this.#versionAt(ns, key, height, this.rocks.get('latest', latestKey(ns, key)));
  }

  /** As {@link getManyAt}, the rows with the values. */
  rowsAt(ns: Namespace, keys: readonly Uint8Array[], height: number): (Uint8Array | undefined)[] {
    if (height < 0) return keys.map(() => undefined);
    const allocate = slabAllocator(keys.reduce((sum, key) => sum + 1 + key.length, 0));
    const rows = this.rocks.getMany(
      'latest',
      keys.map((key) => latestKey(ns, key, allocate)),
    );
    return rows.map((latest, i) => this.#versionAt(ns, keys[i], height, latest));
  }

  /** `latest`: the row of the key's newest version, undefined if there is none. */
  #versionAt(ns: Namespace, key: Uint8Array, height: number, latest: Uint8Array | undefined): Uint8Array | undefined {
    if (latest !== undefined && writtenAt(latest) <= height) return latest;
    // Nothing is ever deleted in S, so what has no latest value never had one.
    if (latest === undefined && ns === 'S') return undefined;
    const row = this.rocks.first('history', historyRange(ns, key, height))?.[1];
    if (row !== undefined) {
      this.assertKept(height);
      return writtenAt(row) <= height ? row : undefined;
    }
    const again = this.rocks.get('latest', latestKey(ns, key));
    if (again !== undefined && writtenAt(again) <= height) return again;
    this.assertKept(height);
    return undefined;
  }

  /**
   * Lowest height whose state is whole: below it, superseded values are no longer kept. 0 if all of them are.
   */
  lowestHistory(): number {
    return floorOf(this.rocks)?.height ?? 0;
  }

  /**
   * Throws StoreError STORE_HISTORY_PRUNED if the state after block `height` is no longer whole. To be asked after what
   * was read: rows go in the same write that raises the lowest height.
   */
  assertKept(height: number): void {
    const lowest = this.lowestHistory();
    if (height >= lowest || height < 0) return;
    throw new StoreError('STORE_HISTORY_PRUNED', 'the state after that block is no longer kept', {
      facts: { height, lowest },
      hint: 'Ask for a newer height. A database that is indexed with more --history reaches further back.',
    });
  }

  /**
   * Live keys of a namespace after block `height` (the tip if not given) that begin with `prefix`, ascending by bytes.
   * Throws StoreError STORE_HISTORY_PRUNED as {@link getAt}.
   */
  *entriesAt(
    ns: Namespace,
    prefix: Uint8Array,
    height?: number,
  ): Generator<readonly [key: Uint8Array, value: Uint8Array], void, void> {
    const gte = latestKey(ns, prefix);
    const range = { gte, lt: afterPrefix(gte) };
    for (;;) {
      const tip = this.tip();
      const latest = rowsOnce(this.rocks.scan('latest', range));
      // Rows of a block that is being written are there before it is the tip.
      const partial = unfinishedHeight(this.rocks) !== undefined;
      const at = Math.min(height ?? Number.POSITIVE_INFINITY, tip?.height ?? -1);
      const current = !partial && at === (tip?.height ?? -1);
      const history = current ? undefined : rowsOnce(this.rocks.scan('history', historyPrefixRange(ns, prefix)));
      // A rollback between the two beginnings would have moved rows back into the one that was begun before; a block
      // that ended between may have been in the first in part.
      if (!bytesEqual(this.rocks.get('meta', META_TIP), tip && beU32(tip.height)) || !this.#isThere(tip)) {
        latest.rows.return();
        history?.rows.return();
        continue;
      }
      if (history === undefined) return yield* currentEntries(latest);
      this.assertKept(at);
      return yield* oldEntries(latest, history, at);
    }
  }

  /** Whether the block is still that of its height. */
  #isThere(tip: Tip | undefined): boolean {
    return tip === undefined || bytesEqual(this.blockHash(tip.height), tip.hash);
  }

  /** See `changesOf` (changes.ts). */
  changes(height: number): Generator<StateChange, void, void> | undefined {
    return changesOf(this.rocks, height, (ns, keys) => this.rowsAt(ns, keys, height));
  }

  /** See `changesBetween` (changes.ts). */
  changesBetween(from: number, to: number): Generator<PlacedChange, void, void> {
    return changesBetween(this.rocks, from, to);
  }

  /** What listings read. */
  get lists(): StoreLists {
    return new StoreLists(this.rocks);
  }

  blockRecord(height: number): BlockRecord | undefined {
    const bytes = this.#at('blocks', blockKey(height), height);
    return bytes && decodeBlockRecord(height, bytes);
  }

  /** 32 bytes in wire order. */
  blockHash(height: number): Uint8Array | undefined {
    const bytes = this.#at('blocks', blockKey(height), height);
    return bytes && new Uint8Array(bytes.subarray(0, 32));
  }

  /** Roots after block `height`, lower-case hex. */
  roots(height: number): StateRoots | undefined {
    return this.blockRecord(height)?.roots;
  }

  plan(height: number): PlanSummary | undefined {
    const bytes = this.#at('blocks', planKey(height), height);
    return bytes && decodePlan(bytes);
  }

  /**
   * Receipt of a lane transaction by its txid in display order; the newest if the chain holds the txid more than once.
   */
  receipt(txid: string): Receipt | undefined {
    const wire = fromDisplayHash(txid);
    const place = wire.length === 32 ? this.lists.placeOf(wire) : undefined;
    const receipt = place && this.lists.receiptAt(place);
    return receipt && decodeReceipt(receipt);
  }

  /** Receipts of a block in block order, from place `from` in the block on; none of one that is not stored. */
  *receipts(height: number, from = 0): Generator<Receipt, void, void> {
    // Receipts of a block that is being written may be there before it.
    if (this.blockHash(height) === undefined) return;
    const gte = pageWith(this.rocks, height, from)?.[0] ?? receiptPrefix(height);
    for (const [, page] of this.rocks.scan('blocks', { gte, lt: afterPrefix(receiptPrefix(height)) })) {
      for (const receipt of receiptsOf(page, height)) if (indexOf(receipt) >= from) yield decodeReceipt(receipt);
    }
  }

  /** Proof under the tip's root of `ns` that `key` has its value or is absent. The first one loads the tree. */
  prove(ns: Namespace, key: Uint8Array): StateProof {
    return this.trees.prove(ns, key);
  }

  /**
   * As {@link prove}, under the root after block `height`, below the tip: the tree gets the values of that height for
   * as long as the proof takes. In the thread that writes the store, if one does. Throws StoreError STORE_NOT_PROVABLE
   * where the undo data does not reach down there, or more than {@link MOST_UNDONE} keys of `ns` have changed since.
   */
  proveAt(ns: Namespace, key: Uint8Array, height: number): StateProof {
    const touched = this.#touchedAbove(ns, height);
    const keys = [...touched].map(fromBinaryString);
    const [then, now] = [this.getManyAt(ns, keys, height), this.getMany(ns, keys)];
    return this.trees.proveWith(
      ns,
      key,
      new Map([...touched].map((name, i) => [name, then[i]])),
      new Map([...touched].map((name, i) => [name, now[i]])),
    );
  }

  /** The keys of `ns`, as binary strings, that blocks above `height` touched. */
  #touchedAbove(ns: Namespace, height: number): Set<string> {
    const tip = this.tip()?.height ?? -1;
    const touched = new Set<string>();
    for (let at = tip; at > height; at--) {
      const undo = undoRows(this.rocks, at);
      for (const of of undo === undefined ? [] : touchedIn(at, undo)) {
        if (of.ns === ns) touched.add(toBinaryString(of.key));
      }
      if (undo !== undefined && touched.size <= MOST_UNDONE) continue;
      const why = undo === undefined ? 'there is no undo data for it' : 'too many keys have changed since';
      throw new StoreError('STORE_NOT_PROVABLE', `the state after the block cannot be proved any more: ${why}`, {
        facts: { height, from: at, tip },
        hint: `Ask for a height from ${at} to ${tip}.`,
      });
    }
    return touched;
  }

  /** The state trees, of which nothing is loaded until they are wanted. */
  protected get trees(): Trees {
    this.#trees ??= this.makeTrees();
    return this.#trees;
  }

  protected makeTrees(): Trees {
    return new Trees(this.treesOwner(), { keepUndo: DEFAULT_KEEP_UNDO, write: undefined });
  }

  protected treesOwner(): TreesOwner {
    return { rocks: this.rocks, tip: () => this.tip(), roots: (height) => this.roots(height) };
  }

  #at(column: 'blocks', key: Uint8Array, height: number): Uint8Array | undefined {
    return Number.isInteger(height) && height >= 0 && height <= 0xffffffff ? this.rocks.get(column, key) : undefined;
  }

  /** Every row of a column in the order of the keys, as of the first step: for copying the store. */
  rowsOf(column: ColumnName): Generator<Row, void, void> {
    return this.rocks.scan(column);
  }

  /**
   * Every row of the database as hex, per column: for tests and for comparing stores. Without the column `tree`, whose
   * rows tell when they were written: the roots stand for them.
   */
  rawContent(): Map<string, string> {
    const rows = new Map<string, string>();
    for (const column of COLUMNS.filter((name) => name !== 'tree')) {
      for (const [key, value] of this.rowsOf(column)) rows.set(`${column} ${toHex(key)}`, toHex(value));
    }
    return rows;
  }
}
