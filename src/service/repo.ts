import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSource } from '../bitcoin/sources.js';
import { inspectFolder } from '../store/folder.js';
import {
  CATALOGUE_FILE,
  type CatalogueEntry,
  MAX_CATALOGUE_BYTES,
  parseCatalogue,
  readCatalogue,
} from '../store/snapshot/catalogue.js';
import { fetchSnapshot } from '../store/snapshot/fetch.js';
import { readPublicKey } from '../store/snapshot/keys.js';
import { restoreSnapshot } from '../store/snapshot/restore.js';
import { fetchText, isAddress, sourceOf } from '../store/snapshot/source.js';
import type { Logger } from './log.js';
import type { Settings } from './options.js';

/** Interval of the lines about a restore under way. */
const TELL_MS = 10_000;

/** Ends a restore that is under way, which leaves nothing then. */
class Stopped extends Error {}

/**
 * Restores a missing database from the newest snapshot of `--repo` that fits: of the same network and module. One from
 * an address is fetched first, into a file beside the database, where an interrupted fetch goes on at the next start.
 * Returns its height, undefined if there was nothing to do or no snapshot fits, `stopped` if that aborts meanwhile.
 * Throws what reading the list, `fetchSnapshot` and `restoreSnapshot` throw.
 */
export async function restoreFromRepo(
  settings: Settings,
  moduleHash: string,
  log: Logger,
  stopped: AbortSignal,
): Promise<number | 'stopped' | undefined> {
  const { repo, db, fixture } = settings;
  if (repo === undefined || inspectFolder(db) !== 'new') return undefined;
  const network = fixture === undefined ? settings.network : openSource(fixture).network;
  const listed = isAddress(repo)
    ? parseCatalogue(await fetchText(inAddress(repo, CATALOGUE_FILE), MAX_CATALOGUE_BYTES))
    : readCatalogue(repo);
  const found = listed
    .filter((entry) => entry.network === network && entry.moduleHash === moduleHash)
    .reduce<CatalogueEntry | undefined>((a, b) => (a && a.height > b.height ? a : b), undefined);
  if (found === undefined) {
    log.warn({ repo, network, moduleHash }, 'no snapshot of this network and module: indexing from the start');
    return undefined;
  }
  const { file, height, bytes } = found;
  log.info({ repo, file, height, bytes }, 'restoring the database from a snapshot');
  try {
    return await restore(found, settings, log, stopped);
  } catch (error) {
    if (error instanceof Stopped) return 'stopped';
    throw error;
  }
}

function inAddress(folder: string, name: string): string {
  return `${folder.replace(/\/+$/, '')}/${name}`;
}

async function restore(
  { file, stateRoot: listed }: CatalogueEntry,
  { repo = '', repoKey, db }: Settings,
  log: Logger,
  stopped: AbortSignal,
): Promise<number> {
  const publicKey = repoKey === undefined ? undefined : readPublicKey(repoKey);
  let told = performance.now();
  const goOn = (fields: Readonly<Record<string, unknown>>, what: string): void => {
    if (stopped.aborted) throw new Stopped();
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    log.info(fields, what);
  };
  const fetched = isAddress(repo) ? `${db}.${file}` : undefined;
  if (fetched !== undefined) {
    // A whole file is what an interrupted restore has left.
    rmSync(fetched, { force: true });
    await fetchSnapshot(sourceOf(inAddress(repo, file)), fetched, {
      publicKey,
      stateRoot: listed,
      progress: (done, size) => goOn({ bytes: done, of: size }, 'fetching the snapshot'),
    });
  }
  const { manifest, signed } = await restoreSnapshot(fetched ?? join(repo, file), db, {
    ...(publicKey && { publicKey }),
    progress: (what) => goOn({ what }, 'restoring'),
  });
  if (fetched !== undefined) rmSync(fetched, { force: true });
  const { tip, stateRoot } = manifest;
  log.info({ height: tip.height, hash: tip.hash, stateRoot, signed }, 'database restored');
  return tip.height;
}
