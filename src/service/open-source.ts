import { openSource } from '../bitcoin/sources.js';
import type { CredentialOptions, Reread } from '../chain/node-credentials.js';
import type { NodeRpcOptions } from '../chain/node-rpc.js';
import { type OpenedSource, openChainSource, type SourceConfig } from '../chain/open.js';
import { nodeLogin, readConfig } from './config.js';
import type { Settings } from './options.js';
import { SecondaryGate, secondaryPlaces } from './secondary-gate.js';

export interface OpenedChain extends OpenedSource {
  readonly network: string;
  /** Height of the first block of a new database. */
  readonly startBlock: number;
}

/**
 * Opens the chain source that the settings name; contacts the node only if its block files are read, too. `flags`: the
 * command line that the settings were read with, so that they can be read again when the node refuses the credentials.
 * Throws what {@link openChainSource} throws.
 */
export async function openChain(
  settings: Settings,
  log: SourceConfig['log'],
  flags?: Readonly<Record<string, unknown>>,
): Promise<OpenedChain> {
  const { fixture, blocksDir: blockFiles, network, zmq, startBlock } = settings;
  const opened = await openChainSource({
    fixture,
    blockFiles,
    network,
    node: nodeOptions(settings, flags),
    zmq: zmq?.split(','),
    pollMs: settings.pollInterval,
    maxBytes: settings.prefetchBytes,
    maxBlocks: settings.prefetchBlocks,
    log,
  });
  const urls = secondaryPlaces(settings.secondary);
  const gate = urls && new SecondaryGate(opened.source, urls);
  const gated = gate === undefined ? opened : { ...opened, source: gate, close: () => closeBoth(gate, opened) };
  if (fixture === undefined) return { ...gated, network, startBlock };
  const chain = openSource(fixture);
  return { ...gated, network: chain.network, startBlock: Math.max(chain.firstHeight, startBlock) };
}

async function closeBoth(gate: SecondaryGate, opened: OpenedSource): Promise<void> {
  await gate.close();
  await opened.close();
}

/** How to reach the node; undefined if none is named. `flags`: as for {@link openChain}. */
export function nodeOptions(settings: Settings, flags?: Readonly<Record<string, unknown>>): NodeRpcOptions | undefined {
  const { nodeUrl: url } = settings;
  if (url === undefined) return undefined;
  // Few attempts: whoever asks retries, reports that it does, and can be stopped while it waits.
  return { url, ...loginOf(settings), reread: rereadLogin(flags), attempts: 3, maxBackoffMs: 1_000 };
}

/**
 * Reads the currently configured credentials; undefined if the configuration has problems, like a half-written file.
 */
function rereadLogin(flags: Readonly<Record<string, unknown>> | undefined): Reread | undefined {
  return (
    flags &&
    (() => {
      const { settings, problems } = readConfig({ flags, environment: process.env });
      return problems.length === 0 ? loginOf(settings) : undefined;
    })
  );
}

function loginOf(settings: Settings): CredentialOptions {
  return { ...nodeLogin(settings), cookieFile: settings.nodeCookie };
}
