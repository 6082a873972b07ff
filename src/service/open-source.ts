import { openSource } from '../bitcoin/sources.js';
import { BlockFilesSource } from '../chain/block-files.js';
import { FixtureSource } from '../chain/fixture-source.js';
import { NodeRpc } from '../chain/node-rpc.js';
import { NodeSource } from '../chain/node-source.js';
import type { ChainSource } from '../chain/source.js';
import { InternalError } from '../errors.js';
import { nodeLogin } from './config.js';
import type { Settings } from './options.js';

export interface OpenedSource {
  readonly source: ChainSource;
  readonly network: string;
  readonly startBlock: number;
}

/**
 * The source that the settings name. A node is asked only where its block files are read, too. Throws InputError for a fixture
 * chain or block files that cannot be read, NodeError.
 */
export async function openChain(settings: Settings): Promise<OpenedSource> {
  const { fixture, nodeUrl, blocksDir, network, prefetchBytes: maxBytes, pollInterval: pollMs, startBlock } = settings;
  if (fixture !== undefined) {
    const { firstHeight } = openSource(fixture);
    const source = new FixtureSource(fixture);
    return { source, network: source.network, startBlock: Math.max(firstHeight, settings.startBlock) };
  }
  const node = nodeUrl === undefined ? undefined : nodeSource(settings, nodeUrl);
  if (blocksDir !== undefined) {
    const options = { folder: blocksDir, node, network, maxBytes, pollMs };
    return { source: await BlockFilesSource.open(options), network, startBlock };
  }
  if (node === undefined) throw new InternalError('the settings name no source');
  return { source: node, network, startBlock };
}

function nodeSource(settings: Settings, url: string): NodeSource {
  const rpc = new NodeRpc({ url, ...nodeLogin(settings), cookieFile: settings.nodeCookie });
  return new NodeSource(rpc, { maxBytes: settings.prefetchBytes, pollMs: settings.pollInterval });
}
