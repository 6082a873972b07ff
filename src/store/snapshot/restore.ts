import { createHash, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError, StoreError } from '../../errors/errors.js';
import { bytesEqual, compareBytes, toDisplayHash } from '../../util/bytes.js';
import { checkStore } from '../check/check.js';
import type { Violation } from '../check/run.js';
import { checkIdentity, identityOf } from '../identity.js';
import { makeFolder } from '../new-folder.js';
import { type ColumnName, Rocks } from '../rocks.js';
import { Store } from '../store.js';
import { checkChunkHash, endingOf, manifestOf, truncated } from './ending.js';
import { type ChunkEntry, decodeRows, MAGIC, malformed, type SnapshotManifest, TRAILER_BYTES } from './format.js';
import { inflateTo } from './inflate.js';

export interface RestoreOptions {
  /** Ed25519; if given, a file that is unsigned or signed with another key is refused. */
  readonly publicKey?: KeyObject;
  readonly progress?: (what: string, done: number) => void;
}

export interface RestoredSnapshot {
  readonly manifest: SnapshotManifest;
  readonly signed: boolean;
}

/**
 * Makes the store `dir` from the snapshot `file`: signature and manifest first, every chunk's hash before its rows are
 * used, then the whole store is verified; the last step renames `dir`.restoring to `dir`. Holds a chunk or two in
 * memory. Throws InputError SNAPSHOT_* and FILE_UNREADABLE, EnvironmentError SNAPSHOT_TARGET_EXISTS, StoreError, and
 * then leaves nothing.
 */
export async function restoreSnapshot(
  file: string,
  dir: string,
  options: RestoreOptions = {},
): Promise<RestoredSnapshot> {
  const input = new InputFile(file);
  try {
    const { manifest, signed, dataEnd } = readManifest(input, options.publicKey);
    checkIdentity(dir, manifest.identity, identityOf(manifest.identity));
    await makeFolder(dir, '.restoring', async (work) => {
      await fill(work, input, manifest, dataEnd, options);
      await makeTrees(work, options);
      await verifyRestored(work, manifest, options);
    });
    return { manifest, signed };
  } finally {
    input.close();
  }
}

function readManifest(
  input: InputFile,
  publicKey: KeyObject | undefined,
): { manifest: SnapshotManifest; signed: boolean; dataEnd: number } {
  if (!bytesEqual(input.read(0, MAGIC.length), MAGIC)) throw malformed('it does not begin as one');
  const ending = endingOf(input.size, input.read(input.size - TRAILER_BYTES, TRAILER_BYTES));
  const { dataEnd, manifestBytes, signatureBytes } = ending;
  const text = input.read(dataEnd, manifestBytes);
  const manifest = manifestOf(ending, text, input.read(dataEnd + manifestBytes, signatureBytes), publicKey);
  return { manifest, signed: signatureBytes > 0, dataEnd };
}

async function fill(
  work: string,
  input: InputFile,
  { chunks }: SnapshotManifest,
  dataEnd: number,
  { progress }: RestoreOptions,
): Promise<void> {
  const rocks = await Rocks.open(work, true);
  try {
    let at = MAGIC.length;
    let before: { column: ColumnName; key: Uint8Array } | undefined;
    for (const [number, chunk] of chunks.entries()) {
      const raw = await inflated(input.read(at, chunk.stored), chunk, number);
      at += chunk.stored;
      before = putChunk(rocks, chunk, raw, before);
      progress?.(`${chunk.column}, ${Math.floor((at / dataEnd) * 100)} %`, at);
    }
  } finally {
    await rocks.close();
  }
}

/** The state trees, which the file does not carry, from the restored state. */
async function makeTrees(work: string, { progress }: RestoreOptions): Promise<void> {
  progress?.('state trees', 0);
  const store = await Store.openRecorded(work);
  try {
    store.remakeTrees();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_CORRUPT') throw unsound(error.message, {});
    throw error;
  } finally {
    await store.close();
  }
}

async function inflated(stored: Uint8Array, chunk: ChunkEntry, number: number): Promise<Uint8Array> {
  checkChunkHash(createHash('sha256').update(stored).digest('hex'), chunk, number);
  const raw = await inflateTo(stored, chunk.bytes);
  if (raw === undefined) throw malformed('a chunk does not inflate to the length that the manifest says');
  return raw;
}

/** Returns the last row, above which the next chunk of the column must begin. */
function putChunk(
  rocks: Rocks,
  chunk: ChunkEntry,
  raw: Uint8Array,
  before: { column: ColumnName; key: Uint8Array } | undefined,
): { column: ColumnName; key: Uint8Array } | undefined {
  let last = before?.column === chunk.column ? before.key : undefined;
  let rows = 0;
  const batch = rocks.batch();
  try {
    for (const [key, value] of decodeRows(raw)) {
      if (last !== undefined && compareBytes(last, key) >= 0) throw malformed('its rows are out of order');
      batch.put(chunk.column, key, value);
      last = key;
      rows++;
    }
    if (rows !== chunk.rows) throw malformed('a chunk holds another number of rows than the manifest says');
  } catch (error) {
    batch.discard();
    throw error;
  }
  batch.write();
  return last && { column: chunk.column, key: last };
}

/**
 * Verifies the whole store: the hashes show that the file is unchanged, this check that it was made from a valid store.
 */
async function verifyRestored(work: string, manifest: SnapshotManifest, { progress }: RestoreOptions): Promise<void> {
  let first: Violation | undefined;
  const summary = await checkStore(work, {
    violation(violation) {
      first ??= violation;
    },
    progress: (phase, rows) => progress?.(`verify ${phase}`, rows),
  });
  if (first !== undefined) {
    throw unsound(`${first.code}: ${first.detail}`, { violations: summary.violations });
  }
  const store = await Store.openRecorded(work, { readOnly: true });
  try {
    const tip = store.tip();
    const same =
      tip?.height === manifest.tip.height &&
      toDisplayHash(tip.hash) === manifest.tip.hash &&
      summary.stateRoot === manifest.stateRoot &&
      store.lowestRollback() === manifest.lowestRollback &&
      sameIdentity(store, manifest);
    if (!same) throw unsound('it is not the store that the manifest describes', {});
  } finally {
    await store.close();
  }
}

function sameIdentity(store: Store, manifest: SnapshotManifest): boolean {
  const genesis = store.genesis();
  const [a, b] = [identityOf(store.identity()), identityOf(manifest.identity)];
  const fields = ['network', 'laneStartHeight', 'dependent', 'moduleHash', 'addresses'] as const;
  return (
    fields.every((field) => a[field] === b[field]) && (genesis ? toDisplayHash(genesis) : null) === manifest.genesis
  );
}

function unsound(what: string, facts: Record<string, number>): InputError {
  return new InputError('SNAPSHOT_UNSOUND', `the store in the snapshot is not valid: ${what}`, {
    facts,
    hint: 'Run `warpshrew db check` over the store that the snapshot was made from.',
  });
}

class InputFile {
  readonly size: number;
  readonly #fd: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;

    try {
      this.#fd = openSync(path, 'r');
    } catch (cause) {
      throw this.#unreadable(cause);
    }
    const stat = fstatSync(this.#fd);
    if (!stat.isFile()) {
      closeSync(this.#fd);
      throw this.#unreadable(undefined);
    }
    this.size = stat.size;
  }

  /** Throws InputError SNAPSHOT_TRUNCATED if the file does not have these bytes. */
  read(at: number, length: number): Uint8Array {
    if (at < 0 || at + length > this.size) throw truncated('the file ends too early');
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = this.#readSome(bytes, done, at);
      if (read === 0) throw truncated('the file ends too early');
      done += read;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readSome(bytes: Uint8Array, done: number, at: number): number {
    try {
      return readSync(this.#fd, bytes, done, bytes.length - done, at + done);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  #unreadable(cause: unknown): InputError {
    return new InputError('FILE_UNREADABLE', 'the file cannot be read', { facts: { path: this.#path }, cause });
  }
}
