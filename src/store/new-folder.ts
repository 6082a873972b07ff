import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EnvironmentError } from '../errors/errors.js';

/**
 * Makes the folder `dir`, which must not exist or be empty: `fill` gets `dir` ++ `suffix`, which is renamed as the last
 * step. If it throws, nothing is left. Throws EnvironmentError SNAPSHOT_TARGET_EXISTS.
 */
export async function makeFolder(dir: string, suffix: string, fill: (work: string) => Promise<void>): Promise<void> {
  const target = resolve(dir);
  const work = `${target}${suffix}`;
  assertFree(target, work);
  try {
    await fill(work);
    if (existsSync(target)) rmdirSync(target);
    renameSync(work, target);
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
}

/**
 * An empty folder may be the target. The remains of an interrupted run are not deleted: it may still be running.
 */
function assertFree(target: string, work: string): void {
  for (const path of [target, work]) {
    if (!existsSync(path) || (path === target && isEmptyFolder(path))) continue;
    throw new EnvironmentError('SNAPSHOT_TARGET_EXISTS', 'the folder for the new database exists already', {
      facts: { path },
      hint:
        path === work
          ? 'If no other command is making it, delete it and try again.'
          : 'Choose another folder for the new database.',
    });
  }
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** Syncs the folder, so that the renaming is durable. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
