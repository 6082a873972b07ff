import { InternalError, StoreError } from '../errors/errors.js';
import { bytesEqual, fromDisplayHash, toDisplayHash } from '../util/bytes.js';
import { commitVersions } from './commit-versions.js';
import type { Database, DatabaseBatch } from './database.js';
import { checkIdentity, identityOf } from './identity.js';
import { Keeping, type Kept } from './keeping.js';
import {
  afterPrefix,
  beU32,
  blockKey,
  META_GENESIS,
  META_LABEL,
  META_TIP,
  planKey,
  receiptKey,
  receiptPrefix,
  txKey,
} from './keys.js';
import { checkedKept, checkedLabel } from './options.js';
import { StoreReader } from './reader.js';
import { corrupt, decodeReceipt, encodeBlockRecord, encodeJson } from './records.js';
import { Rocks } from './rocks.js';
import { assertNew, delStamp, putStamp, type Stamp } from './stamp.js';
import { encodeTouched } from './touched.js';
import { Trees } from './trees.js';
import type { BlockCommit, CommitOptions, StateRoots, StoreIdentity, StoreOptions, UndoOptions } from './types.js';
import { undoVersions } from './undo-versions.js';

type Settings = Pick<StoreOptions, 'readOnly' | 'treeBytes' | 'onTreeRemade'>;

/** What may wait for the next synced write, in bytes and milliseconds. */
const UNSYNCED_BYTES = 64 << 20;
const UNSYNCED_MS = 1_000;

/**
 * State and history of both namespaces. One writer: the object that opened it. Each block is one atomic batch, so
 * after a crash the store stands at the end of a whole block: the last one, unless the machine itself went down while
 * blocks followed each other (see {@link CommitOptions}). Errors are {@link StoreError}.
 */
export class Store extends StoreReader {
  /** What was written since the last synced write. */
  #unsynced: { readonly since: number; readonly bytes: number } | undefined;
  /** Set by a write that failed: what the log holds of it is unknown until the store is opened again. */
  #failed: StoreError | undefined;
  /** Of a new store: written with its first block, so that what never got a block is bound to nothing. */
  #stamp: Stamp | undefined;
  readonly #readOnly: boolean;
  readonly #keeping: Keeping;
  readonly #keepUndo: number;
  readonly #settings: Settings;

  private constructor(rocks: Database, settings: Settings, kept: Kept) {
    super(rocks);
    this.#readOnly = settings.readOnly ?? false;
    this.#keeping = new Keeping(rocks, kept);
    this.#keepUndo = kept.undo;
    this.#settings = settings;
  }

  protected override makeTrees(): Trees {
    const { treeBytes, onTreeRemade } = this.#settings;
    const write = this.#readOnly ? undefined : (batch: DatabaseBatch) => this.#write(batch, false);
    return new Trees(this.treesOwner(), { keepUndo: this.#keepUndo, treeBytes, onRemake: onTreeRemade, write });
  }

  /** Bytes of memory that the state trees take. */
  get treeBytes(): number {
    return this.trees.bytes;
  }

  /**
   * Makes the state trees from the state, whatever is stored of them. Throws STORE_CORRUPT if they do not give the
   * recorded roots.
   */
  remakeTrees(): void {
    this.#assertWritable();
    this.trees.remake();
    this.#sync();
  }

  /**
   * Opens the store in `dir`, creating it unless `readOnly`. What it is made for (network, module, rules, …) is
   * recorded with its first block; from then on it must be the same. Codes: STORE_MISSING, STORE_FOREIGN,
   * STORE_LOCKED, STORE_UNWRITABLE, STORE_EMPTY (`readOnly`), STORE_SCHEMA_MISMATCH, STORE_RULES_MISMATCH,
   * STORE_NETWORK_MISMATCH, STORE_MODULE_MISMATCH, STORE_LANE_START_MISMATCH, STORE_DEPENDENT_MISMATCH; UsageError
   * USAGE_KEEP_UNDO, USAGE_HISTORY, USAGE_LABEL.
   */
  static async open(dir: string, options: StoreOptions): Promise<Store> {
    // Before a folder is made for it.
    checkedKept(options);
    checkedLabel(options.label);
    const opened = Rocks.open(dir, !options.readOnly, options.cacheBytes);
    return Store.#with(opened, (rocks) => Store.over(rocks, options, dir));
  }

  /** The store in an open database, which closes with it; `name` is what errors call it. Codes as of {@link open}. */
  static over(database: Database, options: StoreOptions, name: string): Store {
    const wanted = identityOf(options);
    const kept = checkedKept(options);
    const label = checkedLabel(options.label);
    const readOnly = options.readOnly ?? false;
    const store = new Store(database, options, kept);
    const recorded = store.recordedIdentity();
    if (recorded === undefined && !readOnly) {
      assertNew(database, name);
      store.#stamp = { identity: wanted, genesis: undefined, label };
      return store;
    }
    checkIdentity(name, recorded ?? store.identity(), wanted);
    if (label !== undefined && !readOnly && !bytesEqual(database.get('meta', META_LABEL), label)) {
      store.#putMeta(META_LABEL, label);
    }
    return store;
  }

  /** Opens an existing store with the options it was created with. STORE_EMPTY: it never had a block. */
  static async openRecorded(dir: string, options: { readonly readOnly?: boolean } & UndoOptions = {}): Promise<Store> {
    const kept = checkedKept(options);
    return Store.#with(Rocks.open(dir, false), (rocks) => {
      const store = new Store(rocks, options, kept);
      if (store.recordedIdentity() === undefined) assertNew(rocks, dir);
      const recorded = store.identity();
      checkIdentity(dir, recorded, identityOf(recorded));
      return store;
    });
  }

  /** What the store in `dir` was created with, by whatever version. It must not be open elsewhere. */
  static async inspect(dir: string): Promise<StoreIdentity> {
    const rocks = await Rocks.open(dir, false);
    const read = async (): Promise<StoreIdentity> => new Store(rocks, { readOnly: true }, checkedKept({})).identity();
    return read().finally(() => rocks.close());
  }

  /** Reads through the handle of a store that another thread has open and keeps open meanwhile. Never closes it. */
  static async attach(handle: bigint | undefined): Promise<StoreReader> {
    if (handle === undefined) throw new InternalError('a database that cannot be shared was to be attached to');
    return new Store(await Rocks.attach(handle), { readOnly: true }, checkedKept({}));
  }

  static async #with(opened: Promise<Rocks>, use: (rocks: Rocks) => Store): Promise<Store> {
    const rocks = await opened;
    try {
      return use(rocks);
    } catch (error) {
      await rocks.close();
      throw error;
    }
  }

  /** For {@link Store.attach} in worker threads of this process; undefined if the database cannot be shared. */
  get handle(): bigint | undefined {
    return this.rocks.handle;
  }

  /**
   * Closes the database, whatever fails before. Attached threads must have ended before. A failed write is not reported
   * again.
   */
  async close(): Promise<void> {
    try {
      try {
        if (this.#failed === undefined && !this.#readOnly) this.trees.flush();
        if (this.#unsynced !== undefined && this.#failed === undefined) this.#sync();
      } finally {
        await this.rocks.close();
      }
    } catch (error) {
      if (this.#failed === undefined) throw error;
    }
  }

  /** What the store was created with, or will be with its first block. Throws STORE_EMPTY where neither is known. */
  override identity(): StoreIdentity {
    return this.#stamp?.identity ?? super.identity();
  }

  override genesis(): Uint8Array | undefined {
    return this.#stamp?.genesis ?? super.genesis();
  }

  override label(): string | undefined {
    return this.#stamp?.label ? new TextDecoder().decode(this.#stamp.label) : super.label();
  }

  /**
   * Records `hash` (32 bytes, wire order) as that of block 0 of the chain, if none is recorded, in a new store with
   * its first block; another one than the recorded, or than that of the store's own block 0, is refused:
   * STORE_OTHER_CHAIN.
   */
  recordGenesis(hash: Uint8Array): void {
    if (hash.length !== 32) throw new InternalError('the hash of a block has 32 bytes');
    const recorded = this.genesis();
    const known = recorded ?? this.blockHash(0);
    if (known !== undefined && !bytesEqual(known, hash)) {
      throw new StoreError('STORE_OTHER_CHAIN', 'the store was made from a chain with another genesis block', {
        facts: { recorded: toDisplayHash(known), offered: toDisplayHash(hash) },
        hint: 'Name a node of the chain that the store was made from, or another folder.',
      });
    }
    if (recorded !== undefined) return;
    this.#assertWritable();
    if (this.#stamp === undefined) this.#putMeta(META_GENESIS, hash);
    else this.#stamp = { ...this.#stamp, genesis: new Uint8Array(hash) };
  }

  /** Brings everything that was written to the disk. */
  #sync(): void {
    const tip = this.tip();
    if (tip !== undefined) this.#putMeta(META_TIP, beU32(tip.height));
  }

  #putMeta(key: Uint8Array, value: Uint8Array): void {
    const batch = this.rocks.batch();
    batch.put('meta', key, value);
    this.#write(batch);
  }

  /**
   * `sync`: false leaves it to a later write to bring this one to the disk, unless much waits for that, or for long.
   */
  #write(batch: DatabaseBatch, sync = true): void {
    const { bytes } = batch;
    const since = this.#unsynced?.since ?? performance.now();
    const waiting = (this.#unsynced?.bytes ?? 0) + bytes;
    const now = sync || waiting > UNSYNCED_BYTES || performance.now() - since > UNSYNCED_MS;
    try {
      batch.write(now);
      this.#unsynced = now ? undefined : { since, bytes: waiting };
    } catch (error) {
      this.trees.invalidate();
      if (error instanceof StoreError) this.#failed = error;
      throw error;
    }
  }

  /**
   * Commits a whole block: all writes, undo data, receipts, plan, header, trees and tip, in one batch, which
   * drops undo data that is no longer kept. `height` must be the tip's + 1 (any height in an empty store), else
   * STORE_NOT_NEXT. After STORE_WRITE_FAILED the store stands at the last whole block and takes no more writes until
   * it is opened again. Returns the roots after the block.
   */
  commitBlock(block: BlockCommit, { moreFollow = false, check }: CommitOptions = {}): StateRoots {
    this.#assertWritable();
    this.#assertNext(block);
    const batch = this.rocks.batch();
    let roots: StateRoots;
    try {
      const { height, standardWrites: standard, laneWrites: lane } = block;
      const update = this.trees.commit(batch, height, { S: standard, P: lane });
      roots = update.roots;
      check?.(roots);
      const touched = {
        S: commitVersions(this.rocks, batch, 'S', standard, height, update.existed.S),
        P: commitVersions(this.rocks, batch, 'P', lane, height, update.existed.P),
      };
      batch.put('undo', beU32(block.height), encodeTouched(touched));
      this.#keeping.prune(batch, block.height);
      batch.put('blocks', blockKey(block.height), encodeBlockRecord(block, roots));
      batch.put('blocks', planKey(block.height), encodeJson(block.plan));
      for (const receipt of block.receipts) {
        batch.put('blocks', receiptKey(block.height, receipt.index), encodeJson(receipt));
        batch.put('blocks', txKey(fromDisplayHash(receipt.txid), block.height, receipt.index), new Uint8Array(0));
      }
      batch.put('meta', META_TIP, beU32(block.height));
      if (this.#stamp !== undefined) putStamp(batch, this.#stamp);
    } catch (error) {
      this.trees.invalidate();
      batch.discard();
      this.#keeping.forget();
      throw error;
    }
    this.#write(batch, !moreFollow);
    this.trees.settle();
    this.#stamp = undefined;
    return roots;
  }

  /**
   * Undoes blocks from the tip down to `toHeight`, which becomes the tip; the height below the first block empties the
   * store, which is then bound to nothing again. One atomic batch per block: a crash leaves a whole state between.
   * Nothing of an undone block stays in the database. Below {@link lowestRollback} it throws STORE_ROLLBACK_TOO_DEEP
   * and touches nothing.
   */
  rollback(toHeight: number): void {
    this.#assertWritable();
    this.assertReachable(toHeight);
    for (;;) {
      const tip = this.tip();
      if (tip === undefined || tip.height <= toHeight) return;
      this.#undoBlock(tip.height);
    }
  }

  #undoBlock(height: number): void {
    this.#keeping.forget();
    const undo = this.rocks.get('undo', beU32(height));
    const record = this.blockRecord(height);
    if (undo === undefined || record === undefined) throw corrupt('undo record', height);
    const batch = this.rocks.batch();
    let stamp: Stamp | undefined;
    try {
      const restored = undoVersions(this.rocks, batch, undo, height);
      const before = this.blockRecord(height - 1);
      const roots = this.trees.undo(batch, height, restored, before === undefined);
      if (before !== undefined && before.roots.state !== roots.state) {
        throw new StoreError('STORE_CORRUPT', 'undoing a block does not give the state root before it', {
          facts: { height },
          hint: 'Replay the chain into a new folder.',
        });
      }
      this.#dropReceipts(batch, height);
      batch.del('undo', beU32(height));
      batch.del('blocks', blockKey(height));
      batch.del('blocks', planKey(height));
      if (before === undefined) {
        batch.del('meta', META_TIP);
        stamp = delStamp(batch, this);
      } else batch.put('meta', META_TIP, beU32(height - 1));
    } catch (error) {
      this.trees.invalidate();
      batch.discard();
      throw error;
    }
    this.#write(batch);
    this.trees.settle();
    this.#stamp = stamp;
  }

  #dropReceipts(batch: DatabaseBatch, height: number): void {
    const gte = receiptPrefix(height);
    for (const [key, value] of this.rocks.scan('blocks', { gte, lt: afterPrefix(gte) })) {
      const { txid, index } = decodeReceipt(value);
      batch.del('blocks', key);
      batch.del('blocks', txKey(fromDisplayHash(txid), height, index));
    }
  }

  #assertWritable(): void {
    if (this.#readOnly) throw new StoreError('STORE_READ_ONLY', 'the store was opened for reading only');
    if (this.#failed !== undefined) {
      const { facts, hint } = this.#failed;
      const message = 'a write failed before, the store takes no more until it is opened again';
      throw new StoreError('STORE_WRITE_FAILED', message, { facts, hint, cause: this.#failed });
    }
  }

  /** Throws STORE_ROLLBACK_TOO_DEEP if {@link rollback} to that height is not possible. */
  assertReachable(toHeight: number): void {
    const tip = this.tip();
    const lowest = this.lowestRollback();
    if (tip === undefined || toHeight >= lowest) return;
    throw new StoreError('STORE_ROLLBACK_TOO_DEEP', 'the undo data does not reach down to that height', {
      facts: { to: toHeight, lowest, tip: tip.height },
      hint: 'Restore an older snapshot or index into a new folder; a store that keeps more undo data reaches deeper.',
    });
  }

  #assertNext({ height, hash, header, receipts }: BlockCommit): void {
    const tip = this.tip();
    if (!Number.isInteger(height) || height < 0 || height > 0xfffffffe || (tip && height !== tip.height + 1)) {
      throw new StoreError('STORE_NOT_NEXT', 'the block does not follow the tip of the store', {
        facts: { height, ...(tip && { tip: tip.height }) },
        hint: 'Commit heights in order, or roll back first.',
      });
    }
    if (hash.length !== 32 || header.length !== 80) throw new InternalError('block hash or header of a wrong length');
    for (const receipt of receipts) {
      if (receipt.height !== height || !/^[0-9a-f]{64}$/.test(receipt.txid)) {
        throw new InternalError('a receipt does not belong to its block', { facts: { height, txid: receipt.txid } });
      }
    }
  }
}
