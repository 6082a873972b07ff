import { InternalError, StoreError } from '../errors/errors.js';
import { bytesEqual } from '../util/bytes.js';
import { addressIndexOf } from './address-writes.js';
import { BatchWriter } from './batch-writer.js';
import { assertAllNext, assertNext, rollbackTooDeep } from './block-order.js';
import { putBlock, putRows } from './block-rows.js';
import { packedWrites } from './block-writes.js';
import type { Database, DatabaseBatch } from './database.js';
import { putFinal } from './final.js';
import { putGroup } from './group-rows.js';
import { checkIdentity, identityOf } from './identity.js';
import { Keeping, type Kept } from './keeping.js';
import { beU32, META_GENESIS, META_LABEL, META_TIP } from './keys.js';
import { checkedKept, checkedLabel } from './options.js';
import { PieceWriter } from './pieces.js';
import { PIECE_BYTES } from './portions.js';
import { StoreReader } from './reader.js';
import { ReceiptsBeside } from './receipts-beside.js';
import { Rocks } from './rocks.js';
import { RowsBeside } from './rows-beside.js';
import { sortedWrites } from './sorted-writes.js';
import { assertNew, otherGenesis, putStamp, type Stamp } from './stamp.js';
import { takeBackTorn } from './torn.js';
import { Trees } from './trees.js';
import type { BlockCommit, CommitOptions, StateRoots, StoreIdentity, StoreOptions, UndoOptions } from './types.js';
import { undoneBlock } from './undo-block.js';
import { delUndo } from './undo-rows.js';
import { failureOf } from './writing-threads.js';

type Settings = Pick<
  StoreOptions,
  'readOnly' | 'treeBytes' | 'onTreeRemade' | 'onThreadLost' | 'pieceBytes' | 'partKeys'
>;

/**
 * State and history of both namespaces. One writer: the object that opened it. Each block counts as a whole, so
 * after a crash the store stands at the end of a whole block: the last one, unless the machine itself went down while
 * blocks followed each other (see {@link CommitOptions}). Errors are {@link StoreError}.
 */
export class Store extends StoreReader {
  /** Set by a write that failed: what the log holds of it is unknown until the store is opened again. */
  #failed: StoreError | undefined;
  /** Of a new store: written with its first block, so that what never got a block is bound to nothing. */
  #stamp: Stamp | undefined;
  readonly #readOnly: boolean;
  readonly #keeping: Keeping;
  readonly #keepUndo: number;
  readonly #settings: Settings;
  readonly #pieceBytes: number;
  readonly #writer: BatchWriter;
  readonly #receipts: ReceiptsBeside;
  readonly #rows: RowsBeside;

  private constructor(rocks: Database, settings: Settings, kept: Kept) {
    super(rocks);
    this.#readOnly = settings.readOnly ?? false;
    this.#keeping = new Keeping(rocks, kept);
    this.#keepUndo = kept.undo;
    this.#settings = settings;
    this.#pieceBytes = settings.pieceBytes ?? PIECE_BYTES;
    this.#writer = new BatchWriter(rocks, (error) => {
      this.trees.invalidate();
      if (error instanceof StoreError) this.#failed = error;
    });
    const beside = {
      pieceBytes: this.#pieceBytes,
      write: (batch: DatabaseBatch) => this.#write(batch, false),
      onLost: (cause: unknown) => settings.onThreadLost?.(cause),
    };
    this.#receipts = new ReceiptsBeside(rocks, beside);
    this.#rows = new RowsBeside(rocks, { ...beside, partKeys: settings.partKeys });
  }

  protected override makeTrees(): Trees {
    const { treeBytes, onTreeRemade: onRemake, onThreadLost } = this.#settings;
    const write = this.#readOnly ? undefined : (batch: DatabaseBatch) => this.#write(batch, false);
    return new Trees(this.treesOwner(), { keepUndo: this.#keepUndo, treeBytes, onRemake, onThreadLost, write });
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
    takeBackTorn(database, (batch) => batch.write(), options.pieceBytes);
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
      takeBackTorn(rocks, (batch) => batch.write());
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
   * Closes the database, whatever fails before. Attached threads must have ended. A failed write is not told again.
   */
  async close(): Promise<void> {
    try {
      try {
        if (this.#failed === undefined && !this.#readOnly) this.trees.flush();
        if (this.#writer.isBehind && this.#failed === undefined) this.#sync();
      } finally {
        await this.trees.close();
        await this.#receipts.close();
        await this.#rows.close();
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
    if (known !== undefined && !bytesEqual(known, hash)) throw otherGenesis(known, hash);
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

  #write(batch: DatabaseBatch, sync = true): void {
    this.#writer.write(batch, sync);
  }

  /**
   * Commits a whole block: all writes, undo data unless it is final, receipts, plan, header, trees and tip, in one
   * batch, which drops undo data that is no longer kept; a block whose rows are too many for one, in pieces of which
   * none counts before the last (pieces.ts). `height` must be the tip's + 1 (any height in an empty store), else
   * STORE_NOT_NEXT. After STORE_WRITE_FAILED the store stands at the last whole block and takes no more writes until it
   * is opened again. Returns the roots after the block.
   */
  commitBlock(block: BlockCommit, options: CommitOptions = {}): StateRoots {
    this.#assertWritable();
    assertNext(this.tip(), block);
    const { height } = block;
    const final = this.#isFinal(options);
    const pieces = new PieceWriter(this.rocks, height, this.#pieceBytes, (batch) => this.#write(batch, false));
    let roots: StateRoots;
    let isLarge: boolean;
    try {
      this.#receipts.begin(block);
      const writes = { S: packedWrites(block.standardWrites), P: packedWrites(block.laneWrites) };
      const hashing = performance.now();
      const update = this.trees.update(writes);
      const begun = performance.now() - hashing;
      const beside = this.#rows.takes(writes.S.size + writes.P.size) ? this.#rows : undefined;
      const sorted = sortedWrites(writes, update.existed, beside?.roomFor);
      const rows = { writes: sorted, addresses: addressIndexOf(this)?.changes(block) };
      this.#writer.wrote(putRows(this.rocks, pieces, block, rows, { final, beside }));
      this.#writer.wrote(this.#receipts.put(pieces, block));
      const waiting = performance.now();
      roots = update.roots();
      options.onTree?.(begun + performance.now() - waiting);
      options.check?.(roots);
      isLarge = pieces.begun || this.#rows.isLarge;
      this.#putEnd(pieces, block, roots, { final, isLarge });
    } catch (error) {
      this.trees.invalidate();
      pieces.discard();
      this.#keeping.forget();
      if (error instanceof StoreError && error.code === 'STORE_WRITE_FAILED') this.#failed ??= error;
      const given = [this.#receipts.abandon(), this.#rows.abandon()];
      this.#failed ??= failureOf(given);
      const isBegun = pieces.begun || given.some((each) => each.isBegun);
      if (isBegun && this.#failed === undefined) this.#takeBack();
      throw error;
    }
    this.#write(pieces.last(), !options.moreFollow);
    this.trees.settle();
    this.#stamp = undefined;
    if (isLarge) this.trees.storeAfter(height);
    return roots;
  }

  /**
   * Commits blocks that follow each other in one batch, none of which has receipts or writes to namespace P: what a
   * key was between two of them is in the history only. Roots are computed and recorded of the last one; they are
   * returned. All else is as after {@link commitBlock} of each. They have room in memory several times over.
   */
  commitBlocks(blocks: readonly BlockCommit[], options: Omit<CommitOptions, 'check'> = {}): StateRoots {
    this.#assertWritable();
    const final = this.#isFinal(options);
    const last = assertAllNext(this.tip(), blocks);
    const batch = this.rocks.batch();
    let roots: StateRoots;
    try {
      roots = putGroup(this.rocks, batch, blocks, { trees: this.trees, addresses: addressIndexOf(this), final });
      this.#keeping.prune(batch, last.height, blocks.length, final);
      if (final) putFinal(batch, last.height);
      if (this.#stamp !== undefined) putStamp(batch, this.#stamp);
    } catch (error) {
      this.trees.invalidate();
      batch.discard();
      this.#keeping.forget();
      throw error;
    }
    this.#write(batch, !options.moreFollow);
    this.trees.settle();
    this.#stamp = undefined;
    return roots;
  }

  #isFinal({ final = false }: CommitOptions): boolean {
    return final && this.#keeping.allowsFinal;
  }

  /** What makes it count. `isLarge`: its rows are too many for one batch. */
  #putEnd(
    pieces: PieceWriter,
    block: BlockCommit,
    roots: StateRoots,
    { final, isLarge }: { readonly final: boolean; readonly isLarge: boolean },
  ): void {
    const { height } = block;
    const batch = pieces.last();
    if (final) putFinal(batch, height);
    // Those of a large one come behind the block: trees in portions, and the rest with the next block. What is pruned
    // here might be needed until the trees are stored.
    if (isLarge) {
      this.trees.storeBefore(batch, height);
    } else {
      this.trees.store(batch, height);
      this.#keeping.prune(batch, height, 1, final);
    }
    if (final && (pieces.begun || this.#rows.isBegun)) delUndo(this.rocks, batch, height);
    this.#rows.putEnd(batch);
    this.#receipts.putEnd(batch);
    putBlock(batch, block, roots);
    if (this.#stamp !== undefined) putStamp(batch, this.#stamp);
  }

  /** After this the block whose writing was given up has never been there. */
  #takeBack(): void {
    try {
      takeBackTorn(this.rocks, (batch) => this.#write(batch, false), this.#pieceBytes);
    } catch (error) {
      const message = 'the rows of a block that was given up could not be taken back';
      this.#failed ??=
        error instanceof StoreError ? error : new StoreError('STORE_WRITE_FAILED', message, { cause: error });
      throw error;
    }
  }

  /**
   * Undoes blocks from the tip down to `toHeight`, which becomes the tip; the height below the first block empties the
   * store, which is then bound to nothing again. One atomic batch per block, and for one that was written in pieces
   * others that take them back: a crash leaves a whole state between.
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
    const { batch, stamp, fits } = undoneBlock(this, this.rocks, this.trees, height, this.#pieceBytes);
    this.#write(batch);
    this.trees.settle();
    this.#stamp = stamp;
    if (!fits) this.#takeBack();
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
    throw rollbackTooDeep(toHeight, lowest, tip.height);
  }
}
