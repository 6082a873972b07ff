import { InternalError } from '../../errors/errors.js';
import { fromBinaryString, toBinaryString } from '../../util/bytes.js';
import { sha256 } from '../../util/sha256.js';
import { EMPTY_HASH } from './tree-hash.js';
import { decodePage, leafKeyKey, nibble, type Page, pageKey, rangeHash, SLOTS, type Slot } from './tree-page.js';
import { type EmitRow, type TreeSource, type TreeWrite, updateTree } from './tree-updater.js';
import type { StateProof } from './verify-proof.js';

/** Longest path in nibbles; two keys that share it would be a SHA-256 collision. */
const MAX_DEPTH = 64;
/** Changes applied at a time, and their bytes of keys and values: they bound the memory of the updater. */
const PIECE_CHANGES = 32_768;
const PIECE_BYTES = 64 << 20;

/** The current value of a key, for proofs. */
export type ReadValue = (key: Uint8Array) => Uint8Array | undefined;

/** The state tree of one namespace over its stored pages. Holds no state of its own: every call reads the source. */
export class StateTree {
  readonly #source: TreeSource;
  /** Byte that begins the namespace's rows: an upper-case ASCII letter. */
  readonly #namespace: number;

  constructor(source: TreeSource, namespace: number) {
    this.#source = source;
    this.#namespace = namespace;
  }

  /** Root of the stored tree. */
  root(): Uint8Array {
    const bytes = this.#source.getMany([pageKey(this.#namespace, EMPTY_HASH, 0)])[0];
    return bytes === undefined ? EMPTY_HASH : rangeHash(decodePage(bytes), 0, SLOTS);
  }

  /**
   * Applies a batch: value bytes (an empty value is a leaf like any other), or undefined to remove the key. Keys are
   * binary strings, each once. Writes nothing: the rows to store go to `emit`, each once. Returns the new root.
   */
  update(writes: ReadonlyMap<string, Uint8Array | undefined>, emit: EmitRow): Uint8Array {
    if (writes.size === 0) return this.root();
    const depth = writes.size <= PIECE_CHANGES ? 0 : Math.ceil(Math.log2(writes.size / PIECE_CHANGES) / 4);
    const rows = new PendingRows(this.#source);
    const keep: EmitRow = (key, value) => rows.put(key, value);
    // Only the pages above the subtrees are touched again.
    const isAbove = (key: Uint8Array): boolean => key[0] === this.#namespace && key[1] < depth;
    const keepAbove: EmitRow = (key, value) => (isAbove(key) ? rows.put(key, value) : emit(key, value));
    let root: Uint8Array = EMPTY_HASH;
    for (const subtree of bySubtree(writes, depth)) {
      const pieces = [...inPieces(subtree)];
      for (const piece of pieces) {
        root = updateTree(rows, this.#namespace, piece, pieces.length === 1 ? keepAbove : keep);
      }
      rows.emit(emit, isAbove);
    }
    rows.emit(emit, () => false);
    return root;
  }

  /**
   * Proof that `key` has its value, or that it is absent, under {@link root}.
   * `readValue` gives current values: an absence proof may have to show the leaf that stands in the key's place.
   */
  prove(key: Uint8Array, readValue: ReadValue): StateProof {
    const keyHash = sha256(key);
    const siblings: Uint8Array[] = [];
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const bytes = this.#source.getMany([pageKey(this.#namespace, keyHash, depth)])[0];
      if (bytes === undefined) {
        if (depth === 0) return { siblings, leaf: undefined };
        throw new InternalError('a page of the state tree is missing', { facts: { depth } });
      }
      const end = this.#descend(decodePage(bytes), nibble(keyHash, depth), siblings);
      if (end === 'child') continue;
      if (end === undefined) return { siblings, leaf: undefined };
      const leafKey = this.#source.getMany([leafKeyKey(this.#namespace, end.keyHash)])[0];
      const value = leafKey && readValue(leafKey);
      if (leafKey === undefined || value === undefined) {
        throw new InternalError('a leaf of the state tree has no key or no value');
      }
      return { siblings, leaf: { path: end.keyHash, valueHash: sha256(value) } };
    }
    throw new InternalError('the state tree is deeper than its keys');
  }

  /** Walks one page towards slot `at`, adding siblings top-down; ends at a leaf, an empty slot or the page below. */
  #descend(page: Page, at: number, siblings: Uint8Array[]): Extract<Slot, { kind: 'leaf' }> | 'child' | undefined {
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

/** Groups the writes by the first `depth` nibbles of their keys' hashes, so that each page below is built once. */
function* bySubtree(
  writes: ReadonlyMap<string, Uint8Array | undefined>,
  depth: number,
): Generator<Iterable<TreeWrite>, void, void> {
  if (depth === 0) {
    yield writes;
    return;
  }
  const subtrees = Array.from({ length: SLOTS ** depth }, (): string[] => []);
  for (const key of writes.keys()) {
    const hash = sha256(fromBinaryString(key));
    let subtree = 0;
    for (let at = 0; at < depth; at++) subtree = subtree * SLOTS + nibble(hash, at);
    subtrees[subtree].push(key);
  }
  for (const keys of subtrees) if (keys.length > 0) yield keys.map((key) => [key, writes.get(key)] as const);
}

/** Splits the writes into portions of bounded size. */
function* inPieces(writes: Iterable<TreeWrite>): Generator<TreeWrite[], void, void> {
  let piece: TreeWrite[] = [];
  let bytes = 0;
  for (const write of writes) {
    piece.push(write);
    bytes += write[0].length + (write[1]?.length ?? 0);
    if (piece.length < PIECE_CHANGES && bytes < PIECE_BYTES) continue;
    yield piece;
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield piece;
}

/** Rows that a batch has produced so far, in front of the stored rows. */
class PendingRows implements TreeSource {
  readonly #rows = new Map<string, Uint8Array | undefined>();
  readonly #stored: TreeSource;

  constructor(stored: TreeSource) {
    this.#stored = stored;
  }

  put(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#rows.set(toBinaryString(key), value?.slice());
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    const names = keys.map(toBinaryString);
    const found = this.#stored.getMany(keys.filter((_, i) => !this.#rows.has(names[i])));
    let next = 0;
    return names.map((name) => (this.#rows.has(name) ? this.#rows.get(name) : found[next++]));
  }

  /** Emits and removes all rows except those for which `stays` is true. */
  emit(emit: EmitRow, stays: (key: Uint8Array) => boolean): void {
    for (const [name, value] of this.#rows) {
      const key = fromBinaryString(name);
      if (stays(key)) continue;
      emit(key, value);
      this.#rows.delete(name);
    }
  }
}
