import type { ColumnName, Database, DatabaseBatch } from './database.js';

/** Bytes of keys and values after which a batch ends that may. */
export const PIECE_BYTES = 16 << 20;

/** Writes a batch, or throws; whoever calls it hears of nothing else. */
export type WriteBatch = (batch: DatabaseBatch) => void;

/** Rows in batches that end when they are large: what they hold may be said again. The last one is the caller's. */
export class Portions {
  batch: DatabaseBatch;
  readonly #database: Database;
  readonly #pieceBytes: number;
  readonly #write: WriteBatch;

  constructor(database: Database, pieceBytes: number, write: WriteBatch) {
    this.#database = database;
    this.#pieceBytes = pieceBytes;
    this.#write = write;
    this.batch = database.batch();
  }

  put(column: ColumnName, key: Uint8Array, value: Uint8Array): void {
    this.batch.put(column, key, value);
    this.#endPiece();
  }

  del(column: ColumnName, key: Uint8Array): void {
    this.batch.del(column, key);
    this.#endPiece();
  }

  #endPiece(): void {
    if (this.batch.bytes < this.#pieceBytes) return;
    this.#write(this.batch);
    this.batch = this.#database.batch();
  }
}
