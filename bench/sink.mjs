// Kills (-9) `warpshrew index --sink` and the PostgreSQL server at random moments, beside a node whose chain grows and
// reorganises; then compares the tables with what the states of the database say, at random heights.
//   npm run build && node bench/sink.mjs [--reorgs 50] [--seed 1]
// Exit status 1 if a row differs. Needs a PostgreSQL server (Debian's package `postgresql`).
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
import { expectedRows, sorted } from '../dist/testing/chains/expected-rows.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { PostgresServer } from '../dist/testing/postgres/postgres-server.js';
import { sinkRows, sortedJson } from '../dist/testing/postgres/sink-rows.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { IndexRun } from './index-run.mjs';

const { values: args } = parseArgs({
  options: { reorgs: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
});
const KEEP_UNDO = 30;
const HEIGHTS = 8;
const random = new SimRandom(`sink ${args.seed}`);
const bundled = fileURLToPath(new URL('../fixtures/regtest', import.meta.url));
const trunk = Array.from(openSource(bundled).blocks(0, 185), ({ height, raw }) => {
  return { height, raw, hash: BlockOffsets.read(raw).hash };
});
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-sink-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const db = join(folder, 'db');
const [node, server] = [await FakeNode.start(trunk), await PostgresServer.start()];
const chain = new ChangingChain({ seed: args.seed, trunk, start: 112, first: 0, keepUndo: KEEP_UNDO });
const settings = ['--policy', 'sequential', '--keep-undo', String(KEEP_UNDO), '--sink', server.url];
const sum = { reorgs: 0, blocksUndone: 0, indexKills: 0, serverKills: 0, rows: 0, differing: 0 };
while (sum.reorgs < Number(args.reorgs)) {
  node.serve(chain.best);
  const run = new IndexRun(node.url, db, settings);
  await run.opened;
  for (let moves = 1 + random.below(4); moves > 0; moves--) {
    chain.move(random.below(2) === 0);
    node.serve(chain.best);
    await sleep(random.below(2_000));
    if (random.below(4) > 0) continue;
    await server.kill();
    sum.serverKills++;
    await sleep(random.below(1_000));
    await server.run();
  }
  await run.kill();
  sum.indexKills++;
  sum.reorgs += run.reorgs.length;
  sum.blocksUndone += run.reorgs.reduce((blocks, { depth }) => blocks + depth, 0);
  node.requests.length = 0;
}
node.serve(trunk);
await new IndexRun(node.url, db, [...settings, '--exit-at', String(trunk.length)]).ends();
const { sinkCommand } = await import('../dist/cli/sink.js');
await sinkCommand(server.url, { db });
const store = await Store.openRecorded(db, { readOnly: true });
const { place, rows } = await sinkRows(server.url);
const tip = store.tip().height;
const JSON_COLUMNS = ['messages', 'reads', 'writes'];
for (const height of [tip, ...Array.from({ length: HEIGHTS - 1 }, () => random.below(tip))]) {
  for (const [table, expected] of Object.entries(expectedRows(store, height, height))) {
    for (const row of expected) {
      for (const name of JSON_COLUMNS) if (name in row) row[name] = sortedJson(JSON.parse(row[name]));
    }
    const found = sorted(rows[table].filter((row) => row.height === String(height)));
    const wanted = sorted(expected);
    sum.rows += wanted.length;
    if (found.length !== wanted.length) sum.differing += Math.abs(found.length - wanted.length);
    sum.differing += wanted.filter((row) => !found.includes(row)).length;
  }
}
if (place?.height !== tip || rows.blocks.length !== tip + 1) sum.differing++;
await store.close();
await server.close();
await node.stop();
process.stdout.write(`${JSON.stringify(sum)}\n`);
process.exit(sum.differing === 0 ? 0 : 1);
