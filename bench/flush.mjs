// What storing costs: an indexer that flushes 30,000 pairs a block over a large state, beside its bare WASM time.
//   npm run build && node bench/flush.mjs [--keys 1000000] [--blocks 20] [--template FILE] [--json]
// --template: a raw block whose transactions every block holds; without it blocks hold a coinbase only.
// bare: milliseconds that the module itself runs, with its reads of the store; block: all of one block, in the pipeline and without.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bulkHash, bulkIndexer, bulkState } from '../dist/bench/bulk-state.js';
import { spreadOf } from '../dist/bench/spread.js';
import { makeBlock, Template } from '../dist/bench/synthetic-chain.js';
import { LaneEngine } from '../dist/execute/engine.js';
import { BlockIndexer } from '../dist/follow/block-indexer.js';
import { StandardLane } from '../dist/standard/lane.js';
import { Store } from '../dist/store/store.js';

const { values: args } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    blocks: { type: 'string', default: '20' },
    template: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(args.blocks);
const keys = Number(args.keys);
const template = args.template === undefined ? undefined : new Template(readFileSync(args.template));
const dir = mkdtempSync(join(tmpdir(), 'warpshrew-flush-'));
try {
  const figures = await measure();
  process.stdout.write(args.json ? `${JSON.stringify(figures)}\n` : `${text(figures)}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function measure() {
  const moduleBytes = bulkIndexer();
  const store = await Store.open(dir, { network: 'regtest', moduleHash: StandardLane.hashOf(moduleBytes) });
  const engine = new LaneEngine({ policy: 'cpu', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardLane({ moduleBytes, storeHandle: store.handle });
  try {
    const started = performance.now();
    for (const commit of bulkState(keys)) store.commitBlock(commit);
    const prefill = performance.now() - started;
    const first = store.tip().height + 1;
    const before = folderBytes(dir);
    const indexer = new BlockIndexer(store, engine, standard);
    const one = await oneByOne(indexer, blocksFrom(first, bulkHash(first - 1)));
    return {
      keys,
      count,
      prefill: Math.round(prefill),
      one,
      bytesPerBlock: Math.round((folderBytes(dir) - before) / count),
    };
  } finally {
    await engine.close();
    await standard.close();
    await store.close();
  }
}

async function oneByOne(indexer, blocks) {
  const ms = { parse: [], standard: [], commit: [], block: [] };
  for (const { height, raw } of blocks) {
    const started = performance.now();
    const done = await indexer.index(raw, height);
    ms.block.push(performance.now() - started);
    for (const [phase, took] of Object.entries(done.ms)) ms[phase].push(took);
  }
  return Object.fromEntries(Object.entries(ms).map(([phase, all]) => [phase, spreadOf(all)]));
}

function blocksFrom(first, hash) {
  const blocks = [];
  let previous = hash;
  for (let height = first; height < first + count; height++) {
    const block = makeBlock(height, previous, template?.transactions(height) ?? []);
    blocks.push(block);
    previous = block.hash;
  }
  return blocks;
}

function folderBytes(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function text({ one, ...rest }) {
  return [
    JSON.stringify(rest),
    ...Object.entries(one).map(([phase, spread]) => `${phase}: ${JSON.stringify(spread)}`),
  ].join('\n');
}
