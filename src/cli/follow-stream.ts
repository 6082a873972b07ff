import type { Network } from '../chain/networks.js';
import { UsageError } from '../errors/errors.js';
import { requireServing } from '../service/config.js';
import { failureOf } from '../service/events.js';
import { identityInStream } from '../service/followed-stream.js';
import { failureFields } from '../service/log.js';
import { restoreFromRepo } from '../service/repo.js';
import { Service } from '../service/service.js';
import { hashOf } from '../standard/module.js';
import { inspectFolder } from '../store/folder.js';
import { parseStreamAddress, type StreamAddress } from '../stream/nats/address.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { lowerHelpers } from '../util/niceness.js';
import { VERSION } from '../util/version.js';
import { readModuleFile } from './files.js';
import { type CommandEnd, runService, type StartTools } from './run-service.js';

/**
 * `warpshrew follow-stream`: builds a replica from a stream of blocks and serves it until a signal, or a failure with
 * `--exit-on-failure`. Takes the settings of `index`, of which it needs those about the database and serving.
 */
export async function followStreamCommand(url: string, flags: Readonly<Record<string, unknown>>): Promise<CommandEnd> {
  const address = parseStreamAddress(url);
  if (address === undefined) {
    throw new UsageError('USAGE_STREAM', 'this is no address of a stream', {
      facts: { address: url },
      hint: 'It has the form nats://[user:password@]host[:port][/name], or tls://…',
    });
  }
  const { settings: given, origins, notes } = requireServing({ flags, environment: process.env });
  const moduleBytes = given.indexer === undefined ? defaultIndexer() : readModuleFile(given.indexer);
  const moduleHash = hashOf(moduleBytes);
  const network = origins.network === 'default' ? undefined : given.network;
  lowerHelpers(given.indexNiceness);
  return runService(given, notes, async (tools) => {
    let settings = { ...given, fixture: undefined };
    if (given.repo !== undefined && network === undefined && inspectFolder(given.db) === 'new') {
      const found = await networkOf(address, tools);
      if (found === undefined) return undefined;
      settings = { ...settings, network: found };
    }
    const { log, stopped, signal } = tools;
    const restored = await restoreFromRepo(settings, moduleHash, log, signal);
    if (restored === 'stopped') return undefined;
    const stream = { address, network };
    return Service.start({ settings, flags, moduleBytes, log, version: VERSION, restored, stream }, stopped);
  });
}

/** The network of the stream's index, as soon as the stream says it; undefined if it is to stop before. */
async function networkOf(address: StreamAddress, { log, signal }: StartTools): Promise<Network | undefined> {
  let said: string | undefined;
  const identity = await identityInStream(address, signal, (error) => {
    const failure = failureOf(error);
    if (failure.code === said) return;
    said = failure.code;
    log.warn({ ...failureFields(failure), reason: failure.message }, 'the stream cannot be read: trying again');
  });
  return identity?.network as Network | undefined;
}
