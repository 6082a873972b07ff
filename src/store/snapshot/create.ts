import { createHash, type KeyObject, sign } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { EnvironmentError, StoreError } from '../../errors/errors.js';
import { concatBytes, toDisplayHash } from '../../util/bytes.js';
import { allRows, type BegunRows, rowsOnce } from '../entries.js';
import type { StoreReader } from '../reader.js';
import type { ColumnName, Row } from '../rocks.js';
import { Store } from '../store.js';
import {
  CHUNK_BYTES,
  type ChunkEntry,
  encodeRows,
  encodeTrailer,
  MAGIC,
  MAX_ROW_BYTES,
  rowBytes,
  SNAPSHOT_COLUMNS,
  type SnapshotColumn,
  type SnapshotManifest,
} from './format.js';

const compress = promisify(deflate);
/** End of the name of a file that is not complete. */
export const PART = '.part';
/** Hashes hardly compress; more effort gains nothing. */
const LEVEL = 1;

export interface CreateOptions {
  /** Ed25519; unsigned if not given. */
  readonly key?: KeyObject;
  /** Called after each chunk; what it throws ends the writing. */
  readonly progress?: (column: ColumnName, bytes: number) => void;
}

export interface CreatedSnapshot {
  readonly manifest: SnapshotManifest;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Writes the store in `dir`, undo data included, into the new file `out`. Holds a chunk or two in memory. The file gets
 * its name when it is complete. Throws what opening throws, StoreError SNAPSHOT_EMPTY without a block,
 * SNAPSHOT_ROW_TOO_LONG, EnvironmentError SNAPSHOT_FILE_EXISTS, ENV_UNWRITABLE.
 */
export async function createSnapshot(dir: string, out: string, options: CreateOptions = {}): Promise<CreatedSnapshot> {
  if (existsSync(out)) {
    throw new EnvironmentError('SNAPSHOT_FILE_EXISTS', 'a file of this name exists already', {
      facts: { path: out },
      hint: 'Choose another name, or delete the file.',
    });
  }
  const store = await Store.openRecorded(dir, { readOnly: true }).catch((error: unknown) => {
    throw error instanceof StoreError && error.code === 'STORE_EMPTY' ? empty(dir) : error;
  });
  try {
    return await writeSnapshot(beginSnapshot(store, dir), out, options);
  } finally {
    await store.close();
  }
}

/** A state of the store to be written into a snapshot, while the store may go on. */
export interface BegunSnapshot {
  readonly described: Omit<SnapshotManifest, 'rows' | 'chunks'>;
  readonly rows: Readonly<Record<SnapshotColumn, BegunRows>>;
}

/**
 * The state that the store is in: nobody may write to it until this returns. `path` is what errors call it. Throws
 * StoreError SNAPSHOT_EMPTY without a block, or where the tip has no roots.
 */
export function beginSnapshot(store: StoreReader, path: string): BegunSnapshot {
  const described = describe(store, path);
  const rows = Object.fromEntries(SNAPSHOT_COLUMNS.map((column) => [column, rowsOnce(store.rowsOf(column))]));
  return { described, rows: rows as Record<SnapshotColumn, BegunRows> };
}

/**
 * Writes the new file `out` and lets go of the rows, also where it throws: SNAPSHOT_ROW_TOO_LONG, ENV_UNWRITABLE, what
 * `progress` throws.
 */
export async function writeSnapshot(
  { described, rows }: BegunSnapshot,
  out: string,
  options: CreateOptions = {},
): Promise<CreatedSnapshot> {
  try {
    const file = new OutputFile(`${out}${PART}`);
    try {
      const created = await write(rows, described, file, options);
      file.finish(out);
      return created;
    } finally {
      file.discard();
    }
  } finally {
    for (const column of SNAPSHOT_COLUMNS) rows[column].rows.return();
  }
}

function describe(store: StoreReader, dir: string): Omit<SnapshotManifest, 'rows' | 'chunks'> {
  const tip = store.tip();
  const roots = tip && store.roots(tip.height);
  if (tip === undefined || roots === undefined) {
    throw empty(dir);
  }
  const genesis = store.genesis();
  return {
    format: 2,
    identity: store.identity(),
    genesis: genesis === undefined ? null : toDisplayHash(genesis),
    tip: { height: tip.height, hash: toDisplayHash(tip.hash) },
    lowestRollback: store.lowestRollback(),
    stateRoot: roots.state,
  };
}

function empty(path: string): StoreError {
  return new StoreError('SNAPSHOT_EMPTY', 'the store has no block yet', { facts: { path } });
}

async function write(
  of: BegunSnapshot['rows'],
  described: Omit<SnapshotManifest, 'rows' | 'chunks'>,
  file: OutputFile,
  { key, progress }: CreateOptions,
): Promise<CreatedSnapshot> {
  file.write(MAGIC);
  const chunks: ChunkEntry[] = [];
  const rows = { latest: 0, history: 0, blocks: 0, addresses: 0, undo: 0, meta: 0 };
  for (const column of SNAPSHOT_COLUMNS) {
    for (const { raw, count } of rawChunks(allRows(of[column]))) {
      const stored = await compress(raw, { level: LEVEL });
      file.write(stored);
      const sha256 = createHash('sha256').update(stored).digest('hex');
      chunks.push({ column, rows: count, bytes: raw.length, stored: stored.length, sha256 });
      rows[column] += count;
      progress?.(column, file.length);
    }
  }
  const manifest: SnapshotManifest = { ...described, rows, chunks };
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  const signature = key === undefined ? new Uint8Array(0) : sign(null, concatBytes(MAGIC, text), key);
  file.write(text);
  file.write(signature);
  file.write(encodeTrailer(text.length, signature.length));
  return { manifest, bytes: file.length };
}

function tooLong(bytes: number): StoreError {
  return new StoreError('SNAPSHOT_ROW_TOO_LONG', 'a row of the store is longer than a snapshot may hold', {
    facts: { bytes, limit: MAX_ROW_BYTES },
    hint: 'Copy the folder of the database instead, while nothing has it open.',
  });
}

function* rawChunks(rows: Iterable<Row>): Generator<{ raw: Uint8Array; count: number }, void, void> {
  let waiting: Row[] = [];
  let length = 0;
  for (const row of rows) {
    const bytes = rowBytes(row);
    if (bytes > MAX_ROW_BYTES) throw tooLong(bytes);
    if (length > 0 && length + bytes > CHUNK_BYTES) {
      yield { raw: encodeRows(waiting, length), count: waiting.length };
      waiting = [];
      length = 0;
    }
    waiting.push(row);
    length += bytes;
  }
  if (length > 0) yield { raw: encodeRows(waiting, length), count: waiting.length };
}

/** A file under a temporary name until it is complete. */
class OutputFile {
  length = 0;
  #fd: number | undefined;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;

    this.#fd = this.#attempt(() => openSync(path, 'w'));
  }

  write(bytes: Uint8Array): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    for (let at = 0; at < bytes.length; ) at += this.#attempt(() => writeSync(fd, bytes, at));
    this.length += bytes.length;
  }

  finish(name: string): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#attempt(() => {
      fsyncSync(fd);
      closeSync(fd);
      renameSync(this.#path, name);
    });
    this.#fd = undefined;
  }

  /** Removes an unfinished file. */
  discard(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#path, { force: true });
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', {
        facts: { path: this.#path },
        cause,
      });
    }
  }
}
