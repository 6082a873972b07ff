import type { KeyProof } from '../store/proof/key-proof.js';
import type { Namespace, StateRoots } from '../store/types.js';

/** What a side has at a height. */
export interface BlockAt {
  /** Display order, hex. */
  readonly hash: string;
  /** Undefined where none were computed: the block was stored together with later ones. */
  readonly roots: StateRoots | undefined;
}

/** One of the two that are compared: a database or a server. */
export interface DiffSide {
  /** As the user named it. */
  readonly name: string;
  /** Lowest and highest height that it has; undefined before the first block. */
  range(): Promise<{ readonly first: number; readonly tip: number } | undefined>;
  /** Undefined where it has no block. */
  block(height: number): Promise<BlockAt | undefined>;
  /**
   * Proof of a key after block `height`, which was verified under the root that it carries; or the lowest height, above
   * that, of which it says that there may be one.
   */
  prove(namespace: Namespace, key: Uint8Array, height: number): Promise<KeyProof | number>;
  close(): Promise<void>;
}
