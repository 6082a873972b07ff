import { join } from 'node:path';
import { openSource } from '../bitcoin/sources.js';
import { inspectFolder } from '../store/folder.js';
import { readCatalogue } from '../store/snapshot/catalogue.js';
import { readPublicKey } from '../store/snapshot/keys.js';
import { restoreSnapshot } from '../store/snapshot/restore.js';
import type { Logger } from './log.js';
import type { Settings } from './options.js';

/** Interval of the lines about a restore under way. */
const TELL_MS = 10_000;

/** Ends a restore that is under way, which leaves nothing then. */
class Stopped extends Error {}

/**
 * Restores a missing database from the newest snapshot of `--repo` that fits: of the same network and module. Returns
 * its height, undefined if there was nothing to do or no snapshot fits, `stopped` if that aborts meanwhile. Throws what
 * reading the list and `restoreSnapshot` throw.
 */
export async function restoreFromRepo(
  settings: Settings,
  moduleHash: string,
  log: Logger,
  stopped: AbortSignal,
): Promise<number | 'stopped' | undefined> {
  const { repo, repoKey, db, fixture } = settings;
  if (repo === undefined || inspectFolder(db) !== 'new') return undefined;
  const network = fixture === undefined ? settings.network : openSource(fixture).network;
  const found = readCatalogue(repo)
    .filter((entry) => entry.network === network && entry.moduleHash === moduleHash)
    .reduce<{ file: string; height: number } | undefined>((a, b) => (a && a.height > b.height ? a : b), undefined);
  if (found === undefined) {
    log.warn({ repo, network, moduleHash }, 'no snapshot of this network and module: indexing from the start');
    return undefined;
  }
  const { file, height } = found;
  log.info({ repo, file, height }, 'restoring the database from a snapshot');
  let told = performance.now();
  try {
    const { manifest, signed } = await restoreSnapshot(join(repo, file), db, {
      ...(repoKey !== undefined && { publicKey: readPublicKey(repoKey) }),
      progress: (what) => {
        if (stopped.aborted) throw new Stopped();
        if (performance.now() - told < TELL_MS) return;
        told = performance.now();
        log.info({ what }, 'restoring');
      },
    });
    const { tip, stateRoot } = manifest;
    log.info({ height: tip.height, hash: tip.hash, stateRoot, signed }, 'database restored');
    return tip.height;
  } catch (error) {
    if (error instanceof Stopped) return 'stopped';
    throw error;
  }
}
