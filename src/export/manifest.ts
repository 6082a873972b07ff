/** What a folder of exported files holds: manifest.json, which alone says which files count. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors/errors.js';
import type { StoreIdentity } from '../store/types.js';
import { FORMATS, type Format } from './formats.js';
import { writing } from './table-file.js';
import { TABLE_NAMES, type TableName } from './tables.js';

const MANIFEST_FILE = 'manifest.json';
/** A line of 1 kB for each thousand blocks. */
const MOST_BYTES = 64 << 20;
const HASH = /^[0-9a-f]{64}$/;

export interface ExportedFile {
  /** Below the folder. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** The files of some blocks that follow each other. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** Of block `to`, display order: it commits to all blocks before it. */
  readonly hash: string;
  readonly files: Readonly<Record<TableName, ExportedFile>>;
}

/** What all files of a folder have in common; an export goes on only with the same. */
export interface ExportKind {
  /** Of the tables (TABLES_VERSION). */
  readonly tables: number;
  readonly format: Format;
  readonly blocksPerFile: number;
  readonly from: number;
  readonly chain: StoreIdentity;
}

export interface Manifest extends ExportKind {
  /** Ascending, without gaps. */
  readonly parts: readonly Part[];
}

/** The manifest of a folder; undefined if it has none. Throws InputError EXPORT_MANIFEST. */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, MANIFEST_FILE);
  let text: string;
  try {
    if (statSync(path).size > MOST_BYTES) throw unreadable(path, 'it is too long');
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    if (cause instanceof InputError) throw cause;
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unreadable(path, 'it is not JSON');
  }
  if (!isManifest(value)) throw unreadable(path, 'it lacks what a manifest says');
  return value;
}

/** Replaces the manifest in one step. Throws EnvironmentError ENV_UNWRITABLE. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const { parts, ...head } = manifest;
  const lines = parts.map((part) => `    ${JSON.stringify(part)}`).join(',\n');
  const text = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "parts": [\n${lines}\n  ]\n}\n`;
  const path = join(folder, MANIFEST_FILE);
  const temporary = `${path}.part`;
  writing(path, () => {
    const file = openSync(temporary, 'w');
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(folder);
  });
}

/** Makes renames in a folder last. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isManifest(value: unknown): value is Manifest {
  if (!isRecord(value) || !isRecord(value.chain) || !Array.isArray(value.parts)) return false;
  const { tables, format, blocksPerFile, from } = value;
  const known = FORMATS.find((one) => one === format);
  return (
    isHeight(tables) &&
    known !== undefined &&
    isHeight(blocksPerFile) &&
    isHeight(from) &&
    arePartsOf(value.parts, from)
  );
}

function arePartsOf(parts: readonly unknown[], from: number): boolean {
  let next = from;
  return parts.every((part) => {
    if (!isRecord(part) || part.from !== next || !isHeight(part.to) || part.to < next || !isRecord(part.files))
      return false;
    next = part.to + 1;
    const { files } = part;
    return typeof part.hash === 'string' && HASH.test(part.hash) && TABLE_NAMES.every((table) => isFile(files[table]));
  });
}

function isFile(value: unknown): boolean {
  // Names that this program gives: nothing outside the folder is ever looked at or deleted.
  return isRecord(value) && typeof value.path === 'string' && FILE_PATH.test(value.path) && isHeight(value.bytes);
}

const NAME = `\\d{9}-\\d{9}-[0-9a-f]{8}\\.(${FORMATS.join('|')})`;
const FILE_PATH = new RegExp(`^(${TABLE_NAMES.join('|')})/${NAME}$`);
/** Behind the end of a name while the file is being written. */
export const UNFINISHED = '.part';
/** A file of a table, whole or not. */
export const FILE_NAME = new RegExp(`^${NAME}(\\${UNFINISHED})?$`);

/**
 * Where the file of a table lies, below the folder; `hash` as in {@link Part}: files of other blocks have other names.
 */
export function filePath(table: TableName, from: number, to: number, hash: string, format: Format): string {
  const pad = (height: number): string => String(height).padStart(9, '0');
  return `${table}/${pad(from)}-${pad(to)}-${hash.slice(-8)}.${format}`;
}

function isHeight(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(path: string, reason: string): InputError {
  return new InputError('EXPORT_MANIFEST', 'the manifest of the folder cannot be used', {
    facts: { path, reason },
    hint: 'Export into another folder, or delete this one.',
  });
}
