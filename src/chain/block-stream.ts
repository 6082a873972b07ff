import { sha256d } from '../bitcoin/hash.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { NodeError } from '../errors/errors.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import type { ChainBlock } from './source.js';

export const HEADER_LENGTH = 80;
/** Most blocks that wait, however small they are, if nothing else is said. */
const MAX_AHEAD = 1000;

/** Where a stream gets its blocks, and how far ahead it fetches them. */
export interface StreamOptions {
  readonly from: number;
  readonly to: number;
  /** Hashes (wire order) of the best chain from `height` on, at most `count`; fewer where the chain ends. */
  hashes(height: number, count: number, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** The whole block with that hash. */
  fetch(hash: Uint8Array, height: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Hashes per request. */
  readonly batch: number;
  /** Blocks fetched at a time. */
  readonly concurrency: number;
  /** Bound of the bytes of blocks that are fetched or being fetched. One block is always allowed. */
  readonly maxBytes: number;
  /** Bound of the number of blocks that are fetched or being fetched; 1,000 if not given. */
  readonly maxBlocks?: number;
  /** Counted for a block of unknown length: the most that fetching it may hold. */
  readonly reserve: number;
  readonly signal: AbortSignal;
}

type Fetched = { readonly raw: Uint8Array } | { readonly error: unknown };

/**
 * Blocks in order, fetched ahead. Each has the requested hash (else NodeError NODE_WRONG_BLOCK). Ends where the chain
 * ends, where a block does not build on the one before (the chain changed), and when the signal is aborted. An error is
 * thrown in place of the block it belongs to, after all blocks before it.
 */
export async function* streamBlocks(options: StreamOptions): AsyncGenerator<ChainBlock, void, void> {
  const ahead = new ReadAhead(options);
  try {
    yield* ahead.blocks();
  } finally {
    ahead.stop();
  }
}

class ReadAhead {
  readonly #own = new AbortController();
  readonly #stopping = (): void => this.#own.abort();
  readonly #slots: { readonly height: number; readonly hash: Uint8Array; readonly fetched: Promise<Fetched> }[] = [];
  #hashes: Uint8Array[] = [];
  /** Height of `hashes[0]`, and of the first hash that was not requested. */
  #nextBlock: number;
  #nextHash: number;
  #loading: Promise<void> | undefined;
  #hashError: { readonly error: unknown } | undefined;
  #ended = false;
  #fetching = 0;
  #held = 0;
  readonly #options: StreamOptions;

  constructor(options: StreamOptions) {
    this.#options = options;

    this.#nextBlock = options.from;
    this.#nextHash = options.from;
    if (options.signal.aborted) this.#own.abort();
    else options.signal.addEventListener('abort', this.#stopping, { once: true });
  }

  stop(): void {
    this.#options.signal.removeEventListener('abort', this.#stopping);
    this.#own.abort();
  }

  async *blocks(): AsyncGenerator<ChainBlock, void, void> {
    const { signal } = this.#own;
    let previous: Uint8Array | undefined;
    while (!signal.aborted) {
      this.#fill();
      const slot = this.#slots.shift();
      if (slot === undefined) {
        if (this.#hashError) throw this.#hashError.error;
        if (this.#loading === undefined) return;
        await this.#loading;
        continue;
      }
      const fetched = await slot.fetched;
      if (signal.aborted) return;
      if ('error' in fetched) throw fetched.error;
      const { raw } = fetched;
      if (previous && !bytesEqual(raw.subarray(4, 36), previous)) return;
      previous = slot.hash;
      yield { height: slot.height, hash: slot.hash, raw };
      this.#held -= raw.length;
    }
  }

  /** Starts as many fetches as the bounds allow. */
  #fill(): void {
    const { concurrency, maxBytes, maxBlocks = MAX_AHEAD, reserve, batch } = this.#options;
    while (
      this.#hashes.length > 0 &&
      this.#fetching < concurrency &&
      this.#slots.length < maxBlocks &&
      !this.#own.signal.aborted &&
      (this.#slots.length === 0 || this.#held + reserve <= maxBytes)
    ) {
      const hash = this.#hashes.shift();
      if (hash) this.#start(hash, this.#nextBlock++);
    }
    if (this.#hashes.length <= batch / 2) this.#load();
  }

  #start(hash: Uint8Array, height: number): void {
    const { reserve } = this.#options;
    this.#fetching++;
    this.#held += reserve;
    const fetched = this.#options
      .fetch(hash, height, this.#own.signal)
      .then((raw): Fetched => {
        checkBlock(raw, hash, height);
        this.#held += raw.length - reserve;
        return { raw };
      })
      .catch((error: unknown): Fetched => ({ error }));
    this.#slots.push({ height, hash, fetched });
    void fetched.then(() => {
      this.#fetching--;
      this.#fill();
    });
  }

  #load(): void {
    const count = Math.min(this.#options.batch, this.#options.to - this.#nextHash + 1);
    if (count <= 0) this.#ended = true;
    if (this.#ended || this.#loading || this.#hashError || this.#own.signal.aborted) return;
    this.#loading = this.#options
      .hashes(this.#nextHash, count, this.#own.signal)
      .then(
        (hashes) => {
          this.#nextHash += hashes.length;
          this.#hashes = this.#hashes.concat(hashes);
          this.#ended = hashes.length < count;
        },
        (error: unknown) => {
          if (!this.#own.signal.aborted) this.#hashError = { error };
        },
      )
      .finally(() => {
        this.#loading = undefined;
        this.#fill();
      });
  }
}

/** Throws NodeError NODE_WRONG_BLOCK unless `raw` can be a block and its header has the requested hash. */
function checkBlock(raw: Uint8Array, hash: Uint8Array, height: number): void {
  const possible = raw.length > HEADER_LENGTH && raw.length <= MAX_BLOCK_LENGTH;
  const found = possible ? sha256d(raw.subarray(0, HEADER_LENGTH)) : undefined;
  if (bytesEqual(found, hash)) return;
  throw new NodeError('NODE_WRONG_BLOCK', 'the node serves another block than the requested one', {
    facts: { height, asked: toDisplayHash(hash), got: found ? toDisplayHash(found) : `${raw.length} bytes` },
    hint: 'If this persists, the node or a proxy in front of it is broken.',
  });
}
