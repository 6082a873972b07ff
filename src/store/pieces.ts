/**
 * Blocks whose rows are too many for one batch: a batch lies in memory as a whole, and once more in the database. They
 * are written in pieces, and the block becomes the tip with the last one.
 *
 * The first piece says that block h, the one after the tip, is being written. The undo record names all keys of the
 * block; the row of it that names a key comes before the rows of that key. Until the last piece takes that back and
 * moves the tip, the database has rows of a block that does not count. Nobody takes them for more: `latest` says of
 * each row which block wrote it, the row that it replaced is in `history` by then, and reads of a height go by both
 * (StoreReader.getAt); receipts, plan and record are found by height, and what stands above the tip is not found by its
 * txid. State trees follow the tip. After a crash, whoever opens the database takes the rows back by the
 * undo record first ({@link takeBackPieces}).
 *
 * A final block (final.ts) has an undo record while it is being written in pieces only: each piece brings the rows of
 * it that name what is new, and the last one deletes them.
 *
 * A block that is rolled back leaves in the reverse way: one batch moves the tip and says that the block's rows are no
 * more than pieces, and then they are taken back.
 */
import { delTxids, takeBackAddresses } from './address-writes.js';
import type { ColumnName, Database, DatabaseBatch, PutRows } from './database.js';
import { beU32, historyKey, latestKey, META_UNFINISHED, readBeU32 } from './keys.js';
import { PIECE_BYTES, Portions, type WriteBatch } from './portions.js';
import { delReceipts } from './receipt-writes.js';
import { corrupt } from './records.js';
import type { TouchedKey } from './touched.js';
import { delUndo, touchedIn, undoRows } from './undo-rows.js';

/** Keys whose rows are in memory at a time. */
const PORTION = 4_096;

/** Height of the block whose rows do not count; undefined where none is being written. */
export function unfinishedHeight(database: Database): number | undefined {
  const bytes = database.get('meta', META_UNFINISHED);
  return bytes && readBeU32(bytes, 0);
}

export function putUnfinished(batch: Pick<DatabaseBatch, 'put'>, height: number): void {
  batch.put('meta', META_UNFINISHED, beU32(height));
}

/** Rows of one block, in as many batches as they need: one, unless they are too many. */
export class PieceWriter {
  #batch: DatabaseBatch;
  #begun = false;
  /** What names the rows put since the last piece. */
  #naming: PutRows[] = [];
  readonly #database: Database;
  readonly #height: number;
  readonly #write: WriteBatch;

  /** A row of the undo record must be put, or its putting announced, before those that it names. */
  constructor(
    database: Database,
    height: number,
    readonly pieceBytes: number,
    write: WriteBatch,
  ) {
    this.#database = database;
    this.#height = height;
    this.#write = write;
    this.#batch = database.batch();
  }

  /** Whether a piece was written: the block takes more than one batch. */
  get begun(): boolean {
    return this.#begun;
  }

  put(column: ColumnName, key: Uint8Array, value: Uint8Array): void {
    this.#batch.put(column, key, value);
    if (this.#batch.bytes >= this.pieceBytes) this.#end();
  }

  del(column: ColumnName, key: Uint8Array): void {
    this.#batch.del(column, key);
    if (this.#batch.bytes >= this.pieceBytes) this.#end();
  }

  /** `put` puts a row of the undo record, and is called with the next piece that is not the last, if there is one. */
  announce(put: PutRows): void {
    this.#naming.push(put);
  }

  /** The batch that makes the block count: for what may not be seen before. Whoever takes it writes or discards it. */
  last(): DatabaseBatch {
    if (this.#begun) this.#batch.del('meta', META_UNFINISHED);
    return this.#batch;
  }

  /** Lets go of what is not written. */
  discard(): void {
    this.#batch.discard();
  }

  #end(): void {
    for (const put of this.#naming) put(this.#batch);
    this.#naming = [];
    if (!this.#begun) putUnfinished(this.#batch, this.#height);
    this.#begun = true;
    this.#write(this.#batch);
    this.#batch = this.#database.batch();
  }
}

/**
 * Takes the rows of an unfinished block back, if there is one; returns its height. It may end at any write: the next
 * call goes on. Throws StoreError STORE_CORRUPT if the undo record cannot be read.
 */
export function takeBackPieces(database: Database, write: WriteBatch, pieceBytes = PIECE_BYTES): number | undefined {
  const height = unfinishedHeight(database);
  if (height === undefined) return undefined;
  const rows = undoRows(database, height);
  if (rows === undefined) throw corrupt('undo record', height);
  const pieces = new Portions(database, pieceBytes, write);
  try {
    for (const keys of portionsOf(touchedIn(height, rows))) takeBackKeys(database, pieces, keys, height);
    delReceipts(database, pieces, height);
    takeBackAddresses(database, pieces, height);
  } catch (error) {
    pieces.batch.discard();
    throw error;
  }
  delTxids(database, pieces.batch, height);
  delUndo(database, pieces.batch, height);
  pieces.batch.del('meta', META_UNFINISHED);
  write(pieces.batch);
  return height;
}

/** Gives keys of block `height` the rows back that it moved, as far as it did. */
function takeBackKeys(database: Database, pieces: Portions, keys: readonly TouchedKey[], height: number): void {
  const present = keys.filter((key) => key.present);
  const moved = present.map(({ ns, key }) => historyKey(ns, key, height));
  const rows = database.getMany('history', moved);
  present.forEach(({ ns, key }, i) => {
    const row = rows[i];
    if (row === undefined) return;
    pieces.put('latest', latestKey(ns, key), row);
    pieces.del('history', moved[i]);
  });
  const added = keys.filter((key) => !key.present).map(({ ns, key }) => latestKey(ns, key));
  const there = database.getMany('latest', added);
  // What is gone is not deleted again: an opening that ends early has done a part for good.
  added.forEach((key, i) => {
    if (there[i] !== undefined) pieces.del('latest', key);
  });
}

function* portionsOf(keys: Iterable<TouchedKey>): Generator<readonly TouchedKey[], void, void> {
  let portion: TouchedKey[] = [];
  for (const key of keys) {
    portion.push(key);
    if (portion.length < PORTION) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
