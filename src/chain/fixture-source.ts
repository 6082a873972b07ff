import { sha256d } from '../bitcoin/hash.js';
import { type BlockSource, openSource } from '../bitcoin/sources.js';
import { InputError, InternalError } from '../errors/errors.js';
import { HEADER_LENGTH } from './block-stream.js';
import { type Clock, REAL_CLOCK } from './clock.js';
import type { ChainBlock, ChainSource, ChainTip } from './source.js';

/** A fixture chain or a folder of raw blocks, which never changes. */
export class FixtureSource implements ChainSource {
  readonly kind = 'fixture';
  readonly name: string;
  readonly #source: BlockSource;
  /** Hashes of the blocks read so far, by height. */
  readonly #known = new Map<number, Uint8Array>();
  readonly #clock: Clock;

  /** Throws InputError as {@link openSource}, and BLOCK_FILE_FOLDER_GAP if the heights are not consecutive. */
  constructor(path: string, clock: Clock = REAL_CLOCK) {
    this.#clock = clock;

    this.#source = openSource(path);
    this.name = path;
    const { firstHeight, lastHeight, heights } = this.#source;
    const gap = heights.findIndex((height, i) => height !== firstHeight + i);
    if (gap >= 0) {
      throw new InputError('BLOCK_FILE_FOLDER_GAP', 'the folder lacks blocks between others', {
        facts: { path, first: firstHeight, missing: firstHeight + gap, last: lastHeight },
      });
    }
  }

  get network(): string {
    return this.#source.network;
  }

  async genesis(): Promise<Uint8Array | undefined> {
    return this.hashAt(0);
  }

  async tip(): Promise<ChainTip> {
    const last = this.#read(this.#source.lastHeight);
    if (last === undefined) throw new InternalError('a fixture source lacks its last block');
    return { height: last.height, hash: last.hash };
  }

  async hashAt(height: number): Promise<Uint8Array | undefined> {
    return this.#known.get(height) ?? this.#read(height)?.hash;
  }

  async *blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    // A block after a missing one has nothing to build on.
    if (from < this.#source.firstHeight) return;
    for (const { height, raw } of this.#source.blocks(from, to)) {
      if (signal.aborted) return;
      yield this.#named(height, raw);
    }
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }

  async close(): Promise<void> {}

  #read(height: number): ChainBlock | undefined {
    for (const block of this.#source.blocks(height, height)) return this.#named(block.height, block.raw);
    return undefined;
  }

  #named(height: number, raw: Uint8Array): ChainBlock {
    const hash = this.#known.get(height) ?? sha256d(raw.subarray(0, HEADER_LENGTH));
    this.#known.set(height, hash);
    return { height, hash, raw };
  }
}
