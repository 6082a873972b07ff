/**
 * What the threads of the lane are busy with, in shared memory: a thread that runs a contract for minutes answers no
 * message, and another one must be able to tell which transaction it is.
 */
import type { TransactionWatch } from '../../lane/message.js';
import { toDisplayHash } from '../../util/bytes.js';

/** The engine's own thread and its workers. */
const MOST_THREADS = 257;
/**
 * Bytes of a place: changes (u32), position + 1 of the transaction or 0 (u32), begin (f64, ms since 1970), txid (32).
 */
const PLACE_BYTES = 64;
const TXID_AT = 16;
const TXID_BYTES = 32;
/** In the block's place: transactions that wait for the workers (u32). */
const QUEUED_WORD = 12;
/** There as well: calls that the kernel has been given and not answered (u32). */
const IN_KERNEL_WORD = 13;
/** Looks at a place that changes all the time. */
const MOST_LOOKS = 100;

/** A transaction under way. */
export interface TransactionWork {
  /** Position in the block. */
  readonly index: number;
  /** Display order, hex. */
  readonly txid: string;
  readonly ms: number;
}

/** A block under way. */
export interface BlockWork {
  readonly height: number;
  readonly ms: number;
  /** That of the lane which has been under way longest, if there is one. */
  readonly transaction: TransactionWork | undefined;
}

/** The block under way and, by thread, the lane transaction under way. Times are those of the system's clock. */
export class WorkWatch {
  /** Place 0 is the block's, with its height in the place of a position. */
  readonly #places: readonly Place[];
  readonly #words: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(PLACE_BYTES * (MOST_THREADS + 1))) {
    this.#places = Array.from({ length: buffer.byteLength / PLACE_BYTES }, (_, i) => new Place(buffer, i));
    this.#words = new Int32Array(buffer, 0, PLACE_BYTES / 4);
  }

  beginBlock(height: number): void {
    this.#places[0].set(height);
  }

  /** Transactions of a batch of which the workers have not told anything yet. */
  get queued(): number {
    return Atomics.load(this.#words, QUEUED_WORD);
  }

  queue(count: number): void {
    Atomics.store(this.#words, QUEUED_WORD, count);
  }

  /** Calls that the kernel has been given and not answered. */
  get inKernel(): number {
    return Atomics.load(this.#words, IN_KERNEL_WORD);
  }

  giveKernel(calls: number): void {
    Atomics.store(this.#words, IN_KERNEL_WORD, calls);
  }

  /** The block is stored, or given up. */
  endBlock(): void {
    this.queue(0);
    for (const place of this.#places) place.end();
  }

  /**
   * What thread `thread` tells: 0 is the engine's own, then its workers. undefined: there are too many to watch this
   * one.
   */
  thread(thread: number): TransactionWatch | undefined {
    return this.#places.at(thread + 1);
  }

  look(now = Date.now()): BlockWork | undefined {
    const block = this.#places[0].look();
    if (block === undefined) return undefined;
    let longest: Seen | undefined;
    for (const place of this.#places.slice(1)) {
      const seen = place.look();
      if (seen !== undefined && (longest === undefined || seen.since < longest.since)) longest = seen;
    }
    const transaction = longest && { index: longest.number, txid: longest.txid, ms: now - longest.since };
    return { height: block.number, ms: now - block.since, transaction };
  }
}

interface Seen {
  readonly number: number;
  readonly since: number;
  readonly txid: string;
}

/** Written by one thread, read by others: the count of changes is odd while it is written. */
class Place implements TransactionWatch {
  readonly #words: Int32Array;
  readonly #since: Float64Array;
  readonly #txid: Uint8Array;

  constructor(buffer: SharedArrayBuffer, at: number) {
    this.#words = new Int32Array(buffer, at * PLACE_BYTES, 2);
    this.#since = new Float64Array(buffer, at * PLACE_BYTES + 8, 1);
    this.#txid = new Uint8Array(buffer, at * PLACE_BYTES + TXID_AT, TXID_BYTES);
  }

  begin(index: number, bytes: Uint8Array, at: number): void {
    this.set(index, bytes, at);
  }

  set(number: number, bytes?: Uint8Array, at = 0): void {
    Atomics.add(this.#words, 0, 1);
    if (bytes !== undefined) for (let i = 0; i < TXID_BYTES; i++) this.#txid[i] = bytes[at + i];
    this.#since[0] = Date.now();
    Atomics.store(this.#words, 1, number + 1);
    Atomics.add(this.#words, 0, 1);
  }

  end(): void {
    Atomics.store(this.#words, 1, 0);
  }

  look(): Seen | undefined {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const before = Atomics.load(this.#words, 0);
      const number = Atomics.load(this.#words, 1) - 1;
      if (number < 0) return undefined;
      const seen = { number, since: this.#since[0], txid: toDisplayHash(this.#txid.slice()) };
      if (before % 2 === 0 && Atomics.load(this.#words, 0) === before) return seen;
    }
    return undefined;
  }
}
