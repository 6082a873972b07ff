/** Databases of the bundled chain, for tests that begin with one: each is made once a run of the tests, and copied. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replay } from '../../src/replay/replay.js';
import { bundledChain } from '../../src/util/bundled-chain.js';
import { databasesOf } from '../remove-databases.js';
import { temporaryFolder } from './cli.js';

/** A database of its own with the blocks up to `to`, the last one if not given; gone after the test. */
export async function bundledDatabase(to?: number): Promise<string> {
  const copy = join(temporaryFolder(), 'db');
  cpSync(await kept(to), copy, { recursive: true });
  return copy;
}

async function kept(to: number | undefined): Promise<string> {
  const folder = databasesOf(process.ppid);
  const made = join(folder, String(to ?? 'all'));
  if (existsSync(made)) return made;
  mkdirSync(folder, { recursive: true });
  const own = mkdtempSync(join(folder, 'making-'));
  const dbDir = join(own, 'db');
  await replay({ path: bundledChain(), dbDir, policy: 'cpu', workers: 0, to });
  try {
    renameSync(dbDir, made);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!existsSync(made)) throw error;
  }
  rmSync(own, { recursive: true, force: true });
  return made;
}
