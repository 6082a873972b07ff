// Read amplification: what one value costs a reader, at the tip and at an old height.
//   npm run build && node bench/reads.mjs [--keys 1000000] [--blocks 100] [--changed 10000] [--reads 20000] [--json]
// A store of so many keys, then blocks that change some of them again; values of random keys are read one by one, as
// the module of a view reads them. `point reads` and `seeks`: calls of the database for a value. `blocks`: reads of the
// files, about one for each block of a table that is in no cache of the database, and `KiB` what they bring; Linux
// counts them, whether the system has the file in memory or not. Cold: a cache of 4 MiB. Warm: of --db-cache MiB, after
// as many reads of the same kind. `µs`: processor time.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rocks } from '../dist/store/rocks.js';
import { Store } from '../dist/store/store.js';
import { bulkState } from '../dist/testing/chains/bulk-state.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { fromBinaryString } from '../dist/util/bytes.js';

const { values: args } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    blocks: { type: 'string', default: '100' },
    changed: { type: 'string', default: '10000' },
    reads: { type: 'string', default: '20000' },
    'db-cache': { type: 'string', default: '256' },
    json: { type: 'boolean', default: false },
  },
});
const keys = Number(args.keys);
const reads = Number(args.reads);
const random = new SimRandom('reads');
const calls = { points: 0, seeks: 0 };
count('getMany', 'points', (_, list) => list.length);
count('first', 'seeks', () => 1);

const dir = mkdtempSync(join(tmpdir(), 'warpshrew-reads-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
const OPTIONS = { network: 'regtest', moduleHash: '00'.repeat(32) };
const { first, tip, names } = await build();
const heights = { 'the tip': undefined, 'a tenth below': tip - (tip - first) / 10, 'the first': first };
const rows = [];
for (const [cache, mib] of Object.entries({ cold: 4, warm: Number(args['db-cache']) })) {
  const store = await Store.open(dir, { ...OPTIONS, readOnly: true, cacheBytes: mib << 20 });
  for (const [of, height] of Object.entries(heights)) {
    const read = (key) =>
      height === undefined ? store.getLatest('S', key) : store.getAt('S', key, Math.floor(height));
    const key = () => fromBinaryString(names[random.below(names.length)]);
    const absent = () => key().map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    for (const [what, made] of Object.entries({ present: key, absent })) {
      if (cache === 'warm') measure(() => read(made()));
      rows.push({ cache, height: of, key: what, ...measure(() => read(made())) });
    }
  }
  await store.close();
}
if (args.json) process.stdout.write(`${JSON.stringify({ keys, first, tip, rows })}\n`);
else {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  const columns = Object.keys(rows[0]);
  process.stdout.write(
    line(columns) + line(columns.map(() => '---')) + rows.map((row) => line(Object.values(row))).join(''),
  );
}

/** The store: its keys, the height at which all were there, and the tip. */
async function build() {
  const store = await Store.open(dir, OPTIONS);
  const names = [];
  for (const commit of bulkState(keys)) {
    store.commitBlock(commit, { moreFollow: true });
    for (const name of commit.standardWrites.keys()) if (name.length > 1) names.push(name);
  }
  const first = store.tip().height;
  for (let i = 0; i < Number(args.blocks); i++) {
    const height = store.tip().height + 1;
    const name = () => names[random.below(names.length)];
    const standardWrites = new Map(Array.from({ length: Number(args.changed) }, () => [name(), new Uint8Array(40)]));
    const plan = { height, laneTxs: 0, demoted: 0, edges: 0, colours: 0, widths: [], longestChain: 0 };
    const hash = new Uint8Array(32).fill(height);
    const block = {
      height,
      hash,
      header: new Uint8Array(80),
      standardWrites,
      laneWrites: new Map(),
      receipts: [],
      plan,
    };
    store.commitBlock(block, { moreFollow: true });
  }
  const tip = store.tip().height;
  await store.close();
  // Opening brings what is in the log into tables.
  await (await Store.open(dir, OPTIONS)).close();
  return { first, tip, names };
}

/** Counts calls of a method of the database. */
function count(method, name, howMany) {
  const real = Rocks.prototype[method];
  Rocks.prototype[method] = function counted(...given) {
    calls[name] += howMany(...given);
    return real.apply(this, given);
  };
}

function measure(read) {
  Object.assign(calls, { points: 0, seeks: 0 });
  const before = systemReads();
  const cpu = process.cpuUsage();
  for (let i = 0; i < reads; i++) read();
  const { user, system } = process.cpuUsage(cpu);
  const after = systemReads();
  const each = (value) => Math.round((100 * value) / reads) / 100;
  return {
    'point reads': each(calls.points),
    seeks: each(calls.seeks),
    blocks: each(after.count - before.count),
    KiB: each((after.bytes - before.bytes) / 1024),
    µs: each(user + system),
  };
}

/** Reads of files by this process so far. */
function systemReads() {
  const text = readFileSync('/proc/self/io', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)[1]);
  return { count: field('syscr'), bytes: field('rchar') };
}
