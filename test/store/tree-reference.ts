/** The definition of the state tree, straight from it, and a tree with its rows in a map that stands for the column. */
import { loadStored, makeTree, type TreeOrigin } from '../../src/store/tree/load-tree.js';
import { type EmitRow, StateTree, type SweepLimits } from '../../src/store/tree/state-tree.js';
import { EMPTY_HASH, leafHash, nodeHash, pathBit, pathOf, valueHashOf } from '../../src/store/tree/tree-hash.js';
import { MOST_BITS, TreeMemory } from '../../src/store/tree/tree-memory.js';
import { compareBytes, fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import { bytes, name } from './helpers.js';

export interface Leaf {
  readonly path: Uint8Array;
  readonly valueHash: Uint8Array;
}

/** Split by bits until a leaf is alone. */
export function rootOfLeaves(leaves: readonly Leaf[], depth = 0): Uint8Array {
  if (leaves.length === 0) return EMPTY_HASH;
  if (leaves.length === 1) return leafHash(leaves[0].path, leaves[0].valueHash);
  const side = (bit: number) =>
    rootOfLeaves(
      leaves.filter(({ path }) => pathBit(path, depth) === bit),
      depth + 1,
    );
  return nodeHash(side(0), side(1));
}

export type Pairs = ReadonlyMap<string, Uint8Array>;

export function rootOfPairs(pairs: Pairs): string {
  const leaves = [...pairs].map(([key, value]) => ({
    path: pathOf(fromBinaryString(key)),
    valueHash: valueHashOf(value),
  }));
  return toHex(rootOfLeaves(leaves));
}

export const NAMESPACE = 0x53;

const UNBOUNDED: SweepLimits = { blocks: 4, behind: 8, bytes: Number.POSITIVE_INFINITY };

/** A chain of states: what a store does with a tree, over maps. Nothing is checked here. */
export class TreeChain {
  /** The column `tree`. */
  rows = new Map<string, Uint8Array>();
  /** By height: the state after it. Height 0 is the first. */
  readonly states: Pairs[] = [];
  /** By height: the keys that it touched. */
  readonly touched: (readonly string[])[] = [];
  /** By height: the root that the tree gave, hex. */
  readonly roots: string[] = [];
  tree: StateTree;
  /** Bytes of the rows that the last step stored. */
  stored = 0;

  constructor(
    public limits: SweepLimits = UNBOUNDED,
    readonly mostBits = MOST_BITS,
  ) {
    this.tree = new StateTree(new TreeMemory({ mostBits }), this.origin(), NAMESPACE, undefined);
  }

  get state(): Pairs {
    return this.states.at(-1) ?? new Map();
  }

  get height(): number {
    return this.states.length - 1;
  }

  /** Commits a block; returns the root. */
  commit(writes: ReadonlyMap<string, Uint8Array | undefined>): string {
    const { root } = this.tree.update(writes);
    const state = new Map(this.state);
    for (const [key, value] of writes) {
      if (value === undefined) state.delete(key);
      else state.set(key, value);
    }
    this.states.push(state);
    this.touched.push([...writes.keys()]);
    this.roots.push(toHex(root));
    this.#store((emit) => this.tree.store(this.height, this.limits, emit));
    return toHex(root);
  }

  /** Undoes the last block; returns the root. */
  undo(): string {
    const before = this.states.at(-2) ?? new Map<string, Uint8Array>();
    const writes = new Map((this.touched.at(-1) ?? []).map((key) => [key, before.get(key)] as const));
    const { root } = this.tree.update(writes);
    this.#store((emit) => this.tree.storeUndone(this.height, emit));
    this.states.pop();
    this.touched.pop();
    this.roots.pop();
    return toHex(root);
  }

  #store(act: (emit: EmitRow) => void): void {
    const batch: [string, Uint8Array | undefined][] = [];
    act((key, value) => batch.push([toBinaryString(key), value?.slice()]));
    this.stored = 0;
    for (const [key, value] of batch) {
      this.stored += key.length + (value?.length ?? 0);
      if (value === undefined) this.rows.delete(key);
      else this.rows.set(key, value);
    }
  }

  /** Stores what is left, as a store does that is closed. */
  close(): void {
    let batch: [string, Uint8Array | undefined][] = [];
    this.tree.flush(this.height, {
      emit: (key, value) => batch.push([toBinaryString(key), value?.slice()]),
      write: () => {
        for (const [key, value] of batch) {
          if (value === undefined) this.rows.delete(key);
          else this.rows.set(key, value);
        }
        batch = [];
      },
    });
  }

  /** Loads the tree anew from what is stored. False if that does not give it. */
  reopen(bytes = this.limits.bytes): boolean {
    const tree = loadStored(this.origin(), { bytes, mostBits: this.mostBits });
    if (tree !== undefined) this.tree = tree;
    return tree !== undefined;
  }

  /** Makes the tree from the state and stores its rows. */
  remake(bytes = this.limits.bytes): void {
    const batch = this.rows;
    this.tree = makeTree(
      this.origin(),
      { bytes, mostBits: this.mostBits },
      {
        emit: (key, value) => {
          if (value === undefined) batch.delete(toBinaryString(key));
          else batch.set(toBinaryString(key), value.slice());
        },
        write: () => undefined,
      },
    );
  }

  origin(): TreeOrigin {
    const chain = this;
    return {
      namespace: NAMESPACE,
      get tip() {
        return chain.height;
      },
      get root() {
        return fromHex(chain.roots.at(-1) ?? '00'.repeat(32));
      },
      getMany: (keys) => keys.map((key) => this.rows.get(toBinaryString(key))),
      rows: () =>
        [...this.rows]
          .map(([key, value]) => [fromBinaryString(key), value] as const)
          .sort(([a], [b]) => compareBytes(a, b)),
      pairs: () => [...this.state].map(([key, value]) => [fromBinaryString(key), value] as const),
      touched: (height) => this.touched[height]?.map(fromBinaryString),
      values: (keys) => keys.map((key) => this.state.get(toBinaryString(key))),
      final: -1,
      changedFrom: () => [],
    };
  }
}

/** Few keys, so that blocks overwrite, delete and revive; now and then many at once, so that the buckets grow. */
export function randomWrites(random: (n: number) => number, keys: number): Map<string, Uint8Array | undefined> {
  const writes = new Map<string, Uint8Array | undefined>();
  for (let left = random(random(10) === 0 ? 200 : 20); left > 0; left--) {
    const key = random(12) === 0 ? '\0'.repeat(random(3)) : name(`key ${random(keys)}`);
    writes.set(key, random(3) === 0 ? undefined : bytes('v'.repeat(random(3)) + random(5)));
  }
  return writes;
}
