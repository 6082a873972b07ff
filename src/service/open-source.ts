import { openSource } from '../bitcoin/sources.js';
import { BlockFilesSource } from '../chain/block-files.js';
import { FixtureSource } from '../chain/fixture-source.js';
import { NodeRpc } from '../chain/node-rpc.js';
import { NodeSource } from '../chain/node-source.js';
import type { ChainSource } from '../chain/source.js';
import { ZmqNotifier } from '../chain/zmq.js';
import { type ErrorFacts, InternalError } from '../errors.js';
import { nodeLogin } from './config.js';
import type { Settings } from './options.js';

export interface OpenedSource {
  readonly source: ChainSource;
  readonly network: string;
  /** Height of the first block of a new database. */
  readonly startBlock: number;
  /** Closes the source and what it hears notifications from. */
  close(): Promise<void>;
}

/** Told of what goes on all the same, but not as it should. */
export type Warn = (message: string, facts: ErrorFacts) => void;

/**
 * The source that the settings name. A node is asked only where its block files are read, too. Throws InputError for a fixture
 * chain or block files that cannot be read, NodeError, UsageError.
 */
export async function openChain(settings: Settings, warn: Warn): Promise<OpenedSource> {
  const { fixture, nodeUrl, blocksDir, network, prefetchBytes: maxBytes, pollInterval: pollMs, startBlock } = settings;
  if (fixture !== undefined) {
    const source = new FixtureSource(fixture);
    const first = Math.max(openSource(fixture).firstHeight, startBlock);
    return { source, network: source.network, startBlock: first, close: () => source.close() };
  }
  const notifier =
    settings.zmq === undefined ? undefined : new ZmqNotifier({ endpoints: settings.zmq.split(','), log: warn });
  const node = nodeUrl === undefined ? undefined : nodeSource(settings, nodeUrl, notifier);
  const close = async (): Promise<void> => {
    await node?.close();
    await notifier?.close();
  };
  if (blocksDir === undefined) {
    if (node === undefined) throw new InternalError('the settings name no source');
    return { source: node, network, startBlock, close };
  }
  try {
    const files = await BlockFilesSource.open({ folder: blocksDir, node, network, maxBytes, pollMs, log: warn });
    const closeAll = async (): Promise<void> => {
      await files.close();
      await notifier?.close();
    };
    return { source: files, network, startBlock, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

function nodeSource(settings: Settings, url: string, notifier: ZmqNotifier | undefined): NodeSource {
  // Few attempts: who follows the chain waits and asks again, tells of it, and can be stopped meanwhile.
  const patience = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };
  const rpc = new NodeRpc({ url, ...nodeLogin(settings), cookieFile: settings.nodeCookie, ...patience });
  return new NodeSource(rpc, { maxBytes: settings.prefetchBytes, pollMs: settings.pollInterval, notifier });
}
