import { openSource } from '../bitcoin/sources.js';
import { FixtureSource } from '../chain/fixture-source.js';
import { NodeRpc } from '../chain/node-rpc.js';
import { NodeSource } from '../chain/node-source.js';
import type { ChainSource } from '../chain/source.js';
import { nodeLogin } from './config.js';
import type { Settings } from './options.js';

export interface OpenedSource {
  readonly source: ChainSource;
  readonly network: string;
  readonly startBlock: number;
}

/** The source that the settings name. Throws InputError for a fixture chain that cannot be read; a node is not asked yet. */
export function openChain(settings: Settings): OpenedSource {
  const { fixture, nodeUrl = '', network } = settings;
  if (fixture !== undefined) {
    const { firstHeight } = openSource(fixture);
    const source = new FixtureSource(fixture);
    return { source, network: source.network, startBlock: Math.max(firstHeight, settings.startBlock) };
  }
  const rpc = new NodeRpc({ url: nodeUrl, ...nodeLogin(settings), cookieFile: settings.nodeCookie });
  const source = new NodeSource(rpc, { maxBytes: settings.prefetchBytes, pollMs: settings.pollInterval });
  return { source, network, startBlock: settings.startBlock };
}
