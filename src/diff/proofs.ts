/**
 * The first leaf in which two state trees differ, found with proofs alone: the proof of any key tells the hashes of all
 * subtrees beside its way, so the first subtree that differs is known, and the proof of a key in there tells more.
 */
import { InternalError, StoreError } from '../errors/errors.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import { EMPTY_HASH, leafHash, PATH_BITS, pathBit, pathOf } from '../store/tree/tree-hash.js';
import { bytesEqual } from '../util/bytes.js';

/** A key in the subtree of some first bits is found by trying: so many bits take minutes. */
const MOST_TRIED_BITS = 28;
/** Keys tried between two signs of life. */
const LOOK_EVERY = 1 << 16;

/** The leaf of a side that differs: path, and hash of the value. */
export type Leaf = NonNullable<KeyProof['proof']['leaf']>;

export interface DifferentLeaf {
  /** Path of the first leaf that differs. */
  readonly path: Uint8Array;
  /** What each side has there. */
  readonly leaves: readonly [Leaf | undefined, Leaf | undefined];
}

/** What is seen of both trees along one way, from its first bits on. */
interface Seen {
  /** First depth at which the subtrees beside the way differ, in the order of their paths; undefined: at the end. */
  readonly beside: number | undefined;
  readonly leaves: readonly [Leaf | undefined, Leaf | undefined];
}

/**
 * The first leaf, by its path, in which the trees of two sides differ; undefined if they are the same. `prove` gives
 * the proofs of one key from both, verified. Throws StoreError STORE_NOT_PROVABLE if the differing subtree is too deep.
 */
export async function firstDifferentLeaf(
  prove: (key: Uint8Array) => Promise<readonly [KeyProof, KeyProof]>,
  look: () => void,
): Promise<DifferentLeaf | undefined> {
  const keys = new KeysByPath(look);
  let key = new Uint8Array(0);
  // Everything before these bits of the path is the same, or was looked at.
  for (let depth = 0; ; ) {
    const path = pathOf(key);
    const seen = lookAlong(path, depth, await prove(key));
    if (seen === undefined) return undefined;
    if (seen.beside === undefined) return firstOf(seen.leaves);
    depth = seen.beside + 1;
    const bits = path.slice();
    bits[seen.beside >> 3] ^= 0x80 >> (seen.beside & 7);
    key = keys.below(bits, depth);
  }
}

function firstOf(leaves: readonly [Leaf | undefined, Leaf | undefined]): DifferentLeaf {
  const [a, b] = leaves;
  const path = a === undefined || (b !== undefined && Buffer.compare(b.path, a.path) < 0) ? b?.path : a.path;
  if (path === undefined) throw new InternalError('two ways that differ end in nothing');
  const at = (leaf: Leaf | undefined): Leaf | undefined => (bytesEqual(leaf?.path, path) ? leaf : undefined);
  return { path, leaves: [at(a), at(b)] };
}

/** Compares what two proofs of the key of `path` tell of its subtrees from `from` on; undefined if it is the same. */
function lookAlong(path: Uint8Array, from: number, proofs: readonly [KeyProof, KeyProof]): Seen | undefined {
  const [a, b] = proofs.map((proof) => new Way(path, proof));
  const end = Math.max(a.length, b.length);
  const differs = (depth: number): boolean => !bytesEqual(a.beside(depth), b.beside(depth));
  // Subtrees to the left, the shallowest first; then the end of the way; then those to the right, the deepest first.
  for (let depth = from; depth < end; depth++) {
    if (pathBit(path, depth) === 1 && differs(depth)) return { beside: depth, leaves: [undefined, undefined] };
  }
  const leaves = [a.leafBelow(end), b.leafBelow(end)] as const;
  if (!bytesEqual(hashOf(leaves[0]), hashOf(leaves[1]))) return { beside: undefined, leaves };
  for (let depth = end - 1; depth >= from; depth--) {
    if (pathBit(path, depth) === 0 && differs(depth)) return { beside: depth, leaves: [undefined, undefined] };
  }
  return undefined;
}

function hashOf(leaf: Leaf | undefined): Uint8Array {
  return leaf === undefined ? EMPTY_HASH : leafHash(leaf.path, leaf.valueHash);
}

/** What one proof tells of the subtrees beside a way, also below its end: there is at most one leaf there. */
class Way {
  readonly length: number;
  readonly #siblings: readonly Uint8Array[];
  readonly #leaf: Leaf | undefined;
  /** Depth at which the leaf leaves the way. */
  readonly #parts: number;

  constructor(path: Uint8Array, { proof: { siblings, leaf } }: KeyProof) {
    this.length = siblings.length;
    this.#siblings = siblings;
    this.#leaf = leaf;
    let depth = 0;
    while (leaf !== undefined && depth < PATH_BITS && pathBit(leaf.path, depth) === pathBit(path, depth)) depth++;
    this.#parts = depth;
  }

  /** Hash of the subtree beside the way at a depth. */
  beside(depth: number): Uint8Array {
    if (depth < this.length) return this.#siblings[depth];
    return this.#parts === depth ? hashOf(this.#leaf) : EMPTY_HASH;
  }

  /** The leaf below the first `depth` bits of the way: there is one at most from its end on. */
  leafBelow(depth: number): Leaf | undefined {
    return this.#parts >= depth ? this.#leaf : undefined;
  }
}

/** Keys whose paths begin with wanted bits. */
class KeysByPath {
  #next = 0;
  readonly #look: () => void;

  constructor(look: () => void) {
    this.#look = look;
  }

  /** A key whose path has the first `depth` bits of `path`. */
  below(path: Uint8Array, depth: number): Uint8Array<ArrayBuffer> {
    if (depth > MOST_TRIED_BITS) {
      throw new StoreError('STORE_NOT_PROVABLE', 'the state is too large to look for the key with proofs', {
        facts: { bits: depth },
        hint: 'Compare the databases themselves.',
      });
    }
    const shift = 32 - depth;
    const wanted = headOf(path) >>> shift;
    const key = new Uint8Array(8);
    const number = new DataView(key.buffer);
    for (;;) {
      if (this.#next % LOOK_EVERY === 0) this.#look();
      number.setFloat64(0, this.#next++);
      if (headOf(pathOf(key)) >>> shift === wanted) return key;
    }
  }
}

/** The first 32 bits of a path. */
function headOf(path: Uint8Array): number {
  return ((path[0] << 24) | (path[1] << 16) | (path[2] << 8) | path[3]) >>> 0;
}
