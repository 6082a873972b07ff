// What the index by address costs a block: the same blocks stored with it and without, turn by turn, in one run.
//   npm run build && node bench/addresses.mjs [--blocks 60] [--txs 2500] [--outputs 2] [--json]
// Each transaction spends as many outputs as it creates, of random earlier blocks; a third of the scripts were used
// before. Nothing else is in the blocks: the time is that of a commit, beside which lane and module run. Bytes: of rows
// put, keys and values, and of the folders at the end.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Store } from '../dist/store/store.js';
import { SimRandom } from '../dist/testing/sim/random.js';

const { values: args } = parseArgs({
  options: {
    blocks: { type: 'string', default: '60' },
    txs: { type: 'string', default: '2500' },
    outputs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const [blocks, txs, each] = [Number(args.blocks), Number(args.txs), Number(args.outputs)];
const random = new SimRandom('addresses');
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-addresses-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const options = { network: 'regtest', moduleHash: '00'.repeat(32) };
const dirs = { without: join(folder, 'without'), with: join(folder, 'with') };
const stores = {
  without: await Store.open(dirs.without, options),
  with: await Store.open(dirs.with, { ...options, addresses: true }),
};
const ms = { without: [], with: [] };
/** Outpoints that are not spent, 36 bytes each. */
const unspent = [];
const scripts = [];
for (let height = 0; height < blocks; height++) {
  const commit = blockAt(height);
  for (const name of height % 2 === 0 ? ['without', 'with'] : ['with', 'without']) {
    const from = performance.now();
    stores[name].commitBlock(commit, { moreFollow: height < blocks - 1 });
    ms[name].push(performance.now() - from);
  }
}
let rows = 0;
let rowBytes = 0;
for (const [key, value] of stores.with.rowsOf('addresses')) {
  rows++;
  rowBytes += key.length + value.length;
}
for (const store of Object.values(stores)) await store.close();
const disk = Object.fromEntries(Object.entries(dirs).map(([name, dir]) => [name, bytesOf(dir)]));
const report = {
  blocks,
  inputsAndOutputs: 2 * txs * each,
  msWithout: median(ms.without),
  msWith: median(ms.with),
  rowsABlock: Math.round(rows / blocks),
  rowBytesABlock: Math.round(rowBytes / blocks),
  diskBytesABlock: Math.round((disk.with - disk.without) / blocks),
};
process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${text(report)}\n`);

function blockAt(height) {
  const header = new Uint8Array(80);
  header.set(sha256(`header ${height}`), 36);
  const size = each * (36 + 8 + 1 + 22);
  const raw = Buffer.alloc(80 + txs * size);
  const [firstInput, firstOutput, inputs, places, txids] = [[], [], [], [], []];
  const created = [];
  let at = 80;
  for (let tx = 0; tx < txs; tx++) {
    const txid = sha256(`tx ${height} ${tx}`);
    txids.push(txid);
    firstInput.push(inputs.length);
    firstOutput.push(places.length / 2);
    for (let i = 0; i < each && unspent.length > 0; i++, at += 36) {
      const last = unspent.pop();
      const one = random.below(unspent.length + 1);
      raw.set(one === unspent.length ? last : unspent[one], at);
      if (one < unspent.length) unspent[one] = last;
      inputs.push(at);
    }
    for (let i = 0; i < each; i++, at += 31) {
      raw.writeUInt32LE(1 + random.below(1e6), at);
      raw[at + 8] = 22;
      raw.set(scriptOf(), at + 9);
      places.push(at + 9, at + 31);
      const outpoint = Buffer.alloc(36);
      outpoint.set(txid);
      outpoint.writeUInt32LE(i, 32);
      created.push(outpoint);
    }
  }
  unspent.push(...created);
  firstInput.push(inputs.length);
  firstOutput.push(places.length / 2);
  const lists = { firstInput, firstOutput, inputs, scripts: places };
  const outputs = Object.fromEntries(Object.entries(lists).map(([name, of]) => [name, Uint32Array.from(of)]));
  const plan = { height, laneTxs: 0, demoted: 0, edges: 0, colours: 0, widths: [], longestChain: 0 };
  return {
    ...{ height, hash: sha256(sha256(header)), header, plan, receipts: [], laneWrites: new Map() },
    standardWrites: new Map([[`height ${height}`, new Uint8Array(32)]]),
    outputs: { ...outputs, raw, count: txs, txids: Buffer.concat(txids) },
  };
}

function scriptOf() {
  if (scripts.length > 0 && random.below(3) === 0) return scripts[random.below(scripts.length)];
  const script = Buffer.concat([Buffer.from([0, 20]), sha256(`script ${scripts.length}`).subarray(0, 20)]);
  scripts.push(script);
  return script;
}

function sha256(data) {
  return createHash('sha256').update(data).digest();
}

function bytesOf(dir) {
  return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

function median(values) {
  return Number([...values].sort((a, b) => a - b)[values.length >> 1].toFixed(2));
}

function text({ msWithout, msWith, rowsABlock, rowBytesABlock, diskBytesABlock }) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
  const what = `${blocks} blocks of ${2 * txs * each} inputs and outputs: a commit takes ${msWith} ms with the index`;
  const bytes = `${rowsABlock} rows and ${kib(rowBytesABlock)} more a block, ${kib(diskBytesABlock)} on the disk`;
  return `${what}, ${msWithout} ms without (medians); ${bytes}`;
}
