import { type ErrorFacts, UsageError } from '../errors/errors.js';
import { BlockFilesSource, type BlockFilesStatistics } from './block-files.js';
import { FixtureSource } from './fixture-source.js';
import type { Network } from './networks.js';
import { NodeRpc, type NodeRpcOptions, type NodeRpcStatistics } from './node-rpc.js';
import { NodeSource } from './node-source.js';
import type { ChainSource } from './source.js';
import { ZmqNotifier, type ZmqStatistics } from './zmq.js';

/** Where to read a chain from: a node, its block files, both, or a fixture chain. */
export interface SourceConfig {
  readonly node?: NodeRpcOptions;
  /** Endpoints of the node's ZMQ notifications, as `tcp://host:port`. */
  readonly zmq?: readonly string[];
  /** Folder `blocks` of a node. */
  readonly blockFiles?: string;
  /** Network of block files without a node. */
  readonly network?: Network;
  /** Folder of a fixture chain, or of raw blocks. */
  readonly fixture?: string;
  /** Milliseconds between two polls of the tip while no notifications come. */
  readonly pollMs?: number;
  /** Bound of the bytes of blocks fetched ahead. */
  readonly maxBytes?: number;
  /** Bound of their number. */
  readonly maxBlocks?: number;
  /** Called with what the user should see, each message once. */
  log?(message: string, facts: ErrorFacts): void;
}

export interface SourceStatistics {
  readonly node?: NodeRpcStatistics;
  readonly zmq?: readonly ZmqStatistics[];
  readonly files?: BlockFilesStatistics;
}

export interface OpenedSource {
  readonly source: ChainSource;
  /** Undefined if none is configured. */
  readonly node: NodeSource | undefined;
  /** Current counters. */
  statistics(): SourceStatistics;
  /** Closes the source and everything that belongs to it. */
  close(): Promise<void>;
}

/**
 * Opens the source that a configuration names. Throws UsageError USAGE_SOURCE, USAGE_NODE_URL, USAGE_ZMQ_ENDPOINT and
 * what opening throws.
 */
export async function openChainSource(config: SourceConfig): Promise<OpenedSource> {
  check(config);
  if (config.fixture !== undefined) {
    const source = new FixtureSource(config.fixture);
    return { source, node: undefined, statistics: () => ({}), close: () => source.close() };
  }
  const { pollMs, maxBytes, maxBlocks, log, blockFiles: folder, network } = config;
  const ahead = { maxBytes, maxBlocks };
  const rpc = config.node && new NodeRpc(config.node);
  const zmq = config.zmq?.length ? new ZmqNotifier({ endpoints: config.zmq, log }) : undefined;
  const node = rpc && new NodeSource(rpc, { pollMs, ...ahead, notifier: zmq });
  try {
    const files =
      folder === undefined ? undefined : await BlockFilesSource.open({ folder, node, network, pollMs, ...ahead, log });
    const source = files ?? node;
    if (source === undefined) throw nothing();
    return {
      source,
      node,
      statistics: () => ({ node: rpc?.statistics, zmq: zmq?.statistics, files: files?.statistics }),
      close: async () => {
        await source.close();
        await zmq?.close();
      },
    };
  } catch (error) {
    rpc?.close();
    await zmq?.close();
    throw error;
  }
}

function nothing(): UsageError {
  return usage(
    'no source of blocks is configured',
    'Give the address of a node, a folder of block files, or a fixture chain.',
  );
}

function check(config: SourceConfig): void {
  const { fixture, node, blockFiles, zmq } = config;
  if (fixture !== undefined && (node !== undefined || blockFiles !== undefined)) {
    throw usage('both a fixture chain and a node are configured', 'Give one of them.');
  }
  if (fixture === undefined && node === undefined && blockFiles === undefined) throw nothing();
  if (zmq?.length && node === undefined) {
    throw usage('notifications are configured without a node', 'Configure the address of the node that sends them.');
  }
}

function usage(message: string, hint: string): UsageError {
  return new UsageError('USAGE_SOURCE', message, { hint });
}
