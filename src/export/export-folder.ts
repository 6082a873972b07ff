/** The folder of an export: who writes it, and what lies in it that no manifest names. */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError, UsageError } from '../errors/errors.js';
import { FILE_NAME, type Part } from './manifest.js';
import { writing } from './table-file.js';
import { TABLE_NAMES } from './tables.js';

const LOCK_FILE = 'export.lock';
/** One of these is in every folder that an export was begun in. */
const OURS: ReadonlySet<string> = new Set(['manifest.json', LOCK_FILE, ...TABLE_NAMES]);
/** At the root of a new file system. */
const IGNORED = 'lost+found';
/** Of a run that was interrupted. */
const LEFT = /^(manifest\.json\.part|sorting-[A-Za-z0-9]{6})$/;

/**
 * Makes the folder, and keeps other processes of this machine from it. Returns what lets them in again. A folder of
 * something else, such as a database, is left as it is. Throws UsageError USAGE_EXPORT, EnvironmentError
 * ENV_EXPORT_BUSY or ENV_UNWRITABLE.
 */
export function claimFolder(folder: string): () => void {
  assertOurs(folder);
  writing(folder, () => {
    for (const table of TABLE_NAMES) mkdirSync(join(folder, table), { recursive: true });
  });
  const path = join(folder, LOCK_FILE);
  for (let tries = 0; ; tries++) {
    const file = writing(path, () => createdFile(path));
    if (file !== undefined) {
      writeSync(file, String(process.pid));
      closeSync(file);
      deleteLeft(folder);
      return () => rmSync(path, { force: true });
    }
    const pid = pidIn(path);
    if (tries > 0 || (pid !== undefined && isRunning(pid))) {
      throw new EnvironmentError('ENV_EXPORT_BUSY', 'another process exports into this folder', {
        facts: { folder, ...(pid !== undefined && { pid }) },
        hint: `Wait for it. If there is none, delete ${path}.`,
      });
    }
    rmSync(path, { force: true });
  }
}

function assertOurs(folder: string): void {
  const names = writing(folder, () => (existsSync(folder) ? readdirSync(folder) : [])).filter(
    (name) => name !== IGNORED,
  );
  if (names.length === 0 || names.some((name) => OURS.has(name))) return;
  throw new UsageError('USAGE_EXPORT', 'the folder holds something else than an export', {
    facts: { folder, found: names[0] },
    hint: 'Name a new or an empty folder.',
  });
}

/** Deletes what another process has left of its work. */
function deleteLeft(folder: string): void {
  writing(folder, () => {
    for (const name of readdirSync(folder)) {
      if (LEFT.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  });
}

function createdFile(path: string): number | undefined {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    if (isCode(error, 'EEXIST')) return undefined;
    throw error;
  }
}

function pidIn(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
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

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Deletes the files of this program that `parts` do not name: of blocks that were undone, or of an interrupted run. */
export function deleteOthers(folder: string, parts: readonly Part[]): void {
  const named = new Set(parts.flatMap(({ files }) => TABLE_NAMES.map((table) => files[table].path)));
  writing(folder, () => {
    for (const table of TABLE_NAMES) {
      for (const name of existsSync(join(folder, table)) ? readdirSync(join(folder, table)) : []) {
        if (!FILE_NAME.test(name) || named.has(`${table}/${name}`)) continue;
        rmSync(join(folder, table, name), { force: true });
      }
    }
  });
}
