/** Where blocks come from while a chain is followed: a node over JSON-RPC, a node's block files, a fixture chain. */

/** A block as its source names it. Nothing of it is verified but that `raw` has the hash `hash`. */
export interface ChainBlock {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  /** The whole block as serialised with witnesses. */
  readonly raw: Uint8Array;
}

/** The last block of the source's best chain. */
export interface ChainTip {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
}

/**
 * The best chain of one node, as it stands at the moment of each call: between two calls it may have become another
 * one, longer or shorter. Methods reject with a WarpshrewError; those that pass by themselves (`isPassing` of
 * node-errors.ts) are tried again by who follows.
 */
export interface ChainSource {
  readonly kind: 'rpc' | 'files' | 'fixture';
  /** Where it reads from, for logs and status; never with a password. */
  readonly name: string;
  /** Hash of block 0 (32 bytes, wire order); undefined where the source does not have it. */
  genesis(): Promise<Uint8Array | undefined>;
  tip(): Promise<ChainTip>;
  /** Hash of the best chain's block at `height` (32 bytes, wire order); undefined above its tip. */
  hashAt(height: number): Promise<Uint8Array | undefined>;
  /**
   * The best chain's blocks from height `from` to height `to` (both included), ascending, fetched ahead within the
   * source's bound of bytes. Ends early where the chain ends, where a block does not build on the one before (the chain
   * changed meanwhile), and when the signal is aborted; an error comes behind all blocks before the one it belongs to.
   * Blocks of one call may come from different chains if it changes meanwhile: who indexes them checks that each builds
   * on the one before.
   */
  blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void>;
  /**
   * Resolves when the best chain may be another one than the last call of {@link tip} told (by notification or by
   * polling), after `ms` milliseconds at the latest, and when the signal is aborted. Never rejects.
   */
  changed(ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
