/** Which folders are databases of this program: nothing is ever written into one that holds anything else. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StoreError } from '../errors/errors.js';

/**
 * File that is written into a new folder before RocksDB is, and by which the folder is known again. RocksDB leaves
 * files alone that it does not know. It says whose the folder is; what the database was made from stands in its own
 * identity record.
 */
export const MARK_FILE = 'WARPSHREW';
const MARK = 'warpshrew database\n';
const MARK_TEXT = `${MARK}Without this file the folder is taken for that of another program, and not opened.\n`;

/** Entries at the root of a new file system. */
const IGNORED: ReadonlySet<string> = new Set(['lost+found']);

/** The columns of a database of this program from before there was a mark. */
const UNMARKED_COLUMNS = ['latest', 'history', 'blocks', 'undo', 'tree', 'meta'];
/** An options file of RocksDB has some 30 kB. */
const OPTIONS_BYTES = 1 << 20;

/**
 * Looks at the folder of a database and writes nothing: `present` if a database of this program is in it, `new` if one
 * may be made there (the folder is missing, empty, or was left marked by a creation that was interrupted). Throws
 * StoreError STORE_FOREIGN for anything else in the folder, STORE_SCHEMA_MISMATCH for a database of a version before
 * the mark, STORE_OPEN_FAILED for one that lost its file CURRENT, STORE_UNWRITABLE where the path is no folder.
 */
export function inspectFolder(path: string): 'present' | 'new' {
  const names = namesIn(path).filter((name) => !IGNORED.has(name));
  if (names.length === 0) return 'new';
  if (!isMarked(path)) throw isOldStore(path, names) ? oldStore(path) : foreign(path, names);
  if (names.includes('CURRENT')) return 'present';
  // RocksDB would make a new database and delete what the old one left.
  const left = names.find((name) => /\.(sst|log|blob)$/.test(name));
  if (left === undefined) return 'new';
  throw new StoreError('STORE_OPEN_FAILED', 'the database has lost its file CURRENT', {
    facts: { path, found: left },
    hint: 'Restore a copy of the folder or a snapshot, or index into a new folder.',
  });
}

/** Makes the folder and its missing parents, and marks it. Throws StoreError STORE_UNWRITABLE. */
export function markFolder(path: string): void {
  try {
    makeFolder(path);
    if (isMarked(path)) return;
    const fd = openSync(join(path, MARK_FILE), 'w');
    try {
      writeSync(fd, MARK_TEXT);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw unwritable(path, error);
  }
}

export function unwritable(path: string, error: unknown): StoreError {
  return new StoreError('STORE_UNWRITABLE', 'the folder of the store cannot be written', {
    facts: { path, reason: error instanceof Error ? error.message : String(error) },
    hint: 'Choose another folder with --db, or give this user the right to write there.',
    cause: error,
  });
}

/** One by one: a recursive mkdir never returns on some file systems (/proc). */
function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) mkdirSync(folder);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw unwritable(path, error);
  }
}

/**
 * Whether the mark is there. An empty one is that of an interrupted creation: no other program makes one of that name.
 */
function isMarked(path: string): boolean {
  const text = beginning(join(path, MARK_FILE), MARK.length);
  return text !== undefined && MARK.startsWith(text);
}

/** RocksDB writes down its columns at each opening, in a text file. */
function isOldStore(path: string, names: readonly string[]): boolean {
  const newest = names.filter((name) => /^OPTIONS-\d+$/.test(name)).sort((a, b) => idOf(b) - idOf(a))[0];
  if (newest === undefined || !names.includes('CURRENT')) return false;
  const text = beginning(join(path, newest), OPTIONS_BYTES) ?? '';
  const columns = new Set([...text.matchAll(/^\[CFOptions "([^"]*)"\]/gm)].map((match) => match[1]));
  return columns.size === UNMARKED_COLUMNS.length + 1 && UNMARKED_COLUMNS.every((name) => columns.has(name));
}

function idOf(name: string): number {
  return Number(name.slice(name.indexOf('-') + 1));
}

/** Up to `length` bytes from the beginning of a file, as text; undefined if it cannot be read. */
function beginning(path: string, length: number): string | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(length);
      return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, length, 0)));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function foreign(path: string, names: readonly string[]): StoreError {
  const database = names.includes('CURRENT');
  return new StoreError(
    'STORE_FOREIGN',
    `the folder holds ${database ? 'a database of another program' : 'other files'}`,
    {
      facts: { path, found: [...names].sort().slice(0, 3).join(', ') },
      hint:
        'Nothing in it was changed. Name another folder with --db (or --db-path): a missing or empty one for a new ' +
        'database, into which the chain is indexed anew.',
    },
  );
}

function oldStore(path: string): StoreError {
  return new StoreError('STORE_SCHEMA_MISMATCH', 'the database was made by an older version of this program', {
    facts: { path },
    hint: 'Nothing in it was changed. Index the chain into a new folder.',
  });
}
