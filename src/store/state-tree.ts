import { InternalError } from '../errors.js';
import { compareBytes, toBinaryString } from '../util/bytes.js';
import { EMPTY_HASH, leafHash, sha256 } from './tree-hash.js';
import {
  decodePage,
  emptyPage,
  encodePage,
  leafKeyKey,
  loneLeaf,
  nibble,
  type Page,
  pageKey,
  rangeHash,
  SLOTS,
  type Slot,
} from './tree-page.js';
import type { StateProof } from './tree-proof.js';

/** Where the tree's rows are read from: the `tree` column, or a map in tests. */
export interface TreeSource {
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

/** Rows to write into the `tree` column (undefined = delete), and the root that they make. */
export interface TreeUpdate {
  readonly root: Uint8Array;
  readonly rows: ReadonlyMap<string, Uint8Array | undefined>;
}

/** The current value of a key, for proofs. */
export type ValueOf = (key: Uint8Array) => Uint8Array | undefined;

interface Change {
  readonly keyHash: Uint8Array;
  readonly key: Uint8Array;
  /** undefined: the key is removed. */
  readonly hash: Uint8Array | undefined;
}

/** Longest path in nibbles; two keys that share it would be a SHA-256 collision. */
const MAX_DEPTH = 64;

/** The state tree of one namespace over its stored pages. Holds no state of its own: every call reads the source. */
export class StateTree {
  constructor(
    private readonly source: TreeSource,
    /** Byte that begins the namespace's rows: an upper-case ASCII letter. */
    private readonly namespace: number,
  ) {}

  /** Root of the stored tree. */
  root(): Uint8Array {
    const bytes = this.source.getMany([pageKey(this.namespace, EMPTY_HASH, 0)])[0];
    return bytes === undefined ? EMPTY_HASH : new Uint8Array(rangeHash(decodePage(bytes), 0, SLOTS));
  }

  /**
   * Applies a batch: value bytes (an empty value is a leaf like any other), or undefined to remove the key.
   * Keys are binary strings. Writes nothing: the caller puts the rows into its own batch.
   */
  update(writes: Iterable<readonly [key: string, value: Uint8Array | undefined]>): TreeUpdate {
    const changes: Change[] = [];
    for (const [name, value] of writes) {
      const key = Buffer.from(name, 'latin1');
      changes.push({ keyHash: sha256(key), key, hash: value === undefined ? undefined : leafHash(key, sha256(value)) });
    }
    if (changes.length === 0) return { root: this.root(), rows: new Map() };
    changes.sort((a, b) => compareBytes(a.keyHash, b.keyHash));
    const update = new Updater(this.namespace, this.load(changes));
    const slot = update.apply(changes);
    return { root: new Uint8Array(slot), rows: update.rows };
  }

  /**
   * Proof that `key` has its value, or that it is absent, under {@link root}.
   * `valueOf` gives current values: an absence proof may have to show the leaf that stands in the key's place.
   */
  prove(key: Uint8Array, valueOf: ValueOf): StateProof {
    const keyHash = sha256(key);
    const siblings: Uint8Array[] = [];
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const bytes = this.source.getMany([pageKey(this.namespace, keyHash, depth)])[0];
      if (bytes === undefined) {
        if (depth === 0) return { siblings, leaf: undefined };
        throw new InternalError('a page of the state tree is missing', { facts: { depth } });
      }
      const end = this.descend(decodePage(bytes), nibble(keyHash, depth), siblings);
      if (end === 'child') continue;
      if (end === undefined) return { siblings, leaf: undefined };
      const leafKey = this.source.getMany([leafKeyKey(this.namespace, end.keyHash)])[0];
      const value = leafKey && valueOf(leafKey);
      if (leafKey === undefined || value === undefined) {
        throw new InternalError('a leaf of the state tree has no key or no value');
      }
      return { siblings, leaf: { key: new Uint8Array(leafKey), valueHash: new Uint8Array(sha256(value)) } };
    }
    throw new InternalError('the state tree is deeper than its keys');
  }

  /** Walks one page towards slot `at`, adding siblings top-down; ends at a leaf, an empty place or the page below. */
  private descend(
    page: Page,
    at: number,
    siblings: Uint8Array[],
  ): Extract<Slot, { kind: 'leaf' }> | 'child' | undefined {
    let from = 0;
    let to = SLOTS;
    for (;;) {
      const inside = page.slice(from, to).filter((slot) => slot !== undefined);
      if (inside.length === 0) return undefined;
      const only = inside.length === 1 ? inside[0] : undefined;
      if (only?.kind === 'leaf') return only;
      if (to - from === 1) return 'child';
      const middle = (from + to) >> 1;
      if (at < middle) {
        siblings.push(new Uint8Array(rangeHash(page, middle, to)));
        to = middle;
      } else {
        siblings.push(new Uint8Array(rangeHash(page, from, middle)));
        from = middle;
      }
    }
  }

  /** Pages on the paths of the changes, level by level so that each level is one read. */
  private load(changes: readonly Change[]): Map<string, Page> {
    const pages = new Map<string, Page>();
    let wanted: readonly Uint8Array[] = [EMPTY_HASH];
    for (let depth = 0; wanted.length > 0; depth++) {
      const keys = wanted.map((keyHash) => pageKey(this.namespace, keyHash, depth));
      const found = this.source.getMany(keys);
      const here = new Map<string, Page>();
      keys.forEach((key, i) => {
        const bytes = found[i];
        if (bytes !== undefined) here.set(toBinaryString(key), decodePage(bytes));
        else if (depth > 0) throw new InternalError('a page of the state tree is missing', { facts: { depth } });
      });
      for (const [key, page] of here) pages.set(key, page);
      wanted = depth + 1 < MAX_DEPTH && here.size > 0 ? this.below(changes, here, depth) : [];
    }
    return pages;
  }

  /** One key hash per page below `depth` that the changes reach. */
  private below(changes: readonly Change[], pages: ReadonlyMap<string, Page>, depth: number): Uint8Array[] {
    const wanted: Uint8Array[] = [];
    let last = '';
    for (const { keyHash } of changes) {
      const page = pages.get(toBinaryString(pageKey(this.namespace, keyHash, depth)));
      if (page?.[nibble(keyHash, depth)]?.kind !== 'child') continue;
      const below = toBinaryString(pageKey(this.namespace, keyHash, depth + 1));
      if (below !== last) wanted.push(keyHash);
      last = below;
    }
    return wanted;
  }
}

/** Rebuilds the pages that a sorted batch of changes reaches. */
class Updater {
  readonly rows = new Map<string, Uint8Array | undefined>();

  constructor(
    private readonly namespace: number,
    private readonly pages: ReadonlyMap<string, Page>,
  ) {}

  /** Root after the changes. */
  apply(changes: readonly Change[]): Uint8Array {
    const key = toBinaryString(pageKey(this.namespace, EMPTY_HASH, 0));
    const stored = this.pages.get(key);
    const page = this.rebuild(stored ?? emptyPage(), changes, 0);
    if (page.some((slot) => slot !== undefined)) this.rows.set(key, encodePage(page));
    else if (stored !== undefined) this.rows.set(key, undefined);
    return rangeHash(page, 0, SLOTS);
  }

  private rebuild(old: Page, changes: readonly Change[], depth: number): Page {
    const page = old.slice();
    for (let from = 0; from < changes.length; ) {
      const at = nibble(changes[from].keyHash, depth);
      let to = from + 1;
      while (to < changes.length && nibble(changes[to].keyHash, depth) === at) to++;
      page[at] = this.place(page[at], changes.slice(from, to), depth);
      from = to;
    }
    return page;
  }

  /** The slot at `depth` after the changes that lead into it. */
  private place(slot: Slot | undefined, changes: readonly Change[], depth: number): Slot | undefined {
    if (slot?.kind === 'child') return this.below(changes, depth + 1);
    const leaves: Change[] = [];
    let standing = slot;
    for (const change of changes) {
      const same = standing !== undefined && compareBytes(standing.keyHash, change.keyHash) === 0;
      if (standing !== undefined && !same && compareBytes(standing.keyHash, change.keyHash) < 0) {
        leaves.push({ keyHash: standing.keyHash, key: EMPTY_HASH, hash: standing.hash });
        standing = undefined;
      }
      if (same) standing = undefined;
      this.name(change, same);
      if (change.hash !== undefined) leaves.push(change);
    }
    if (standing !== undefined) leaves.push({ keyHash: standing.keyHash, key: EMPTY_HASH, hash: standing.hash });
    return this.build(leaves, depth + 1);
  }

  /** A new subtree at `depth` over sorted leaves whose keys are named already. */
  private build(leaves: readonly Change[], depth: number): Slot | undefined {
    if (leaves.length === 0) return undefined;
    if (leaves.length === 1) return { kind: 'leaf', keyHash: leaves[0].keyHash, hash: leaves[0].hash ?? EMPTY_HASH };
    if (depth >= MAX_DEPTH) throw new InternalError('two keys have the same SHA-256');
    const page = emptyPage();
    for (let from = 0; from < leaves.length; ) {
      const at = nibble(leaves[from].keyHash, depth);
      let to = from + 1;
      while (to < leaves.length && nibble(leaves[to].keyHash, depth) === at) to++;
      page[at] = this.build(leaves.slice(from, to), depth + 1);
      from = to;
    }
    this.rows.set(toBinaryString(pageKey(this.namespace, leaves[0].keyHash, depth)), encodePage(page));
    return { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
  }

  /** The page at `depth` on the changes' path; it collapses into its parent when one leaf or none is left. */
  private below(changes: readonly Change[], depth: number): Slot | undefined {
    const key = toBinaryString(pageKey(this.namespace, changes[0].keyHash, depth));
    const stored = this.pages.get(key);
    if (stored === undefined) throw new InternalError('a page of the state tree was not read', { facts: { depth } });
    const page = this.rebuild(stored, changes, depth);
    const leaf = loneLeaf(page);
    if (leaf !== undefined || page.every((slot) => slot === undefined)) {
      this.rows.set(key, undefined);
      return leaf;
    }
    this.rows.set(key, encodePage(page));
    return { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
  }

  /** Keeps the row that tells a leaf's key: made with the leaf, removed with it. */
  private name(change: Change, existed: boolean): void {
    const row = (): string => toBinaryString(leafKeyKey(this.namespace, change.keyHash));
    if (change.hash !== undefined && !existed) this.rows.set(row(), change.key);
    if (change.hash === undefined && existed) this.rows.set(row(), undefined);
  }
}
