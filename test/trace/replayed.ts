// A store that the bundled chain was replayed into.
import { onTestFinished } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { replay } from '../../src/replay/replay.js';
import { Store } from '../../src/store/store.js';
import { bundledChain } from '../../src/util/bundled-chain.js';
import { temporaryFolder } from '../store/helpers.js';

export async function replayedFolder(to?: number): Promise<string> {
  const dbDir = `${temporaryFolder()}/db`;
  await replay({ path: bundledChain(), dbDir, policy: 'cpu', workers: 0, to });
  return dbDir;
}

export async function openReplayed(to?: number): Promise<Store> {
  const store = await Store.openRecorded(await replayedFolder(to), { readOnly: true });
  onTestFinished(() => store.close());
  return store;
}

/** Raw blocks of the bundled chain. */
export function bundledBlocks(to?: number) {
  return openSource(bundledChain()).blocks(0, to);
}
