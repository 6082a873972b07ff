import { toHex } from '../util/bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { isWithoutTree, type LoadLimits, loadStored, makeTree, type TreeOrigin } from './tree/load-tree.js';
import { type EmitRow, StateTree, type SweepLimits, type TreeWriter } from './tree/state-tree.js';
import { sweepOf } from './tree/sweep.js';
import { combinedRoot } from './tree/tree-hash.js';
import { TreeHasher } from './tree/tree-hasher.js';
import { MOST_BITS, ROW_BITS, TreeMemory, type TreeWrites } from './tree/tree-memory.js';
import type { StateProof } from './tree/verify-proof.js';
import { treeOrigin } from './tree-origin.js';
import type { Namespace, StateRoots, Tip } from './types.js';

const NAMESPACES = ['S', 'P'] as const satisfies readonly Namespace[];

/** Memory of both trees together, in bytes, if nothing else is said. */
const DEFAULT_TREE_BYTES = 512 << 20;
/** Writes of a block from which on another thread hashes while this one stores rows. */
const HASHED_BESIDE = 2_000;
/** Bytes that the tables of a tree take for each of its buckets, about. */
const BUCKET_BYTES = 75;

/** What the trees want of their store. */
export interface TreesOwner {
  readonly rocks: Database;
  tip(): Tip | undefined;
  roots(height: number): StateRoots | undefined;
}

export interface TreesOptions {
  /** Blocks whose undo data stays. */
  readonly keepUndo: number;
  /** See {@link DEFAULT_TREE_BYTES}. */
  readonly treeBytes?: number | undefined;
  /** Called for each thread that hashes beside this one and is lost: it is not used any more then. */
  readonly onThreadLost?: ((cause: unknown) => void) | undefined;
  /** Called before a tree is made from the state because its rows do not give it. */
  readonly onRemake?: ((namespace: Namespace) => void) | undefined;
  /** Writes a portion of rows; undefined where the store may only be read. */
  readonly write: ((batch: DatabaseBatch) => void) | undefined;
}

export interface TreesUpdate {
  /** Waits until the trees are hashed; nothing else may be asked of them before. */
  readonly roots: () => StateRoots;
  /** By write of each namespace, in the order of its writes: 1 if the key was there before, 0 if not. */
  readonly existed: Readonly<Record<Namespace, Uint8Array>>;
}

/** The state trees of a store. They are loaded when they are first wanted. */
export class Trees {
  readonly #owner: TreesOwner;
  readonly #options: TreesOptions;
  readonly #treeBytes: number;
  readonly #hasher: TreeHasher;
  readonly #loaded: Partial<Record<Namespace, StateTree>> = {};
  /** Keys that the last update wrote. */
  #written: Readonly<Record<Namespace, number>> = { S: 0, P: 0 };
  /** Hash of the block after which the loaded trees are, hex; undefined in an empty store. */
  #at: string | undefined;

  constructor(owner: TreesOwner, options: TreesOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#treeBytes = options.treeBytes ?? DEFAULT_TREE_BYTES;
    this.#hasher = new TreeHasher({ onLost: options.onThreadLost });
  }

  /** Ends the thread that hashes; the trees are good for nothing then. */
  async close(): Promise<void> {
    await this.#hasher.close();
  }

  /** Bytes of memory that both take. */
  get bytes(): number {
    return NAMESPACES.reduce((sum, ns) => sum + (this.#loaded[ns]?.bytes ?? 0), 0);
  }

  /** Applies the writes of the block after the tip, in memory. */
  update(writes: Readonly<Record<Namespace, TreeWrites>>): TreesUpdate {
    const [standard, lane] = [this.tree('S'), this.tree('P')];
    this.#written = { S: writes.S.size, P: writes.P.size };
    const existed = { S: standard.add(writes.S), P: lane.add(writes.P) };
    const beside = writes.S.size + writes.P.size >= HASHED_BESIDE;
    if (beside) this.#hasher.begin([standard, lane]);
    const roots = (): StateRoots => {
      if (beside) this.#hasher.end();
      else for (const tree of [standard, lane]) tree.hash();
      return rootsOf(standard.root(), lane.root());
    };
    return { roots, existed };
  }

  /**
   * Puts what is to be stored of the trees with the block of `height`, just applied, into its batch; `blocks`: the last
   * so many were applied at once.
   */
  store(batch: DatabaseBatch, height: number, blocks = 1): void {
    for (const ns of NAMESPACES) this.tree(ns).store(height, this.#sweepLimits(ns, blocks), emitTo(batch));
  }

  /** Puts what {@link storeAfter} needs into the batch: a tree that has never been stored gets its header. */
  storeBefore(batch: DatabaseBatch, height: number): void {
    for (const ns of NAMESPACES) this.tree(ns).begin(height, emitTo(batch));
  }

  /** As {@link store} in writes of their own, for a block that is stored already: one batch would be too large. */
  storeAfter(height: number): void {
    const { write } = this.#options;
    if (write === undefined) return;
    for (const ns of NAMESPACES) {
      const writer = this.#writer(write);
      this.tree(ns).store(height, this.#sweepLimits(ns), writer.emit, writer.write);
    }
  }

  /** Applies values from before the block at the tip, in memory; {@link endUndo} tells the roots. */
  undo(ns: Namespace, writes: TreeWrites): void {
    this.tree(ns).add(writes);
  }

  endUndo(): StateRoots {
    return this.update({ S: new Map(), P: new Map() }).roots();
  }

  /** Puts the trees without the block of `height` into the batch that undoes it. `empties`: it was the only block. */
  storeUndone(batch: DatabaseBatch, height: number, empties: boolean): void {
    for (const ns of NAMESPACES) this.tree(ns).storeUndone(height, emitTo(batch));
    if (empties) this.#dropRows(batch);
  }

  /**
   * The same with what is too much for a batch in writes of their own, before `batch` is written: if it never is, the
   * trees are made from the state when they are loaded.
   */
  storeUndoneBefore(batch: DatabaseBatch, height: number, empties: boolean): void {
    const { write } = this.#options;
    if (write === undefined) return;
    for (const ns of NAMESPACES) {
      this.tree(ns).storeUndoneInPortions(height, this.#writer(write));
      if (!empties) this.tree(ns).storeHeader(emitTo(batch));
    }
    if (empties) this.#dropRows(batch);
  }

  #dropRows(batch: DatabaseBatch): void {
    for (const [key] of this.#owner.rocks.scan('tree')) batch.del('tree', new Uint8Array(key));
  }

  #sweepLimits(ns: Namespace, applied = 1): SweepLimits {
    const { leaves, rows } = this.tree(ns);
    const { keepUndo } = this.#options;
    const written = this.#written[ns] / applied;
    const { blocks, behind } = sweepOf({ leaves, rows, written, keepUndo, loses: ns === 'P' });
    return { blocks: Math.max(1, blocks / applied), behind, bytes: this.#roomOf(ns) };
  }

  /** Says that what was updated is stored: the trees are after the tip. */
  settle(): void {
    this.#at = this.#tipHash();
  }

  /** Forgets the trees: after an error they may not be those of the tip. They are loaded again when they are wanted. */
  invalidate(): void {
    this.#hasher.abandon();
    for (const ns of NAMESPACES) delete this.#loaded[ns];
  }

  /** Proof under the tip's root of `ns` that `key` has its value or is absent. */
  prove(ns: Namespace, key: Uint8Array): StateProof {
    // Another thread may have gone on.
    if (this.#at !== this.#tipHash()) this.invalidate();
    return this.tree(ns).prove(key);
  }

  /** As {@link prove}, with the values `then` of some keys; after that they have their current ones, `now`, again. */
  proveWith(ns: Namespace, key: Uint8Array, then: TreeWrites, now: TreeWrites): StateProof {
    if (this.#at !== this.#tipHash()) this.invalidate();
    const tree = this.tree(ns);
    try {
      tree.update(then);
      const proof = tree.prove(key);
      tree.update(now);
      return proof;
    } catch (error) {
      this.invalidate();
      throw error;
    }
  }

  /** Writes what is not stored yet, before the store is closed. */
  flush(): void {
    const tip = this.#owner.tip();
    const { write } = this.#options;
    if (tip === undefined || write === undefined) return;
    for (const ns of NAMESPACES) this.#loaded[ns]?.flush(tip.height, this.#writer(write));
  }

  /** Makes both trees from the state and stores them. Throws StoreError STORE_CORRUPT if they do not give its roots. */
  remake(): void {
    this.invalidate();
    for (const ns of NAMESPACES) this.#loaded[ns] = this.#make(this.#origin(ns), this.#limits(ns));
    this.settle();
  }

  tree(ns: Namespace): StateTree {
    const loaded = this.#loaded[ns];
    if (loaded !== undefined) return loaded;
    const tree = this.#load(ns);
    this.#loaded[ns] = tree;
    this.#at = this.#tipHash();
    return tree;
  }

  #tipHash(): string | undefined {
    const tip = this.#owner.tip();
    return tip && toHex(tip.hash);
  }

  #load(ns: Namespace): StateTree {
    const origin = this.#origin(ns);
    const limits = this.#limits(ns);
    if (isWithoutTree(origin)) {
      return new StateTree(new TreeMemory({ mostBits: limits.mostBits }), origin, origin.namespace, undefined);
    }
    const stored = loadStored(origin, limits);
    if (stored !== undefined) return stored;
    this.#options.onRemake?.(ns);
    return this.#make(origin, limits);
  }

  #make(origin: TreeOrigin, limits: LoadLimits): StateTree {
    const { write } = this.#options;
    return makeTree(origin, limits, write && this.#writer(write));
  }

  #roomOf(ns: Namespace): number {
    return this.#treeBytes - (this.#loaded[ns === 'S' ? 'P' : 'S']?.bytes ?? 0);
  }

  #limits(ns: Namespace): LoadLimits {
    const mostBits = Math.floor(Math.log2(Math.max(1, this.#treeBytes / (2 * BUCKET_BYTES))));
    return { bytes: this.#roomOf(ns), mostBits: Math.max(ROW_BITS, Math.min(mostBits, MOST_BITS)) };
  }

  #writer(write: (batch: DatabaseBatch) => void): TreeWriter {
    let batch: DatabaseBatch | undefined;
    return {
      emit: (key, value) => {
        batch ??= this.#owner.rocks.batch();
        emitTo(batch)(key, value);
      },
      write: () => {
        if (batch !== undefined) write(batch);
        batch = undefined;
      },
    };
  }

  #origin(ns: Namespace): TreeOrigin {
    const tip = this.#owner.tip();
    const roots = tip && this.#owner.roots(tip.height);
    return treeOrigin(this.#owner.rocks, ns, tip?.height ?? -1, ns === 'S' ? roots?.standard : roots?.lane);
  }
}

function rootsOf(standard: Uint8Array, lane: Uint8Array): StateRoots {
  return { standard: toHex(standard), lane: toHex(lane), state: toHex(combinedRoot(standard, lane)) };
}

function emitTo(batch: DatabaseBatch): EmitRow {
  return (key, value) => {
    if (value === undefined) batch.del('tree', key);
    else batch.put('tree', key, value);
  };
}
