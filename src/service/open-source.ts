import { openSource } from '../bitcoin/sources.js';
import { type OpenedSource, openChainSource, type SourceConfig } from '../chain/open.js';
import { nodeLogin } from './config.js';
import type { Settings } from './options.js';

export interface OpenedChain extends OpenedSource {
  readonly network: string;
  /** Height of the first block of a new database. */
  readonly startBlock: number;
}

/**
 * The chain that the settings name. A node is asked only where its block files are read, too. Throws what
 * {@link openChainSource} throws.
 */
export async function openChain(settings: Settings, log: SourceConfig['log']): Promise<OpenedChain> {
  const { fixture, nodeUrl, blocksDir: blockFiles, network, zmq, startBlock } = settings;
  const opened = await openChainSource({
    fixture,
    blockFiles,
    network,
    // Few attempts: who follows the chain waits and asks again, tells of it, and can be stopped meanwhile.
    node: nodeUrl === undefined ? undefined : { url: nodeUrl, ...loginOf(settings), attempts: 3, maxBackoffMs: 1_000 },
    zmq: zmq?.split(','),
    pollMs: settings.pollInterval,
    maxBytes: settings.prefetchBytes,
    log,
  });
  if (fixture === undefined) return { ...opened, network, startBlock };
  const chain = openSource(fixture);
  return { ...opened, network: chain.network, startBlock: Math.max(chain.firstHeight, startBlock) };
}

function loginOf(settings: Settings): {
  readonly user?: string;
  readonly password?: string;
  readonly cookieFile?: string;
} {
  return { ...nodeLogin(settings), cookieFile: settings.nodeCookie };
}
