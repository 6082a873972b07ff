// A store that the bundled chain was replayed into.
import { onTestFinished } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { Store } from '../../src/store/store.js';
import { bundledChain } from '../../src/util/bundled-chain.js';
import { bundledDatabase } from '../helpers/bundled-database.js';

export async function openReplayed(to?: number): Promise<Store> {
  const store = await Store.openRecorded(await bundledDatabase(to), { readOnly: true });
  onTestFinished(() => store.close());
  return store;
}

/** Raw blocks of the bundled chain. */
export function bundledBlocks(to?: number) {
  return openSource(bundledChain()).blocks(0, to);
}
