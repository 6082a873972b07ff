// What the root of a block costs: a block that changes 30,000 of many keys, through the state tree alone.
//   npm run build && node bench/tree.mjs [--keys 10000000,5000000,1000000] [--changes 30000] [--new 0.2]
//     [--blocks 12] [--memory MiB] [--threads N,...] [--json]
// --new: share of the changes that add a key. --memory: bound of the tree; without it all of it stays in memory.
// --threads: that hash beside this one, at most; as many as a store takes if nothing is said. Several take turns.
// Medians of a block, in milliseconds: `prepare` hashes keys and values, which the module's thread does for the
// standard namespace before the block is stored; `apply` sorts what that gave and merges it into the buckets, `hash`
// hashes leaves and nodes, and `root` is the two together: from the changes of a block to its root. `cpu` is processor
// time of the whole process for all of it; `rows` is what the sweep then takes to store its share, `bytes` how much
// that is: it grows for the 50 blocks of the first sweep. `made in s`: all of the state made into a tree, as when its
// rows are lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/selftest/bench/spread.js';
import { StateTree } from '../dist/store/tree/state-tree.js';
import { TreeHasher } from '../dist/store/tree/tree-hasher.js';
import { TreeMemory } from '../dist/store/tree/tree-memory.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { PackedMap } from '../dist/util/packed-map.js';
import { CHANGE_BYTES } from '../dist/util/packed-writes.js';

const MIB = 2 ** 20;
/** Writes that are made into the tree at a time at the beginning. */
const PORTION = 100_000;
const { values: args } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000000,5000000,1000000' },
    changes: { type: 'string', default: '30000' },
    new: { type: 'string', default: '0.2' },
    blocks: { type: 'string', default: '12' },
    memory: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const changes = Number(args.changes);
const blocks = Number(args.blocks);
const bytes = args.memory === undefined ? Number.POSITIVE_INFINITY : Number(args.memory) * MIB;
const hashers = (args.threads?.split(',') ?? ['']).map((threads) => ({
  threads,
  hasher: new TreeHasher(threads === '' ? {} : { threads: Number(threads) }),
}));
const rows = [];
for (const keys of args.keys.split(',')) rows.push(...(await measure(Number(keys))));
for (const { hasher } of hashers) await hasher.close();
if (args.json) process.stdout.write(`${JSON.stringify({ changes, rows })}\n`);
else {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const columns = Object.keys(rows[0]);
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(Object.values(row)))];
  process.stdout.write(`${table.join('\n')}\n`);
}

async function measure(keys) {
  /** The column `tree`. */
  const stored = new Map();
  const nameOf = (key) => Buffer.from(key).toString('latin1');
  const source = { getMany: (wanted) => wanted.map((key) => stored.get(nameOf(key))) };
  const memory = new TreeMemory();
  const tree = new StateTree(memory, source, 0x53, undefined);
  const random = new SimRandom(`${keys}`);
  let made = 0;
  const began = performance.now();
  while (made < keys) {
    const most = Math.min(keys, made + PORTION);
    const writes = new Map();
    for (; made < most; made++) writes.set(keyAt(made), valueAt(made));
    tree.add(writes);
  }
  tree.update(new Map());
  const makingSeconds = (performance.now() - began) / 1_000;
  const limits = { blocks: 50, behind: 100, bytes };
  let written = 0;
  const put = (key, value) => {
    written += key.length + (value?.length ?? 0);
    // Rows are read again only where memory is bounded.
    if (value === undefined) stored.delete(nameOf(key));
    else if (args.memory !== undefined) stored.set(nameOf(key), value.slice());
  };
  tree.store(0, limits, put);
  const scratch = new TreeMemory();
  const figures = hashers.map(() => ({ cpu: [], prepare: [], apply: [], hash: [], root: [], rows: [], bytes: [] }));
  // Threads start at the first block, which does not count.
  for (let height = 0; height < (blocks + 1) * hashers.length; height++) {
    const turn = height % hashers.length;
    const { hasher } = hashers[turn];
    const all = figures[turn];
    const isFirst = height < hashers.length;
    const writes = new Map();
    while (writes.size < changes) {
      const added = random.below(1_000) < Number(args.new) * 1_000;
      writes.set(keyAt(added ? made++ : random.below(keys)), valueAt(height * 7 + writes.size));
    }
    const packed = PackedMap.from(writes);
    const prepared = new Uint8Array(CHANGE_BYTES * packed.size);
    written = 0;
    const cpu = process.cpuUsage();
    const start = performance.now();
    scratch.changesOf(packed, prepared);
    packed.prepared = () => ({ order: new Uint32Array(0), changes: prepared });
    const ready = performance.now();
    tree.add(packed);
    const applied = performance.now();
    hasher.begin([tree]);
    hasher.end();
    const hashed = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    tree.store(height + 1, limits, put);
    const stored = performance.now();
    await sleep(isFirst ? 2_000 : 1);
    if (isFirst) continue;
    all.cpu.push((user + system) / 1_000);
    all.prepare.push(ready - start);
    all.apply.push(applied - ready);
    all.hash.push(hashed - applied);
    all.root.push(hashed - ready);
    all.rows.push(stored - hashed);
    all.bytes.push(written);
  }
  return hashers.map(({ threads }, turn) => {
    const middle = Object.entries(figures[turn]).map(([part, of]) => [part, spreadOf(of).median]);
    return {
      keys,
      ...(threads === '' ? {} : { threads }),
      ...Object.fromEntries(middle.map(([part, of]) => [part, Math.round(of * 10) / 10])),
      'memory MiB': Math.round(memory.bytes / MIB),
      'WASM MiB': Math.round(memory.memoryBytes / MIB),
      'dropped rows': memory.droppedRows,
      'made in s': Math.round(makingSeconds * 10) / 10,
    };
  });
}

function keyAt(index) {
  return `a key of a table of addresses/${index}`;
}

function valueAt(index) {
  const value = new Uint8Array(40);
  new DataView(value.buffer).setUint32(0, index);
  return value;
}
