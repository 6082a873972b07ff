import { InternalError } from '../errors.js';
import { sha256 } from './sha256.js';
import { EMPTY_HASH } from './tree-hash.js';
import { decodePage, leafKeyKey, nibble, type Page, pageKey, rangeHash, SLOTS, type Slot } from './tree-page.js';
import type { StateProof } from './tree-proof.js';
import { MAX_DEPTH, sortedChanges, type TreeRow, TreeUpdater } from './tree-update.js';

/** Where the tree's rows are read from: the `tree` column, or a map in tests. */
export interface TreeSource {
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

/** Rows to write into the `tree` column (undefined = delete), and the root that they make. */
export interface TreeUpdate {
  readonly root: Uint8Array;
  readonly rows: readonly TreeRow[];
}

/** The current value of a key, for proofs. */
export type ReadValue = (key: Uint8Array) => Uint8Array | undefined;

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
    return bytes === undefined ? EMPTY_HASH : rangeHash(decodePage(bytes), 0, SLOTS);
  }

  /**
   * Applies a batch: value bytes (an empty value is a leaf like any other), or undefined to remove the key.
   * Keys are binary strings. Writes nothing: the caller puts the rows into its own batch.
   */
  update(writes: Iterable<readonly [key: string, value: Uint8Array | undefined]>): TreeUpdate {
    const changes = sortedChanges(writes);
    if (changes.length === 0) return { root: this.root(), rows: [] };
    const updater = new TreeUpdater(this.source, this.namespace, changes);
    return { root: updater.apply(), rows: updater.rows };
  }

  /**
   * Proof that `key` has its value, or that it is absent, under {@link root}.
   * `readValue` gives current values: an absence proof may have to show the leaf that stands in the key's place.
   */
  prove(key: Uint8Array, readValue: ReadValue): StateProof {
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
      const value = leafKey && readValue(leafKey);
      if (leafKey === undefined || value === undefined) {
        throw new InternalError('a leaf of the state tree has no key or no value');
      }
      return { siblings, leaf: { key: new Uint8Array(leafKey), valueHash: sha256(value) } };
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
}
