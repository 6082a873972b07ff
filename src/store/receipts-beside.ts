/**
 * Writes the receipts of a block in a thread of its own, in batches of their own, while the caller makes the other
 * rows: they are a third of the rows of a block of the lane, and most of its bytes.
 */
import { EMPTY_BYTES } from '../util/bytes.js';
import { SideThread } from '../util/side-thread.js';
import type { Database, DatabaseBatch } from './database.js';
import type { WriteBatch } from './portions.js';
import { encodedReceipts, type ReceiptsOfBlock, receiptCount } from './receipt-rows.js';
import { announceReceipts, endReceipts, putReceipts } from './receipt-writes.js';
import { endOfThread } from './thread-failure.js';

/** Fewer receipts are written by the caller: telling the thread would take about as long. */
const FEWEST = 512;
/** Bytes of receipts that are copied for the thread; the copy of fewer is kept for the next block. */
const MOST_BYTES = 64 << 20;
const KEPT_BYTES = 8 << 20;

/** Receipts in memory that the thread sees, one behind the other. */
export interface ReceiptsJob {
  readonly height: number;
  readonly count: number;
  readonly data: Uint8Array;
  /** Where each ends. */
  readonly ends: Uint32Array;
  readonly pieceBytes: number;
}

export interface ReceiptsBesideOptions {
  readonly pieceBytes: number;
  /** Writes the announcement. */
  readonly write: WriteBatch;
  /** Called once if the thread is there no more. */
  readonly onLost: (cause: unknown) => void;
}

export class ReceiptsBeside {
  readonly #database: Database;
  readonly #options: ReceiptsBesideOptions;
  #thread: SideThread<ReceiptsJob> | undefined;
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
    const { count } = receipts;
    const bytes = receipts.end(count - 1);
    if (bytes > MOST_BYTES) return;
    const { pieceBytes, onLost, write } = this.#options;
    this.#thread ??= new SideThread({
      file: 'store/receipts-thread.js',
      data: () => ({ handle }),
      limits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
      onLost,
    });
    this.#thread.begin(() => {
      // Rows of a block that nothing announces would stay after a crash.
      const batch = this.#database.batch();
      announceReceipts(batch, block.height);
      this.#isBegun = true;
      write(batch);
      if (this.#data.length < bytes) this.#data = new Uint8Array(new SharedArrayBuffer(bytes));
      this.#data.set(receipts.data.subarray(0, bytes));
      if (this.#ends.length < count) this.#ends = new Uint32Array(new SharedArrayBuffer(4 * count));
      for (let at = 0; at < count; at++) this.#ends[at] = receipts.end(at);
      return { height: block.height, count, data: this.#data, ends: this.#ends, pieceBytes };
    });
  }

  /**
   * Has all rows of the receipts written: waits for the thread, or puts them into `rows` where it has not begun.
   * Returns the bytes of the rows that the thread wrote. Throws what it threw: STORE_WRITE_FAILED, or INTERNAL.
   */
  put(rows: Pick<DatabaseBatch, 'put'>, block: ReceiptsOfBlock): number {
    try {
      const written = this.#isBegun ? endOfThread(() => this.#thread?.end()) : undefined;
      if (written === undefined) putReceipts(rows, block);
      return written ?? 0;
    } finally {
      this.#release();
    }
  }

  /** Goes into the batch that makes the block count. */
  putEnd(batch: Pick<DatabaseBatch, 'del'>): void {
    if (this.#isBegun) endReceipts(batch);
    this.#isBegun = false;
  }

  /** Waits for what was begun, and forgets it; returns whether rows of it may be there. */
  abandon(): boolean {
    const wasBegun = this.#isBegun;
    this.#isBegun = false;
    this.#thread?.abandon();
    this.#release();
    return wasBegun;
  }

  #release(): void {
    if (this.#data.length <= KEPT_BYTES) return;
    this.#data = EMPTY_BYTES;
    this.#ends = new Uint32Array(0);
  }

  /** To be called before the database is closed. */
  async close(): Promise<void> {
    await this.#thread?.close();
  }
}
