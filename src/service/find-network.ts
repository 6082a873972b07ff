import { backoff, REAL_CLOCK } from '../chain/clock.js';
import type { Network } from '../chain/networks.js';
import { patienceWith } from '../chain/node-errors.js';
import { NodeRpc } from '../chain/node-rpc.js';
import { NodeSource } from '../chain/node-source.js';
import { StoreError } from '../errors/errors.js';
import { Store } from '../store/store.js';
import { failureOf } from './events.js';
import { failureFields, type Logger } from './log.js';
import { nodeOptions } from './open-source.js';
import type { Settings } from './options.js';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/**
 * The network of an operator who names none, as rockshrew-mono has no flag for it: that of the database, else what the
 * node says it serves, for whose answer it waits. Undefined if `stopped` aborts meanwhile. Throws what opening the
 * database throws, and errors of the node that do not pass.
 */
export async function findNetwork(
  settings: Settings,
  flags: Readonly<Record<string, unknown>>,
  log: Logger,
  stopped: AbortSignal,
): Promise<Network | undefined> {
  if (settings.nodeUrl === undefined) return settings.network;
  return (await recordedNetwork(settings.db)) ?? askNode(settings, flags, log, stopped);
}

async function recordedNetwork(db: string): Promise<Network | undefined> {
  try {
    return (await Store.inspect(db)).network as Network;
  } catch (error) {
    if (error instanceof StoreError && (error.code === 'STORE_MISSING' || error.code === 'STORE_EMPTY'))
      return undefined;
    throw error;
  }
}

async function askNode(
  settings: Settings,
  flags: Readonly<Record<string, unknown>>,
  log: Logger,
  stopped: AbortSignal,
): Promise<Network | undefined> {
  const options = nodeOptions(settings, flags);
  if (options === undefined) return settings.network;
  const node = new NodeSource(new NodeRpc(options));
  const began = REAL_CLOCK.now();
  let said: string | undefined;
  try {
    for (let attempt = 0; !stopped.aborted; attempt++) {
      try {
        const { network } = await node.info(stopped);
        log.info({ network }, 'the node names the network');
        return network;
      } catch (error) {
        if (stopped.aborted) return undefined;
        const failure = failureOf(error);
        if (REAL_CLOCK.now() - began >= patienceWith(error, settings.nodePatience)) throw error;
        if (said !== failure.code)
          log.warn(failureFields(failure), `${failure.message}: waiting for it to name its network`);
        said = failure.code;
        await REAL_CLOCK.sleep(backoff(attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS, REAL_CLOCK), stopped);
      }
    }
    return undefined;
  } finally {
    await node.close();
  }
}
