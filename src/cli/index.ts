import { requireConfig } from '../service/config.js';
import { findNetwork } from '../service/find-network.js';
import { restoreFromRepo } from '../service/repo.js';
import { AS_ROCKSHREW } from '../service/rockshrew.js';
import { Service } from '../service/service.js';
import { hashOf } from '../standard/module.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { lowerHelpers } from '../util/niceness.js';
import { VERSION } from '../util/version.js';
import { readModuleFile } from './files.js';
import { type CommandEnd, runService } from './run-service.js';

/**
 * `warpshrew index`: follows the chain and serves it until a signal, `--exit-at`, or a failure with
 * `--exit-on-failure`.
 */
export async function indexCommand(flags: Readonly<Record<string, unknown>>): Promise<CommandEnd> {
  const { settings: given, origins, notes } = requireConfig({ flags, environment: process.env });
  const moduleBytes = given.indexer === undefined ? defaultIndexer() : readModuleFile(given.indexer);
  // Most of their work is the indexing's.
  lowerHelpers(given.indexNiceness);
  return runService(given, notes, async ({ log, stopped, signal }) => {
    let settings = given;
    if (flags[AS_ROCKSHREW] === true && origins.network === 'default') {
      const network = await findNetwork(given, flags, log, signal);
      if (network === undefined) return undefined;
      settings = { ...given, network };
    }
    const restored = await restoreFromRepo(settings, hashOf(moduleBytes), log, signal);
    if (restored === 'stopped') return undefined;
    return Service.start({ settings, flags, moduleBytes, log, version: VERSION, restored }, stopped);
  });
}
