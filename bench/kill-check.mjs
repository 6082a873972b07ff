// `db check` in a thread, beside the next run: answers each folder with the violations and the tip of the database in
// it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { checkStore } from '../dist/store/check/check.js';
import { Store } from '../dist/store/store.js';
import { toDisplayHash } from '../dist/util/bytes.js';

const MOST_TOLD = 20;

parentPort.on('message', async (dir) => {
  try {
    parentPort.postMessage(await checked(dir));
  } catch (error) {
    // Killed before its first block: nothing is written before that.
    if (error.code === 'STORE_EMPTY') return parentPort.postMessage({ violations: 0, told: [] });
    parentPort.postMessage({ violations: 1, told: [{ code: error.code, detail: error.message }] });
  }
});

async function checked(dir) {
  // Killed before there was a database.
  if (!existsSync(join(dir, 'CURRENT'))) return { violations: 0, told: [] };
  const told = [];
  const { violations, stateRoot } = await checkStore(dir, {
    violation: (violation) => told.length < MOST_TOLD && told.push(violation),
  });
  const store = await Store.openRecorded(dir, { readOnly: true });
  const tip = store.tip();
  await store.close();
  return { violations, told, stateRoot, tip: tip && { height: tip.height, hash: toDisplayHash(tip.hash) } };
}
