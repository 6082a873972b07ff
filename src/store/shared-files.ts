/**
 * A database opened to be served without keeping it from others: its files never change once they are written, so a
 * folder beside them that shares them (hard links) is a database of its own, with its own lock.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../errors/errors.js';
import { inspectFolder } from './folder.js';
import { Store } from './store.js';

/** Name of such a folder inside that of the database, and the process that made it. */
const FOLDER = /^serve-(\d{1,10})-[0-9a-f]{8}$/;
/** Files that are written once. */
const SHARED = /\.(sst|blob)$/;
/** Files that are about a process. */
const OWN = /^(LOCK|LOG|LOG\.old\..*)$/;
/** A compaction may delete a file while others are being shared: then they are shared once more. */
const MOST_TRIES = 5;
/** Beside another process that writes, which changes the list of files every second or so, and time between two. */
const MOST_LOOKS = 100;
const LOOK_MS = 50;
/** Beside a database that nobody writes: merging what it holds ends, but may take a minute. */
const MOST_LOOKS_AT_REST = 2_400;

/** A store that is read without keeping others from its database. */
export interface SharedStore {
  readonly store: Store;
  /** The folder that shares the files; undefined where none does. */
  readonly folder: string | undefined;
  /** Why the files could not be shared: nobody else can open the database meanwhile. Undefined: they are. */
  readonly inPlace: string | undefined;
  /** Closes the store, and removes the folder. */
  close(): Promise<void>;
}

/**
 * Opens the database in `dir` for reading as it is now; what is written to it later is not seen. Throws what
 * `Store.openRecorded` throws.
 */
export async function openShared(dir: string): Promise<SharedStore> {
  const original = await Store.openRecorded(dir, { readOnly: true });
  try {
    removeLeft(dir);
    for (let tries = 1; ; tries++) {
      const folder = newFolder(dir);
      const inPlace = share(dir, folder);
      if (inPlace !== undefined) {
        remove(folder);
        return { store: original, folder: undefined, inPlace, close: () => original.close() };
      }
      try {
        const store = await Store.openRecorded(folder, { readOnly: true });
        await original.close();
        const close = (): Promise<void> => store.close().finally(() => remove(folder));
        return { store, folder, inPlace: undefined, close };
      } catch (error) {
        remove(folder);
        if (!(error instanceof StoreError) || tries === MOST_TRIES) throw error;
      }
    }
  } catch (error) {
    await original.close();
    throw error;
  }
}

/**
 * As {@link openShared}, also while another process writes the database: then as of a moment between two of its writes.
 * Throws STORE_LOCKED where its files cannot be shared, too.
 */
export async function openBeside(dir: string): Promise<SharedStore> {
  try {
    return await openShared(dir);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error;
    return openWritten(dir, error);
  }
}

/**
 * As {@link openBeside}, without ever taking the lock, where files can be shared: not for a moment is anybody kept from
 * the database.
 */
export async function openUnlocked(dir: string): Promise<SharedStore> {
  if (inspectFolder(resolve(dir)) === 'new') return openShared(dir);
  const path = resolve(dir);
  const hint = 'Stop the other warpshrew, or use another folder.';
  const locked = new StoreError('STORE_LOCKED', 'the files of this store change too fast to be shared', {
    facts: { path },
    hint,
  });
  try {
    return await openWritten(dir, locked);
  } catch (error) {
    // In place, or with the error as it is told of the folder itself.
    if (error === locked) return openShared(dir);
    throw error;
  }
}

/**
 * What lists the files must not change while they are shared: between two of its records, the logs of writes only grow,
 * and any beginning of them is a state that there was.
 */
async function openWritten(dir: string, locked: StoreError): Promise<SharedStore> {
  removeLeft(dir);
  for (let tries = 0; tries < MOST_LOOKS; tries++) {
    if (tries > 0) await sleep(LOOK_MS);
    const folder = newFolder(dir);
    const before = listState(dir);
    const reason = share(dir, folder);
    if (before === undefined || reason !== undefined || listState(dir) !== before) {
      remove(folder);
      if (reason !== undefined && !reason.includes('ENOENT')) throw locked;
      continue;
    }
    try {
      const store = await Store.openRecorded(folder, { readOnly: true });
      return { store, folder, inPlace: undefined, close: () => store.close().finally(() => remove(folder)) };
    } catch (error) {
      remove(folder);
      if (!(error instanceof StoreError) || error.code === 'STORE_EMPTY') throw error;
    }
  }
  throw locked;
}

/**
 * Makes the folder `to`, which must not exist, a database of its own that shares the files of the one in `folder`, to
 * which nobody writes. False, and nothing is left, where files cannot be shared.
 */
export async function shareFolder(folder: string, to: string): Promise<boolean> {
  for (let tries = 0; tries < MOST_LOOKS_AT_REST; tries++) {
    if (tries > 0) await sleep(LOOK_MS);
    // It may still be merged in the background.
    const before = listState(folder);
    const reason = share(folder, to);
    if (before !== undefined && reason === undefined && listState(folder) === before) return true;
    remove(to);
    if (reason !== undefined && !reason.includes('ENOENT')) return false;
  }
  return false;
}

/** What the database says of its files: which list of them counts, and how long it is. Undefined: it is changing. */
function listState(dir: string): string | undefined {
  try {
    const name = readFileSync(join(dir, 'CURRENT'), 'utf8').trim();
    return `${name} ${statSync(join(dir, name)).size}`;
  } catch {
    return undefined;
  }
}

/** Makes the folder; returns why it cannot. What lists the other files is copied before these are shared. */
function share(dir: string, folder: string): string | undefined {
  try {
    mkdirSync(folder);
    const entries = readdirSync(dir, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && !OWN.test(entry.name),
    );
    for (const { name } of entries) if (!SHARED.test(name)) copyFileSync(join(dir, name), join(folder, name));
    for (const name of readdirSync(dir)) if (SHARED.test(name)) shareFile(join(dir, name), join(folder, name));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function shareFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // It was deleted meanwhile: whether it is needed shows when the folder is opened.
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** A new folder for temporary files beside the database, which goes with its process at the latest. */
export function scratchFolder(dir: string): string {
  removeLeft(dir);
  const folder = newFolder(dir);
  mkdirSync(folder);
  return folder;
}

function newFolder(dir: string): string {
  return join(dir, `serve-${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** Removes folders of processes that are gone. */
function removeLeft(dir: string): void {
  for (const name of readdirSync(dir)) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) remove(join(dir, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Tells whether anything was written to the database in `dir` since an earlier look: what lists its files, and how long
 * its newest log of writes is. Undefined: it is changing.
 */
export function writtenState(dir: string): string | undefined {
  try {
    const list = listState(dir);
    const logs = readdirSync(dir).filter((name) => /^\d+\.log$/.test(name));
    const [newest] = logs.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
    return list && `${list} ${newest} ${newest === undefined ? 0 : statSync(join(dir, newest)).size}`;
  } catch {
    return undefined;
  }
}
