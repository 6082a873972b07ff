// Kills (-9) `warpshrew index --index addresses` at random moments, beside a node whose chain grows and reorganises,
// while readers follow `/events`, each going on behind its last event after a kill, and page through every listing;
// compares what all of them were told with brute force over blocks and states.
//   npm run build && node bench/lists.mjs [--reorgs 50] [--seed 1]
// Exit status 1 if anything differs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { openSource } from '../dist/bitcoin/sources.js';
import { Store } from '../dist/store/store.js';
import { ChangingChain } from '../dist/testing/chains/changing-chain.js';
import { Reader, readStream } from '../dist/testing/chains/event-reader.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { toDisplayHash } from '../dist/util/bytes.js';
import { IndexRun } from './index-run.mjs';
import { ListSamples } from './list-samples.mjs';

const { values: args } = parseArgs({
  options: { reorgs: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
});
const KEEP_UNDO = 30;
/** Contracts whose receipts are followed; the first reader follows none. */
const FOLLOWED = [undefined, '2:1', '2:33'];
/** Listings read at the end. */
const LISTINGS = 300;
const random = new SimRandom(`lists ${args.seed}`);
const bundled = fileURLToPath(new URL('../fixtures/regtest', import.meta.url));
const trunk = Array.from(openSource(bundled).blocks(0, 185), ({ height, raw }) => {
  return { height, raw, hash: BlockOffsets.read(raw).hash };
});
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-lists-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const db = join(folder, 'db');
const node = await FakeNode.start(trunk);
const chain = new ChangingChain({ seed: args.seed, trunk, start: 112, first: 0, keepUndo: KEEP_UNDO });
const settings = ['--policy', 'sequential', '--keep-undo', String(KEEP_UNDO), '--index', 'addresses', '--no-explorer'];
const readers = FOLLOWED.map((contract) => ({ contract, reader: new Reader() }));
const samples = new ListSamples(random, trunk);
const sum = { reorgs: 0, blocksUndone: 0, kills: 0, streams: 0 };
while (sum.reorgs < Number(args.reorgs)) {
  node.serve(chain.best);
  const run = new IndexRun(node.url, db, settings);
  const url = await run.serving;
  let isOver = false;
  const parts = [...readers.map((one) => follow(one, url, () => isOver)), samples.read(url, () => isOver)];
  for (let moves = 1 + random.below(4); moves > 0; moves--) {
    await atTip(url);
    chain.move(true);
    node.serve(chain.best);
    await sleep(random.below(1_000));
  }
  await run.kill();
  isOver = true;
  await Promise.all(parts);
  sum.kills++;
  sum.reorgs += run.reorgs.length;
  sum.blocksUndone += run.reorgs.reduce((blocks, { depth }) => blocks + depth, 0);
  node.requests.length = 0;
}
chain.end();
node.serve(trunk);
const tip = trunk.length - 1;
const last = new IndexRun(node.url, db, settings);
const url = await last.serving;
await Promise.all(readers.map((one) => catchUp(one, url)));
await samples.readAt(url, tip, LISTINGS);
await last.kill();
await new IndexRun(node.url, db, [...settings, '--exit-at', String(tip)]).ends();
const store = await Store.openRecorded(db, { readOnly: true });
let eventsDiffer = 0;
for (const { contract, reader } of readers) {
  const isSame = trunk.every(({ height, hash }) => reader.hashes.get(height) === toDisplayHash(hash));
  if (!isSame || reader.hashes.size !== trunk.length) eventsDiffer++;
  if (JSON.stringify(reader.receipts) !== JSON.stringify(receiptsOf(contract))) eventsDiffer++;
}
const { compared, differing } = samples.compare(store, node.known);
await store.close();
await node.stop();
const report = {
  ...sum,
  undoneEvents: readers.reduce((all, { reader }) => all + reader.undone, 0),
  receiptEvents: readers.reduce((all, { reader }) => all + reader.receipts.length, 0),
  eventsDiffer,
  listings: samples.count,
  pages: samples.pages,
  broken: samples.broken,
  compared,
  differing,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(eventsDiffer + differing === 0 ? 0 : 1);

/** `height:index` of the receipts that name a contract. */
function receiptsOf(contract) {
  const names = ({ messages }) =>
    messages.some(({ target, calls }) => target === contract || calls.some((call) => call.target === contract));
  if (contract === undefined) return [];
  return trunk.flatMap(({ height }) =>
    [...store.receipts(height)].filter(names).map(({ index }) => `${height}:${index}`),
  );
}

/** Reads streams, broken off at random, until `isOver`, or until the server is gone. */
async function follow({ contract, reader }, url, isOver) {
  const query = contract === undefined ? '' : `&contract=${contract}`;
  while (!isOver()) {
    let looks = 1 + random.below(500);
    sum.streams++;
    try {
      await readStream(`${url}/events?from=0${query}`, reader, () => --looks <= 0 || isOver());
    } catch (error) {
      // What the reader itself finds wrong is no TypeError.
      if (!(error instanceof TypeError)) throw error;
      return;
    }
  }
}

/** Waits until the index has the node's chain. */
async function atTip(url) {
  const wanted = toDisplayHash(chain.best[chain.best.length - 1].hash);
  while ((await (await fetch(`${url}/status`)).json()).tip?.hash !== wanted) await sleep(50);
}

/** Polls until it knows all of the last chain. */
async function catchUp({ contract, reader }, url) {
  for (;;) {
    const query = new URLSearchParams({ from: '0', wait: '1000' });
    if (contract !== undefined) query.set('contract', contract);
    if (reader.last !== undefined) query.set('after', reader.last);
    const { events } = await (await fetch(`${url}/events/poll?${query}`)).json();
    for (const event of events) reader.hear(event);
    if (events.length === 0 && reader.hashes.get(tip) === toDisplayHash(trunk[tip].hash)) return;
  }
}
