/**
 * A folder of snapshots and the file that lists them, `index.json`, so that the folder may be served over HTTP as it
 * is: whoever fetches from it reads the list first.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors/errors.js';
import { PART } from './create.js';
import type { SnapshotManifest } from './format.js';

export const CATALOGUE_FILE = 'index.json';
/** Far more than a thousand entries take. */
export const MAX_CATALOGUE_BYTES = 1 << 20;
const MOST_ENTRIES = 1_000;
/** Of the files that are made here: no other is ever deleted. */
const OWN_NAME = /^\d{9}-[0-9a-f]{16}\.snapshot$/;

export interface CatalogueEntry {
  /** Name of the file in the folder. */
  readonly file: string;
  readonly bytes: number;
  readonly height: number;
  /** Of the block at the tip, display order, hex. */
  readonly hash: string;
  readonly stateRoot: string;
  readonly network: string;
  /** SHA-256 of the standard module, hex. */
  readonly moduleHash: string;
}

/** The name of a snapshot: of two branches, both have theirs. `hash`: of its tip, display order. */
export function snapshotName({ tip }: Pick<SnapshotManifest, 'tip'>): string {
  return `${String(tip.height).padStart(9, '0')}-${tip.hash.slice(-16)}.snapshot`;
}

export function catalogueEntry(manifest: SnapshotManifest, bytes: number): CatalogueEntry {
  const { tip, stateRoot, identity } = manifest;
  const { network, moduleHash } = identity;
  return { file: snapshotName(manifest), bytes, ...tip, stateRoot, network, moduleHash };
}

/** The entries of a list, the oldest first. Throws InputError SNAPSHOT_CATALOGUE. */
export function parseCatalogue(text: string): CatalogueEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badCatalogue('it is not JSON', cause);
  }
  const list: unknown = isRecord(value) && value.format === 1 ? value.snapshots : undefined;
  if (!Array.isArray(list) || list.length > MOST_ENTRIES) throw badCatalogue('it is no list of snapshots');
  return list.map(parseEntry);
}

function parseEntry(value: unknown): CatalogueEntry {
  if (!isRecord(value)) throw badCatalogue('an entry is not an object');
  const { file, bytes, height, hash, stateRoot, network, moduleHash } = value;
  if (typeof file !== 'string' || !OWN_NAME.test(file)) throw badCatalogue('a name is not that of a snapshot');
  if (!isCount(bytes) || !isCount(height)) throw badCatalogue('a number is none');
  if (!isHash(hash) || !isHash(stateRoot) || !isHash(moduleHash)) throw badCatalogue('a hash is none');
  if (typeof network !== 'string' || network.length > 20) throw badCatalogue('a network is none');
  return { file, bytes, height, hash, stateRoot, network, moduleHash };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function badCatalogue(why: string, cause?: unknown): InputError {
  return new InputError('SNAPSHOT_CATALOGUE', `the list of snapshots cannot be used: ${why}`, { cause });
}

/** The entries of a folder whose files are there; none if it has no list. */
export function readCatalogue(folder: string): CatalogueEntry[] {
  let text: string;
  try {
    const path = join(folder, CATALOGUE_FILE);
    if (statSync(path).size > MAX_CATALOGUE_BYTES) throw badCatalogue('it is longer than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const there = new Set(readdirSync(folder));
  return parseCatalogue(text).filter(({ file }) => there.has(file));
}

/**
 * Adds a complete snapshot to the list of its folder and deletes the oldest until `kept` are left: the list is written
 * before they go, so that it never names a file that is gone for good.
 */
export function addToCatalogue(folder: string, entry: CatalogueEntry, kept: number): void {
  const all = [...readCatalogue(folder).filter(({ file }) => file !== entry.file), entry];
  const stay = all.slice(-kept);
  const path = join(folder, CATALOGUE_FILE);
  const fd = openSync(`${path}${PART}`, 'w');
  try {
    writeSync(fd, `${JSON.stringify({ format: 1, snapshots: stay }, undefined, 1)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}${PART}`, path);
  for (const { file } of all.slice(0, -kept)) rmSync(join(folder, file), { force: true });
}

/** Whether the list of the folder has the snapshot. */
export function isListed(folder: string, name: string): boolean {
  return readCatalogue(folder).some(({ file }) => file === name);
}

/**
 * Deletes what was cut off: parts of snapshots, and where there is a list, snapshots that it does not have. They were
 * to be listed next, or are not listed any more.
 */
export function dropLeft(folder: string): void {
  const names = readdirSync(folder);
  const listed = new Set(readCatalogue(folder).map(({ file }) => file));
  for (const name of names) {
    const isPart = name.endsWith(PART) && OWN_NAME.test(name.slice(0, -PART.length));
    const isLeft = names.includes(CATALOGUE_FILE) && OWN_NAME.test(name) && !listed.has(name);
    if (isPart || isLeft) rmSync(join(folder, name), { force: true });
  }
}
