/** Writes the blocks of an index to a stream, as far as they are stored. */
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, EMPTY_BYTES, toHex } from '../util/bytes.js';
import { bodyParts, MAX_BODY_BYTES } from './body.js';
import { type Chunk, decodeChunk, type EventHead, encodeChunk, NO_HEIGHT } from './chunk.js';
import { checkSameIndex, identityOfStore, type StreamIdentity } from './identity.js';
import type { WritableLog } from './log.js';
import { type StoredBlock, storedBlock } from './stored-block.js';

const NO_HASH = new Uint8Array(32);

/** Where a stream ends: what is its tip, and behind which message. */
interface End {
  readonly sequence: number;
  /** {@link NO_HEIGHT}: no block is. */
  readonly height: number;
  readonly hash: Uint8Array;
  /** Of the block before. */
  readonly previous: Uint8Array;
}

export interface Published {
  readonly kind: 'block' | 'undone';
  /** Height of the stream's tip after it. */
  readonly height: number;
}

export interface PublisherOptions {
  readonly store: StoreReader;
  /** Changes when blocks are undone; undefined while they are. */
  readonly undone: () => number | undefined;
  readonly onPublished: (published: Published) => void;
  /** Called with the heights that replicas will not find. */
  readonly onLeftOut: (from: number, to: number, reason: string) => void;
  /** Bytes of the data of one block, at most; {@link MAX_BODY_BYTES} if not given. */
  readonly mostBytes?: number;
}

/** The block was undone while it was read. */
class Undone extends Error {}

/**
 * Publishes one event after the other. What the stream holds is what decides where it goes on, so it may end at any
 * moment, and begin again in another process.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #log: WritableLog;
  #end: End | undefined;
  /** The last block that was left out. */
  #leftOut: Pick<StoredBlock, 'height' | 'hash'> | undefined;

  constructor(log: WritableLog, options: PublisherOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** Height of the stream's tip; undefined if it has none, or is not known yet. */
  get height(): number | undefined {
    return this.#end === undefined || this.#end.height === NO_HEIGHT ? undefined : this.#end.height;
  }

  /**
   * Publishes what comes next; false if the stream has all that there is, or a block was undone meanwhile. Throws
   * StreamError STREAM_*, after which the publisher is good for nothing.
   */
  async step(): Promise<boolean> {
    const { store } = this.#options;
    const before = this.#options.undone();
    if (before === undefined) return false;
    const identity = identityOfStore(store);
    const tip = store.tip();
    if (identity === undefined || tip === undefined) return false;
    this.#end ??= await this.#findEnd(identity);
    const fork = await this.#forkOf(this.#end, tip.height, identity.first);
    if (fork === undefined) return false;
    const hash = fork === NO_HEIGHT ? NO_HASH : store.blockHash(fork);
    if (hash === undefined || this.#options.undone() !== before) return false;
    if (fork !== this.#end.height) {
      await this.#publishUndone(this.#end, { height: fork, hash }, identity, tip.height);
      return true;
    }
    return this.#publishNext(this.#end, tip.height, identity, before);
  }

  async #findEnd(identity: StreamIdentity): Promise<End> {
    const { sequence, bytes } = await this.#log.end();
    if (bytes === undefined) return { sequence, height: NO_HEIGHT, hash: NO_HASH, previous: NO_HASH };
    const chunk = decodeChunk(bytes);
    checkSameIndex(chunk.identity, identity);
    const { kind, height, hash, previous } = chunk;
    if (kind === 'block' && !chunk.last) {
      // Whoever published it ended in its middle: the tip is the block before.
      return { sequence, height: height - 1, hash: previous, previous: NO_HASH };
    }
    return { sequence, height, hash, previous: kind === 'block' ? previous : NO_HASH };
  }

  /**
   * Height of the highest block that stream and index have in common: that of the stream's end, unless blocks were
   * undone. Undefined where the index has not come as far as the stream.
   */
  async #forkOf(end: End, tip: number, first: number): Promise<number | undefined> {
    const { store } = this.#options;
    if (end.height < first) return end.height;
    const own = store.blockHash(end.height);
    if (bytesEqual(own, end.hash)) return end.height;
    if (own === undefined && bytesEqual(store.blockHash(tip), await this.#hashAt(tip))) return undefined;
    const below = end.height - 1;
    if (below <= tip && bytesEqual(store.blockHash(below), end.previous)) return below;
    for (let height = Math.min(below, tip); height >= first; height--) {
      const published = await this.#hashAt(height);
      // Below its beginning a stream says nothing: replicas compare the hash with their own.
      if (published === undefined || bytesEqual(published, store.blockHash(height))) return height;
    }
    return NO_HEIGHT;
  }

  /** Hash of the block at `height`, not above the end, that the stream had last. */
  async #hashAt(height: number): Promise<Uint8Array | undefined> {
    const message = await this.#log.lastOf('block', height);
    return message && decodeChunk(message.bytes).hash;
  }

  async #publishUndone(
    end: End,
    { height, hash }: Pick<StoredBlock, 'height' | 'hash'>,
    identity: StreamIdentity,
    tip: number,
  ): Promise<void> {
    const head = { kind: 'undone', height, hash, previous: end.hash, identity } as const;
    const sequence = await this.#append({ ...head, number: 0, last: true, tip, data: EMPTY_BYTES }, end.sequence);
    this.#end = { sequence, height, hash, previous: NO_HASH };
    this.#options.onPublished({ kind: 'undone', height });
  }

  async #publishNext(end: End, tip: number, identity: StreamIdentity, before: number): Promise<boolean> {
    const { store } = this.#options;
    const lowest = store.lowestRollback() + 1;
    const leftOut = this.#leftOut;
    const isLeftOut = leftOut !== undefined && bytesEqual(store.blockHash(leftOut.height), leftOut.hash);
    const wanted = Math.max(end.height, isLeftOut ? leftOut.height : NO_HEIGHT, identity.first - 1) + 1;
    const height = Math.max(wanted, lowest);
    const block = height <= tip ? storedBlock(store, height) : undefined;
    if (block === undefined || this.#options.undone() !== before) return false;
    // Where a stream begins nothing is missing: replicas begin with a snapshot.
    if (wanted < height && end.height !== NO_HEIGHT) {
      this.#options.onLeftOut(wanted, height - 1, 'nothing tells what they wrote');
    }
    try {
      return await this.#publishBlock(block, end, identity, before);
    } catch (error) {
      if (error instanceof Undone) return false;
      throw error;
    }
  }

  async #publishBlock(block: StoredBlock, end: End, identity: StreamIdentity, before: number): Promise<boolean> {
    const { mostBytes = MAX_BODY_BYTES, undone, store, onPublished, onLeftOut } = this.#options;
    const { height, hash, header } = block;
    const previous = header.slice(4, 36);
    const head: EventHead = { kind: 'block', height, hash, previous, identity };
    let sequence = end.sequence;
    let number = 0;
    let bytes = 0;
    for (const { item: data, last } of withLast(bodyParts(block, this.#log.chunkBytes))) {
      // What was read between the two looks is of one state.
      if (undone() !== before || !bytesEqual(store.blockHash(height), hash)) throw new Undone();
      bytes += data.length;
      if (bytes > mostBytes) {
        this.#leftOut = { height, hash };
        onLeftOut(height, height, `it has more than ${mostBytes} bytes`);
        return true;
      }
      const tip = store.tip()?.height ?? height;
      sequence = await this.#append({ ...head, number, last, tip, data }, sequence);
      // Until the last one the stream ends where it did, behind these.
      this.#end = { ...end, sequence };
      number++;
    }
    this.#end = { sequence, height, hash, previous };
    onPublished({ kind: 'block', height });
    return true;
  }

  #append(chunk: Chunk, after: number): Promise<number> {
    const { kind, height, number } = chunk;
    // The place tells events apart that are the same: a block may come back after it was undone.
    const id = `${height}-${toHex(chunk.hash)}-${kind}-${number}-${after}`;
    return this.#log.append({ kind, height, id, bytes: encodeChunk(chunk) }, after);
  }
}

/** Each item, and whether it is the last one. */
function* withLast<T>(items: Iterable<T>): Generator<{ readonly item: T; readonly last: boolean }, void, void> {
  let before: { readonly item: T } | undefined;
  for (const item of items) {
    if (before !== undefined) yield { ...before, last: false };
    before = { item };
  }
  if (before !== undefined) yield { ...before, last: true };
}
