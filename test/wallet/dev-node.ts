import { onTestFinished } from 'vitest';
import { DevChain } from '../../src/dev/dev-chain.js';
import { DevWallet } from '../../src/dev/dev-wallet.js';
import type { DevNode } from '../../src/dev/node-methods.js';
import { startNodeServer } from '../../src/dev/node-server.js';

export interface RunningNode extends DevNode {
  readonly url: string;
}

/** A node of one process until the test ends, with some coins in its wallet; no blocks come by themselves. */
export async function devNode({ instant = false, changed = async () => undefined } = {}): Promise<RunningNode> {
  const chain = new DevChain({ now: () => 1_700_000_000 });
  const wallet = new DevWallet(chain);
  for (let blocks = 0; blocks < 3; blocks++) chain.mine(wallet.lock.script);
  const node = { chain, wallet, instant, changed };
  const server = await startNodeServer(node, '127.0.0.1', 0);
  onTestFinished(() => server.close());
  return { ...node, url: server.url };
}
