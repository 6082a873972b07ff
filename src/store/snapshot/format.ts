/**
 * A snapshot file: magic ++ chunks ++ manifest (JSON) ++ signature (64 bytes or none) ++ trailer. A chunk is compressed
 * (zlib); it holds rows of one column, each: key length u32 LE, value length u32 LE, key, value. Keys ascend. The
 * trailer, 16 bytes: manifest length u32 LE, signature length u32 LE, magic of the end. The signature is Ed25519 over
 * the magic ++ the manifest; the manifest holds the SHA-256 of every chunk.
 */
import { InputError } from '../../errors/errors.js';
import { readU32, writeU32 } from '../../util/bytes.js';
import { COLUMNS, type ColumnName, type Row } from '../rocks.js';
import type { StoreIdentity } from '../types.js';

export const MAGIC = new TextEncoder().encode('warpshrew snapshot 2\n');
export const END_MAGIC = new TextEncoder().encode('wssnapE1');
export const TRAILER_BYTES = 16;
export const SIGNATURE_BYTES = 64;
/** Maximum uncompressed bytes of a chunk with several rows; a longer row gets its own chunk. */
export const CHUNK_BYTES = 4 << 20;
/**
 * Maximum uncompressed bytes of a chunk with one row, and so of a row: restoring takes about eight times as much
 * memory.
 */
export const MAX_ROW_BYTES = 1 << 27;
/** One compressed byte gives at most 1,032 bytes (https://zlib.net/zlib_tech.html). */
const MOST_INFLATED = 1_032;
/** What zlib adds to bytes that do not compress: headers of blocks of at least 16 kB, and its own. */
const zlibAdds = (bytes: number): number => 64 + Math.ceil(bytes / 1_000);
/** Enough for chunks of a terabyte. */
export const MAX_MANIFEST_BYTES = 64 << 20;
const ROW_HEAD = 8;

/** The state trees are not copied: they follow from the state, and their rows tell when they were written. */
export type SnapshotColumn = Exclude<ColumnName, 'tree'>;

/** Columns in the order of the file. `meta` comes last: a folder without its identity record is not a store. */
export const SNAPSHOT_COLUMNS: readonly SnapshotColumn[] = [
  ...COLUMNS.filter((name) => name !== 'meta' && name !== 'tree'),
  'meta',
];

export interface ChunkEntry {
  readonly column: SnapshotColumn;
  readonly rows: number;
  /** Length after inflating. */
  readonly bytes: number;
  /** Length in the file. */
  readonly stored: number;
  /** Hash of the bytes in the file, hex. */
  readonly sha256: string;
}

export interface SnapshotManifest {
  readonly format: 2;
  readonly identity: StoreIdentity;
  /** Hash in display order; null if the store has none recorded. */
  readonly genesis: string | null;
  readonly tip: { readonly height: number; readonly hash: string };
  /** Lowest height that the restored store can be rolled back to. */
  readonly lowestRollback: number;
  readonly stateRoot: string;
  readonly rows: Readonly<Record<SnapshotColumn, number>>;
  readonly chunks: readonly ChunkEntry[];
}

/** Whether a chunk can have these lengths and rows: checked before anything is allocated for it. */
export function possibleChunk({ rows, bytes, stored }: Pick<ChunkEntry, 'rows' | 'bytes' | 'stored'>): boolean {
  const most = rows > 1 ? CHUNK_BYTES : MAX_ROW_BYTES;
  return (
    rows > 0 &&
    bytes >= rows * ROW_HEAD &&
    bytes <= most &&
    bytes <= stored * MOST_INFLATED &&
    stored <= bytes + zlibAdds(bytes)
  );
}

export function encodeTrailer(manifestBytes: number, signatureBytes: number): Uint8Array {
  const trailer = new Uint8Array(TRAILER_BYTES);
  writeU32(trailer, 0, manifestBytes);
  writeU32(trailer, 4, signatureBytes);
  trailer.set(END_MAGIC, 8);
  return trailer;
}

/** Bytes of a row in a chunk. */
export function rowBytes([key, value]: Row): number {
  return ROW_HEAD + key.length + value.length;
}

export function encodeRows(rows: readonly Row[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const [key, value] of rows) {
    writeU32(out, at, key.length);
    writeU32(out, at + 4, value.length);
    out.set(key, at + ROW_HEAD);
    out.set(value, at + ROW_HEAD + key.length);
    at += ROW_HEAD + key.length + value.length;
  }
  return out;
}

/** Rows of an inflated chunk, as views of it. Throws InputError SNAPSHOT_MALFORMED. */
export function* decodeRows(chunk: Uint8Array): Generator<Row, void, void> {
  for (let at = 0; at < chunk.length; ) {
    if (at + ROW_HEAD > chunk.length) throw malformed('a row of a chunk is cut off');
    const key = at + ROW_HEAD;
    const value = key + readU32(chunk, at);
    const end = value + readU32(chunk, at + 4);
    if (end > chunk.length) throw malformed('a row of a chunk is cut off');
    yield [chunk.subarray(key, value), chunk.subarray(value, end)];
    at = end;
  }
}

export function malformed(what: string, cause?: unknown): InputError {
  return new InputError('SNAPSHOT_MALFORMED', `the file is no snapshot that this program can read: ${what}`, {
    hint: 'Get the file again, or use the program that made it.',
    cause,
  });
}
