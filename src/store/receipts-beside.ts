/**
 * Writes the receipts of a block in threads of their own, in batches of their own, while the caller makes the other
 * rows: they are a third of the rows of a block of the lane, and most of its bytes.
 */
import { availableParallelism } from 'node:os';
import type { EncodedReceipts } from '../lane/types.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import type { WriteBatch } from './portions.js';
import { endReceiptParts, partsOfReceipts, type ReceiptsJob, writeReceiptParts } from './receipt-parts.js';
import { encodedReceipts, type ReceiptsOfBlock, receiptCount } from './receipt-rows.js';
import { announceReceipts, endReceipts, putReceipts } from './receipt-writes.js';
import { type GivenUp, WritingThreads } from './writing-threads.js';

/** Fewer receipts are written by the caller: telling a thread would take about as long. */
const FEWEST = 512;
/** More do not help: by the time that the caller has made its own rows, the receipts are written. */
const MOST_THREADS = 3;
/** Cores for each: some of the others bring state trees and rows up to date meanwhile. */
const CORES = 4;
/** Bytes of receipts that are copied for the threads; the copy of fewer is kept for the next block. */
const MOST_BYTES = 64 << 20;
const KEPT_BYTES = 8 << 20;

export interface ReceiptsBesideOptions {
  readonly pieceBytes: number;
  /** Writes the announcement. */
  readonly write: WriteBatch;
  /** Called for each thread that is there no more. */
  readonly onLost: (cause: unknown) => void;
}

export class ReceiptsBeside {
  readonly #database: Database;
  readonly #options: ReceiptsBesideOptions;
  #threads: WritingThreads<ReceiptsJob> | undefined;
  #job: ReceiptsJob | undefined;
  /** Whether rows of a block may be there that does not count. */
  #isBegun = false;
  #data: Uint8Array = EMPTY_BYTES;
  #ends: Uint32Array = new Uint32Array(0);

  constructor(database: Database, options: ReceiptsBesideOptions) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Begins to write the receipts of a block that does not count yet, unless there are too few or too many. Throws what
   * the write of the announcement throws, and InternalError if a receipt is of another block.
   */
  begin(block: ReceiptsOfBlock): void {
    const { handle } = this.#database;
    if (handle === undefined || receiptCount(block) < FEWEST) return;
    const receipts = encodedReceipts(block);
    const bytes = receipts.end(receipts.count - 1);
    if (bytes > MOST_BYTES) return;
    const parts = partsOfReceipts(receipts);
    const job = (): ReceiptsJob => {
      this.#job ??= this.#announcedJob(block.height, receipts, bytes, parts);
      return this.#job;
    };
    this.#running(handle).begin(parts.length, job);
  }

  #announcedJob(height: number, receipts: EncodedReceipts, bytes: number, parts: readonly number[]): ReceiptsJob {
    // Rows of a block that nothing announces would stay after a crash.
    const batch = this.#database.batch();
    announceReceipts(batch, height);
    this.#isBegun = true;
    this.#options.write(batch);
    const { count } = receipts;
    if (this.#data.length < bytes) this.#data = new Uint8Array(new SharedArrayBuffer(bytes));
    this.#data.set(receipts.data.subarray(0, bytes));
    if (this.#ends.length < count) this.#ends = new Uint32Array(new SharedArrayBuffer(4 * count));
    for (let at = 0; at < count; at++) this.#ends[at] = receipts.end(at);
    const { pieceBytes } = this.#options;
    const next = new Int32Array(new SharedArrayBuffer(4));
    return { height, data: this.#data, ends: this.#ends, parts: Uint32Array.from(parts), next, pieceBytes };
  }

  #running(handle: bigint): WritingThreads<ReceiptsJob> {
    const count = Math.min(MOST_THREADS, Math.max(1, Math.floor(availableParallelism() / CORES)));
    this.#threads ??= new WritingThreads({
      count,
      file: 'store/receipts-thread.js',
      handle,
      onLost: this.#options.onLost,
    });
    return this.#threads;
  }

  /**
   * Has all rows of the receipts written: writes what the threads have not begun and waits for them, or puts all into
   * `rows` where there are none. Returns the bytes that the threads wrote. Throws what they threw: STORE_WRITE_FAILED,
   * or INTERNAL.
   */
  put(rows: Pick<DatabaseBatch, 'put'>, block: ReceiptsOfBlock): number {
    const job = this.#job;
    if (job === undefined) {
      putReceipts(rows, block);
      return 0;
    }
    writeReceiptParts(this.#database, job, this.#options.write);
    const bytes = this.#threads?.end() ?? 0;
    this.#release();
    return bytes;
  }

  /** Goes into the batch that makes the block count. */
  putEnd(batch: Pick<DatabaseBatch, 'del'>): void {
    if (this.#isBegun) endReceipts(batch);
    this.#isBegun = false;
  }

  /** Waits for what was begun, and forgets it. */
  abandon(): GivenUp {
    const isBegun = this.#isBegun;
    this.#isBegun = false;
    if (this.#job !== undefined) endReceiptParts(this.#job);
    const failure = this.#threads?.abandon();
    this.#release();
    return { isBegun, failure };
  }

  #release(): void {
    this.#job = undefined;
    if (this.#data.length <= KEPT_BYTES) return;
    this.#data = EMPTY_BYTES;
    this.#ends = new Uint32Array(0);
  }

  /** To be called before the database is closed. */
  async close(): Promise<void> {
    await this.#threads?.close();
  }
}
