/** `warpshrew reindex`: a new database for another module, with the history that both share. */
import { StoreError, UsageError } from '../errors/errors.js';
import { StandardModule } from '../standard/module.js';
import { sameBelow } from '../standard/same-below.js';
import { checkStore } from '../store/check/check.js';
import { copyEarlier, shareEarlier } from '../store/earlier-copy.js';
import { makeFolder } from '../store/new-folder.js';
import type { StoreReader } from '../store/reader.js';
import { openBeside } from '../store/shared-files.js';
import { statusLine } from '../util/status-line.js';
import { readModuleFile } from './files.js';

export interface ReindexOptions {
  readonly db: string;
  readonly into: string;
  readonly indexer: string;
  readonly from: number;
}

/**
 * Makes the database `into` with the blocks of `db` below `from`, if the module says that it leaves the same state
 * there, to be indexed on with it; `db` may go on being written. Throws UsageError USAGE_REINDEX, ProgramError
 * MODULE_*, StoreError, EnvironmentError SNAPSHOT_TARGET_EXISTS; nothing is left then.
 */
export async function reindexCommand(options: ReindexOptions): Promise<{ text: string; exitStatus: number }> {
  const { db, into, indexer, from } = options;
  const module = StandardModule.load(readModuleFile(indexer));
  const shared = await openBeside(db);
  const old = shared.store;
  const line = statusLine();
  try {
    const identity = old.identity();
    const same = sameBelow(module.compiled, identity.moduleHash);
    if (same < from) throw notShared(options, identity.moduleHash, same);
    const height = from - 1;
    const root = rootAfter(old, height);
    let shares = false;
    await makeFolder(into, '.reindexing', async (work) => {
      const moved = { ...identity, moduleHash: module.hash };
      shares = await shareEarlier(shared, work, height, moved);
      if (shares) return;
      await copyEarlier(old, work, height, moved, (rows) => line.show(() => `reindex: ${rows} rows`));
      await verify(work, root, (phase, rows) => line.show(() => `reindex: verify ${phase}, ${rows} rows`));
    });
    line.clear();
    const how = shares ? `, sharing the files of ${db}` : '';
    const next = `warpshrew index --db ${into} --indexer ${indexer}`;
    return {
      text: `${into}: tip ${height}, state root ${root}${how}; go on from block ${from} with: ${next}`,
      exitStatus: 0,
    };
  } finally {
    line.clear();
    await shared.close();
  }
}

function notShared({ into, indexer, from }: ReindexOptions, moduleHash: string, shared: number): UsageError {
  const says = shared === 0 ? 'nothing of' : `only that below block ${shared} it is`;
  return new UsageError('USAGE_REINDEX', `the module says ${says} the state of the module of this database`, {
    facts: { from, sharedBelow: shared, moduleHash },
    hint: `Index from the start: warpshrew index --db ${into} --indexer ${indexer}`,
  });
}

function rootAfter(old: StoreReader, height: number): string {
  const tip = old.tip()?.height ?? -1;
  const root = old.roots(height)?.state;
  if (height <= tip && root !== undefined) return root;
  const isThere = height <= tip && old.blockHash(height) !== undefined;
  throw new UsageError('USAGE_REINDEX', 'the database cannot be continued from that block', {
    facts: { from: height + 1, tip },
    hint: isThere
      ? 'The block before it was stored without a root (--root-every): choose a block a little lower or higher.'
      : 'Choose a block above the first, and at most one above the tip.',
  });
}

async function verify(work: string, root: string, progress: (phase: string, rows: number) => void): Promise<void> {
  let first: string | undefined;
  const { stateRoot } = await checkStore(work, {
    violation: ({ code, detail }) => {
      first ??= `${code}: ${detail}`;
    },
    progress,
  });
  if (first === undefined && stateRoot === root) return;
  throw new StoreError('STORE_CORRUPT', `the copy is not sound: ${first ?? 'it has another state root'}`, {
    hint: 'Run `warpshrew db check` over the database it was made from.',
  });
}
