import { InternalError } from '../errors.js';
import { compareBytes, fromBinaryString } from '../util/bytes.js';
import { sha256 } from './sha256.js';
import type { TreeSource } from './state-tree.js';
import { EMPTY_HASH, leafHash } from './tree-hash.js';
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

/** A row of the `tree` column; undefined = delete. */
export type TreeRow = readonly [key: Uint8Array, value: Uint8Array | undefined];

/** A write on its way to its leaf. */
export interface Change {
  readonly keyHash: Uint8Array;
  /** The first 48 bits of keyHash, to sort by. */
  readonly order: number;
  /** undefined in leaves that stand already. */
  readonly key: Uint8Array | undefined;
  /** undefined: the key is removed. */
  readonly hash: Uint8Array | undefined;
}

/** A page on the path of changes `from` to `to` (exclusive), with those below it. */
interface LoadedPage {
  readonly page: Page;
  readonly from: number;
  readonly to: number;
  /** By slot; present where changes lead into a page below. */
  readonly below: (LoadedPage | undefined)[];
}

/** Longest path in nibbles; two keys that share it would be a SHA-256 collision. */
export const MAX_DEPTH = 64;

/** Changes in the order of the tree. */
export function sortedChanges(writes: Iterable<readonly [string, Uint8Array | undefined]>): Change[] {
  const changes: Change[] = [];
  for (const [name, value] of writes) {
    const key = fromBinaryString(name);
    const hash = value === undefined ? undefined : leafHash(key, sha256(value));
    changes.push(changeOf(sha256(key), key, hash));
  }
  return changes.sort((a, b) => a.order - b.order || compareBytes(a.keyHash, b.keyHash));
}

function changeOf(keyHash: Uint8Array, key: Uint8Array | undefined, hash: Uint8Array | undefined): Change {
  let order = 0;
  for (let i = 0; i < 6; i++) order = order * 256 + keyHash[i];
  return { keyHash, order, key, hash };
}

/** End of the run of changes from `from` that share its nibble at `depth`. */
function runEnd(changes: readonly Change[], from: number, to: number, depth: number): number {
  const at = nibble(changes[from].keyHash, depth);
  let end = from + 1;
  while (end < to && nibble(changes[end].keyHash, depth) === at) end++;
  return end;
}

/** Rebuilds the pages that a sorted batch of changes reaches. Reads the source, collects rows, writes nothing. */
export class TreeUpdater {
  readonly rows: TreeRow[] = [];

  constructor(
    private readonly source: TreeSource,
    private readonly namespace: number,
    private readonly changes: readonly Change[],
  ) {}

  /** Root after the changes. */
  apply(): Uint8Array {
    const root = this.load();
    const key = pageKey(this.namespace, EMPTY_HASH, 0);
    const loaded = root ?? { page: emptyPage(), from: 0, to: this.changes.length, below: [] };
    const page = this.rebuild(loaded, 0);
    if (page.some((slot) => slot !== undefined)) this.rows.push([key, encodePage(page)]);
    else if (root !== undefined) this.rows.push([key, undefined]);
    return rangeHash(page, 0, SLOTS);
  }

  /** Pages on the paths of the changes, level by level so that each level is one read. */
  private load(): LoadedPage | undefined {
    const bytes = this.source.getMany([pageKey(this.namespace, EMPTY_HASH, 0)])[0];
    if (bytes === undefined) return undefined;
    const root: LoadedPage = { page: decodePage(bytes), from: 0, to: this.changes.length, below: [] };
    let level = [root];
    for (let depth = 0; level.length > 0; depth++) level = this.loadBelow(level, depth);
    return root;
  }

  private loadBelow(level: readonly LoadedPage[], depth: number): LoadedPage[] {
    const wanted: { parent: LoadedPage; slot: number; from: number; to: number }[] = [];
    for (const parent of level) {
      for (let from = parent.from; from < parent.to; ) {
        const to = runEnd(this.changes, from, parent.to, depth);
        const slot = nibble(this.changes[from].keyHash, depth);
        if (parent.page[slot]?.kind === 'child') wanted.push({ parent, slot, from, to });
        from = to;
      }
    }
    const keys = wanted.map(({ from }) => pageKey(this.namespace, this.changes[from].keyHash, depth + 1));
    const found = this.source.getMany(keys);
    return wanted.map(({ parent, slot, from, to }, i) => {
      const bytes = found[i];
      if (bytes === undefined) throw new InternalError('a page of the state tree is missing', { facts: { depth } });
      const loaded: LoadedPage = { page: decodePage(bytes), from, to, below: [] };
      parent.below[slot] = loaded;
      return loaded;
    });
  }

  private rebuild(loaded: LoadedPage, depth: number): Page {
    const { page } = loaded;
    for (let from = loaded.from; from < loaded.to; ) {
      const to = runEnd(this.changes, from, loaded.to, depth);
      const at = nibble(this.changes[from].keyHash, depth);
      const below = loaded.below[at];
      page[at] = below === undefined ? this.place(page[at], from, to, depth) : this.shrink(below, depth + 1);
      from = to;
    }
    return page;
  }

  /** A rebuilt page below; it collapses into its parent when one leaf or none is left. */
  private shrink(loaded: LoadedPage, depth: number): Slot | undefined {
    const key = pageKey(this.namespace, this.changes[loaded.from].keyHash, depth);
    const page = this.rebuild(loaded, depth);
    const leaf = loneLeaf(page);
    if (leaf !== undefined || page.every((slot) => slot === undefined)) {
      this.rows.push([key, undefined]);
      return leaf;
    }
    this.rows.push([key, encodePage(page)]);
    return { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
  }

  /** A slot with a leaf or nothing in it, after the changes that lead into it. */
  private place(slot: Slot | undefined, from: number, to: number, depth: number): Slot | undefined {
    if (slot?.kind === 'child') throw new InternalError('a page of the state tree was not read', { facts: { depth } });
    const leaves: Change[] = [];
    let standing = slot === undefined ? undefined : changeOf(slot.keyHash, undefined, slot.hash);
    for (let i = from; i < to; i++) {
      const change = this.changes[i];
      const order = standing === undefined ? 1 : compareBytes(standing.keyHash, change.keyHash);
      if (standing !== undefined && order < 0) leaves.push(standing);
      if (order <= 0) standing = undefined;
      this.name(change, order === 0);
      if (change.hash !== undefined) leaves.push(change);
    }
    if (standing !== undefined) leaves.push(standing);
    return this.build(leaves, 0, leaves.length, depth + 1);
  }

  /** A new subtree at `depth` over sorted leaves. */
  private build(leaves: readonly Change[], from: number, to: number, depth: number): Slot | undefined {
    if (from === to) return undefined;
    const { keyHash, hash } = leaves[from];
    if (to - from === 1) return hash && { kind: 'leaf', keyHash, hash };
    if (depth >= MAX_DEPTH) throw new InternalError('two keys have the same SHA-256');
    const page = emptyPage();
    for (let start = from; start < to; ) {
      const end = runEnd(leaves, start, to, depth);
      page[nibble(leaves[start].keyHash, depth)] = this.build(leaves, start, end, depth + 1);
      start = end;
    }
    this.rows.push([pageKey(this.namespace, keyHash, depth), encodePage(page)]);
    return { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
  }

  /** Keeps the row that tells a leaf's key: made with the leaf, removed with it. */
  private name(change: Change, existed: boolean): void {
    if ((change.hash !== undefined) === existed) return;
    this.rows.push([leafKeyKey(this.namespace, change.keyHash), existed ? undefined : change.key]);
  }
}
