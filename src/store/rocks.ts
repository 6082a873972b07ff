/**
 * The only file that touches @nxtedition/rocksdb.
 *
 * Traps of the binding, held by test/store/rocks.test.ts:
 * - Synchronous calls exist only as underscore methods and want explicit buffer encodings.
 * - A thread that attached by handle must never close: the owner would crash when it closes afterwards.
 * - Writes block the calling thread.
 * - The database holds on to every batch and iterator that was made until it is let go of by name.
 * - After a write that failed, closing reports failure too, but closes.
 * - The binding creates folders with a recursive mkdir that never returns on some file systems (/proc): folder.ts
 *   makes them before.
 */
import { resolve } from 'node:path';
import { type Batch, type Column, type PointReadOptions, RocksLevel } from '@nxtedition/rocksdb';
import { InternalError, StoreError } from '../errors/errors.js';
import { COLUMNS, type ColumnName, type Database, type DatabaseBatch, type Range, type Row } from './database.js';
import { assertFileLimit } from './file-limit.js';
import { inspectFolder, markFolder, unwritable } from './folder.js';
import { columnOptions, DEFAULT_COLUMN_OPTIONS } from './rocks-options.js';

export { COLUMNS, type ColumnName, type Range, type Row };

/** Of the cache, if nothing is said about it. */
const DEFAULT_CACHE_BYTES = 256 << 20;

const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

/** Rows that one step of an iteration fetches. */
const SCAN_ROWS = 500;
/** Bytes after which a step ends early: a row may hold megabytes. */
const SCAN_BYTES = 4 << 20;

/**
 * Views of one lasting buffer, by length. V8 keeps arrays of up to 64 bytes inside its heap, and the binding makes
 * each of them a buffer of its own outside, which costs more than the put and a tenth of a read: what is that short is
 * copied into one of these first.
 */
const MAX_VIEW = 64;
const lasting = new Uint8Array(2 * MAX_VIEW);
const keyViews = Array.from({ length: MAX_VIEW + 1 }, (_, length) => lasting.subarray(0, length));
const valueViews = Array.from({ length: MAX_VIEW + 1 }, (_, length) => lasting.subarray(MAX_VIEW, MAX_VIEW + length));

/** What a point read asks for. */
const oneKey: Uint8Array[] = [lasting];

/**
 * `bytes`, or a view of what is copied at once: good until the next use of the same views. A view that begins inside a
 * buffer lies outside of V8's heap already.
 */
function outside(views: readonly Uint8Array[], bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_VIEW || bytes.byteOffset > 0) return bytes;
  const view = views[bytes.length];
  view.set(bytes);
  return view;
}

/** Puts and deletes over any column, written at once. Whoever takes one writes or discards it, once. */
export class WriteBatch implements DatabaseBatch {
  bytes = 0;
  #batch: Batch | undefined;
  readonly #columns: Readonly<Record<ColumnName, { readonly column: Column }>>;
  readonly #giveBack: (batch: Batch, bytes: number) => void;

  constructor(
    batch: Batch,
    columns: Readonly<Record<ColumnName, { readonly column: Column }>>,
    giveBack: (batch: Batch, bytes: number) => void,
  ) {
    this.#batch = batch;
    this.#columns = columns;
    this.#giveBack = giveBack;
  }

  put(column: ColumnName, key: Uint8Array, value: Uint8Array): void {
    this.bytes += key.length + value.length;
    this.#open()._put(outside(keyViews, key), outside(valueViews, value), this.#columns[column]);
  }

  del(column: ColumnName, key: Uint8Array): void {
    this.bytes += key.length;
    this.#open()._del(outside(keyViews, key), this.#columns[column]);
  }

  /**
   * Atomic; with fsync of the log, which holds whatever was written before, unless `sync` is false. Blocks the thread.
   */
  write(sync = true): void {
    const batch = this.#open();
    try {
      batch._writeSync({ sync });
    } catch (error) {
      throw writeFailed('the database refused a write', error);
    } finally {
      this.discard();
    }
  }

  /** Does nothing if it was written or discarded before. */
  discard(): void {
    if (this.#batch === undefined) return;
    this.#giveBack(this.#batch, this.bytes);
    this.#batch = undefined;
  }

  #open(): Batch {
    if (this.#batch === undefined) throw new InternalError('a batch was used after it was written or discarded');
    return this.#batch;
  }
}

/**
 * Batches that wait to be filled again, and bytes of rows after which one does not: the binding keeps the memory of a
 * batch until the garbage collector happens to find it, and the collector does not know how much that is.
 */
const MOST_SPARE = 2;
const SPARE_BYTES = 32 << 20;

/** A RocksDB database with the store's columns. All reads are synchronous. */
export class Rocks implements Database {
  readonly #columns: Readonly<Record<ColumnName, { readonly column: Column }>>;
  /** Made once: point reads are many and short. */
  readonly #pointReads: Readonly<Record<ColumnName, PointReadOptions>>;
  #closed = false;
  readonly #spare: Batch[] = [];
  readonly #db: RocksLevel;
  readonly #owner: boolean;

  private constructor(db: RocksLevel, owner: boolean) {
    this.#db = db;
    this.#owner = owner;
    const entries = COLUMNS.map((name) => [name, { column: db.columns[name] }] as const);
    this.#columns = Object.fromEntries(entries) as Record<ColumnName, { column: Column }>;
    const reads = entries.map(([name, of]) => [name, { ...of, ...BUFFERS }] as const);
    this.#pointReads = Object.fromEntries(reads) as Record<ColumnName, PointReadOptions>;
  }

  /**
   * Opens the database in `dir`; `create` makes the folder and the database if they are missing. `cacheBytes`: memory
   * for what was read, with the indexes and filters of the files, so that it does not grow with the database. A folder
   * that holds anything but a database of this program is refused before anything is written. Throws {@link
   * StoreError}: STORE_MISSING, STORE_LOCKED, STORE_OPEN_FAILED, STORE_FILE_LIMIT, and as `inspectFolder` and
   * `markFolder` (folder.ts).
   */
  static async open(dir: string, create: boolean, cacheBytes = DEFAULT_CACHE_BYTES): Promise<Rocks> {
    const path = resolve(dir);
    const present = inspectFolder(path) === 'present';
    if (!present && !create) {
      throw new StoreError('STORE_MISSING', 'there is no store in this folder', {
        facts: { path },
        hint: 'Name the folder of an existing store, or replay a chain into it first.',
      });
    }
    if (!present) markFolder(path);
    assertFileLimit(path);
    const columns = Object.fromEntries([
      ['default', DEFAULT_COLUMN_OPTIONS],
      ...COLUMNS.map((name) => [name, columnOptions(name, cacheBytes)]),
    ]);
    const db = new RocksLevel(path, {
      createIfMissing: false,
      ...(present ? {} : { createIfMissing: true }),
      // Most of what is written is hashes: packing them costs the writing thread more than it saves the disk.
      walCompression: false,
      // The log takes the rows of one thread while others bring theirs into memory.
      pipelinedWrite: true,
      columns,
    });
    try {
      await db.open();
    } catch (error) {
      throw openError(path, error);
    }
    return new Rocks(db, true);
  }

  /** The database that another thread of this process opened. It must outlive this object, which never closes it. */
  static async attach(handle: bigint): Promise<Rocks> {
    const db = new RocksLevel(handle, {});
    await db.open();
    return new Rocks(db, false);
  }

  get handle(): bigint {
    return this.#db.handle;
  }

  get version(): number {
    this.#assertOpen();
    return this.#db.sequence;
  }

  get(column: ColumnName, key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    // Point reads are many and short: no list or function is made for one.
    oneKey[0] = outside(keyViews, key);
    try {
      return this.#db._getManySync(oneKey, this.#pointReads[column])[0];
    } catch (cause) {
      throw readFailed(column, cause);
    }
  }

  getMany(column: ColumnName, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.#assertOpen();
    if (keys.length === 0) return [];
    return reading(column, () => this.#db._getManySync(keys, this.#pointReads[column]));
  }

  /** First row of a range, in the given order. */
  first(column: ColumnName, range: Range): Row | undefined {
    this.#assertOpen();
    // Without this the binding reads the index of a table again each time, not only the block with the row.
    const options = { ...this.#columns[column], ...range, limit: 1, fillCache: true, ...BUFFERS };
    const { rows } = reading(column, () => this.#db.querySync(options));
    return rows.length === 0 ? undefined : [rows[0], rows[1]];
  }

  /** Rows of a range as of the moment of the first step, fetched in portions. */
  *scan(column: ColumnName, range: Range = {}): Generator<Row, void, void> {
    this.#assertOpen();
    const iterator = this.#db._iterator({
      ...this.#columns[column],
      limit: -1,
      highWaterMarkBytes: SCAN_BYTES,
      ...range,
      ...BUFFERS,
    });
    try {
      for (;;) {
        const { rows, finished } = reading(column, () => iterator._nextvSync(SCAN_ROWS));
        for (let i = 0; i < rows.length; i += 2) yield [rows[i], rows[i + 1]];
        if (finished) return;
        this.#assertOpen();
      }
    } finally {
      if (!this.#closed) {
        iterator._closeSync();
        this.#db.detachResource(iterator);
      }
    }
  }

  batch(): WriteBatch {
    this.#assertOpen();
    return new WriteBatch(this.#spare.pop() ?? this.#db.batch(), this.#columns, this.#giveBack);
  }

  readonly #giveBack = (batch: Batch, bytes: number): void => {
    if (this.#closed) return;
    if (bytes <= SPARE_BYTES && this.#spare.length < MOST_SPARE) {
      batch._clear();
      this.#spare.push(batch);
      return;
    }
    batch._closeSync();
    this.#db.detachResource(batch);
  };

  /**
   * Closes the database if this object opened it; an attached one is only marked closed. Throws STORE_WRITE_FAILED if
   * the last of the log could not be written, as after every failed write: the files and the lock are let go of all
   * the same.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#owner) return;
    try {
      await this.#db.close();
    } catch (error) {
      throw writeFailed('the database did not close cleanly', error instanceof Error ? (error.cause ?? error) : error);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('STORE_CLOSED', 'the store is closed');
  }
}

/** What `read` gives. Throws STORE_READ_FAILED where the binding throws: it found damage, or the disk gave an error. */
function reading<T>(column: ColumnName, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw readFailed(column, cause);
  }
}

function readFailed(column: ColumnName, cause: unknown): StoreError {
  return new StoreError('STORE_READ_FAILED', 'the database cannot read what it stored', {
    facts: { column, reason: text(cause) },
    hint: 'Check the health of the disk; restore a snapshot, or index into a new folder.',
    cause,
  });
}

function writeFailed(what: string, cause: unknown): StoreError {
  return new StoreError('STORE_WRITE_FAILED', what, {
    facts: { reason: text(cause) },
    hint: 'Check the free space and the health of the disk; the store stays at the last whole block.',
    cause,
  });
}

/** Maps the binding's message to a stable code. */
function openError(path: string, error: unknown): StoreError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const reason = text(cause);
  if (/lock hold|LOCK: (Resource temporarily unavailable|No locks available)/i.test(reason)) {
    return new StoreError('STORE_LOCKED', 'another process or thread has this store open', {
      facts: { path },
      hint: 'Stop the other warpshrew, or use another folder.',
      cause,
    });
  }
  if (/permission denied|read-only file system|not a directory|operation not permitted|EACCES|EROFS/i.test(reason)) {
    return unwritable(path, cause);
  }
  if (/column famil/i.test(reason)) {
    return new StoreError('STORE_SCHEMA_MISMATCH', 'the database in this folder was not made by this program', {
      facts: { path, reason },
      hint: 'Use another folder.',
      cause,
    });
  }
  return new StoreError('STORE_OPEN_FAILED', 'the database does not open', {
    facts: { path, reason },
    hint: 'If the files are damaged, replay the chain into a new folder.',
    cause,
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
