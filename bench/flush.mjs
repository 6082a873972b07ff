// What storing costs: an indexer that flushes 30,000 pairs per block over a large state, compared with its bare WASM
// time.
//   npm run build && node bench/flush.mjs [--keys 1000000] [--blocks 20] [--root on,off] [--template FILE]
//     [--together 1] [--undo off] [--json]
// --undo off: final blocks, as in the initial sync. --template: a raw block whose transactions every block holds;
// without it blocks hold a coinbase only. Milliseconds per block: `standard` is what the module itself runs, with its
// reads of the store (bare where blocks go one by one), `commit` what storing takes, `wait` how long this thread had
// nothing to do, `block` all of it, `cpu` of all threads.
// Below: bytes of the table files per block by column, with everything in them (the database is opened again first),
// before the background has merged what is older; `memory`: MiB of the process at most, with its caches (--db-cache).
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LaneEngine } from '../dist/execute/engine.js';
import { BlockIndexer } from '../dist/pipeline/block-indexer.js';
import { lookAhead } from '../dist/pipeline/look-ahead.js';
import { spreadOf } from '../dist/selftest/bench/spread.js';
import { StandardIndexer } from '../dist/standard/standard-indexer.js';
import { COLUMNS } from '../dist/store/database.js';
import { Store } from '../dist/store/store.js';
import { bulkIndexer, bulkState } from '../dist/testing/chains/bulk-state.js';
import { makeBlock, Template } from '../dist/testing/chains/synthetic-chain.js';
import { onDeepThread } from '../dist/util/deep-thread.js';

if (!(await onDeepThread(import.meta.url))) process.exit();

const { values: args } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    blocks: { type: 'string', default: '20' },
    template: { type: 'string' },
    together: { type: 'string', default: '1' },
    'db-cache': { type: 'string', default: '256' },
    root: { type: 'string', default: 'on,off' },
    undo: { type: 'string', default: 'on' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(args.blocks);
const together = Number(args.together);
const final = args.undo === 'off';
if (together > 1 && args.root !== 'on') throw new Error('blocks are stored together (--together) with --root on only');
const keys = Number(args.keys);
const template = args.template === undefined ? undefined : new Template(readFileSync(args.template));
const NO_ROOTS = { standard: '00'.repeat(32), lane: '00'.repeat(32), state: '00'.repeat(32) };
/** What stands for the trees of a store, from its opening on, where they are not measured. */
function noTrees() {
  let updates = 0;
  const nothing = () => undefined;
  return {
    bytes: 0,
    update: ({ S }) => ({ roots: () => NO_ROOTS, existed: { S: knownToExist(S, updates++), P: new Uint8Array(0) } }),
    store: nothing,
    storeBefore: nothing,
    storeAfter: nothing,
    settle: nothing,
    invalidate: nothing,
    flush: nothing,
    close: nothing,
  };
}

/**
 * What the tree tells of the writes of bulkState and of the bulk indexer, in their order: all of the first are new but
 * the count, which is the last; the indexer writes its 15,000 new keys first, of at most 30,000.
 */
function knownToExist(writes, before) {
  const existed = new Uint8Array(writes.size);
  if (writes.size <= 30_000) existed.fill(1, 15_000);
  else existed[writes.size - 1] = before === 0 ? 0 : 1;
  return existed;
}

const rows = [];
const disk = [];
for (const root of args.root.split(',')) rows.push(...(await measure(root)));
if (args.json) process.stdout.write(`${JSON.stringify({ keys, count, rows, disk })}\n`);
else {
  for (const table of [rows, disk]) process.stdout.write(`${markdown(table)}\n\n`);
}

function markdown(table) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const columns = Object.keys(table[0]);
  return [line(columns), line(columns.map(() => '---')), ...table.map((row) => line(Object.values(row)))].join('\n');
}

async function measure(root) {
  const moduleBytes = bulkIndexer();
  const dir = mkdtempSync(join(tmpdir(), 'warpshrew-flush-'));
  const options = {
    network: 'regtest',
    moduleHash: StandardIndexer.hashOf(moduleBytes),
    cacheBytes: Number(args['db-cache']) << 20,
  };
  const open = async () => {
    const store = await Store.open(dir, options);
    // Stores always keep the trees; without them only for this measurement.
    if (root === 'off') Object.defineProperty(store, 'trees', { value: noTrees() });
    return store;
  };
  const made = await open();
  for (const commit of bulkState(keys)) made.commitBlock(commit);
  await made.close();
  let store = await open();
  const engine = new LaneEngine({ policy: 'cpu', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
  try {
    const indexer = new BlockIndexer(store, engine, standard);
    const before = await settledBytes(dir);
    const columnsBefore = columnBytes(dir);
    const rows = [
      await timed(indexer, root, 'one by one', oneByOne),
      await timed(indexer, root, 'pipeline', overlapping),
    ];
    // Opening brings what is in the log only into tables.
    await store.close();
    store = await open();
    const bytes = Math.round(((await settledBytes(dir)) - before) / (2 * count));
    const columns = columnBytes(dir);
    const perBlock = Object.entries(columns).map(([name, all]) => [
      name,
      Math.round((all - (columnsBefore[name] ?? 0)) / (2 * count)),
    ]);
    disk.push({ root, ...Object.fromEntries(perBlock), all: bytes, memory: peakMemory() });
    return rows;
  } finally {
    await engine.close();
    await standard.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `count` blocks; `bare` is what the module itself took, alone on the machine when blocks go one by one. */
async function timed(indexer, root, way, run) {
  const tip = indexer.store.tip();
  const blocks = blocksFrom(tip.height + 1, tip.hash);
  const ms = { standard: [], commit: [], wait: [], block: [], cpu: [] };
  let last = performance.now();
  let lastCpu = cpu();
  for await (const done of run(indexer, blocks)) {
    for (const phase of ['standard', 'commit', 'wait']) ms[phase].push(done.ms[phase]);
    ms.block.push(performance.now() - last);
    ms.cpu.push(cpu() - lastCpu);
    last = performance.now();
    lastCpu = cpu();
  }
  const spreads = Object.entries(ms).map(([phase, all]) => [phase, spreadOf(all)]);
  const figures = spreads.map(([phase, { median, least, most }]) => [
    phase,
    `${Math.round(median)} (${Math.round(least)} to ${Math.round(most)})`,
  ]);
  const per = ms.block.reduce((sum, took) => sum + took, 0) / count;
  return { root, way, ...Object.fromEntries(figures), 'blocks/s': Math.round(100_000 / per) / 100 };
}

async function* oneByOne(indexer, blocks) {
  for (const block of blocks) yield await indexer.index(block, { final });
}

async function* overlapping(indexer, blocks) {
  for await (const { item, following } of lookAhead(blocks))
    yield await indexer.index(item, { following, together, final });
}

/** Milliseconds of processor time of all threads, those of the database too. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
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

/**
 * Bytes of the files once the database has been left alone for a while: it merges them in the background, and drops
 * what is old.
 */
async function settledBytes(folder) {
  let bytes = -1;
  for (let same = 0, looks = 0; same < 5 && looks < 120; looks++) {
    const now = folderBytes(folder);
    same = now === bytes ? same + 1 : 0;
    bytes = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return bytes;
}

/** Bytes of the table files by column: each names its column among its properties, near its end. */
function columnBytes(folder) {
  const bytes = Object.fromEntries(COLUMNS.map((name) => [name, 0]));
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.sst')) continue;
    const path = join(folder, file);
    const { size } = statSync(path);
    const tail = Buffer.alloc(Math.min(size, 1 << 16));
    const fd = openSync(path, 'r');
    readSync(fd, tail, 0, tail.length, size - tail.length);
    closeSync(fd);
    const [, name] = new RegExp(`name(${COLUMNS.join('|')})`).exec(tail.toString('latin1')) ?? [];
    if (name !== undefined) bytes[name] += size;
  }
  return bytes;
}

/** MiB. */
function peakMemory() {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

/** The database drops files while they are counted. */
function folderBytes(folder) {
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
