/** Where blocks come from when a chain is followed: a node over JSON-RPC, a node's block files, a fixture chain. */

/** A block as its source delivers it. The only thing verified is that `raw` has the hash `hash`. */
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
 * The best chain of one node, as of each call: between two calls it may have changed to another chain, longer or
 * shorter. Methods reject with a WarpshrewError; the follower retries those that may pass (`patienceWith` of
 * node-errors.ts).
 */
export interface ChainSource {
  readonly kind: 'rpc' | 'files' | 'fixture';
  /** Where it reads from, for logs and status; never contains a password. */
  readonly name: string;
  /** Hash of block 0 (32 bytes, wire order); undefined where the source does not have it. */
  genesis(): Promise<Uint8Array | undefined>;
  tip(): Promise<ChainTip>;
  /** Hash of the best chain's block at `height` (32 bytes, wire order); undefined above its tip. */
  hashAt(height: number): Promise<Uint8Array | undefined>;
  /**
   * The best chain's blocks from height `from` to height `to` (both included), ascending, fetched ahead within the
   * source's bound of bytes. Ends early where the chain ends, where a block does not build on the one before (the chain
   * changed meanwhile), and when the signal is aborted; an error is thrown after all blocks before the one it belongs
   * to. Blocks of one call may come from different chains if the best chain changes meanwhile: the indexer checks that
   * each builds on the one before.
   */
  blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void>;
  /**
   * Resolves when the best chain may have changed since the last call of {@link tip} (by notification or by polling),
   * after `ms` milliseconds at the latest, and when the signal is aborted. Never rejects.
   */
  changed(ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
