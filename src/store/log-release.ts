/**
 * Lets the database drop its log. It keeps all of the log since the oldest row that is in no file yet, and a column of
 * which little is written keeps its rows out of files for days: a block of a gigabyte would leave its whole log behind.
 * The binding can neither be told to write a column to files nor how long the log may get.
 */
import type { Database, DatabaseBatch } from './database.js';
import { SELDOM_FULL } from './rocks-options.js';

/** Bytes of the log after which it is let go. */
const LOG_BYTES = 64 << 20;

/** The key of no row: its deletion fills a memtable as well, and nobody ever finds it. Files name their last key. */
const NO_ROW = new Uint8Array(1_024).fill(0xff);

export class LogRelease {
  readonly #database: Database;
  readonly #logBytes: number;
  #bytes = 0;

  constructor(database: Database, logBytes = LOG_BYTES) {
    this.#database = database;
    this.#logBytes = logBytes;
  }

  /** So many bytes were written; `write` writes what is needed for the log, which changes no row. */
  wrote(bytes: number, write: (batch: DatabaseBatch) => void): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#logBytes) return;
    this.#bytes = 0;
    // A memtable is put aside by the write after the one that filled it.
    for (let step = 0; step < 3; step++) {
      const batch = this.#database.batch();
      for (const [column, full] of SELDOM_FULL) {
        const times = step < 2 ? Math.ceil(full / 2 / NO_ROW.length) : 1;
        for (let i = 0; i < times; i++) batch.del(column, NO_ROW);
      }
      write(batch);
    }
  }
}
