// Hostile trees of inner calls: frames, pages, slots and fuel at their limits, static and delegate calls, creations,
// contracts that call themselves, large return data. Milliseconds of processor time a message (one thread runs them,
// with the engine's helpers) and, beside it, by the clock; memory over that of the process before the first message;
// then the same transactions in blocks under the policy cpu. Before that, other contracts of the same kinds run in the
// same process, for it to have its own code compiled and its memory mapped, --first times each tree: their greatest
// time is told apart.
//   npm run build && node bench/call-trees.mjs [--messages 10000] [--seed 1] [--only "NAME;..."]
//     [--workers 2] [--first 12] [--json] [--lenient]
// Exits 1 if a message ends with an error of the machine's, a thread dies, or a result differs between the two; and, of
// what is measured on one thread, if a message takes over 50 ms (or its fuel at 3 ns a unit, if that is more) or memory
// is over 512 MiB. --lenient leaves these two out of the exit status.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { LaneEngine } from '../dist/execute/engine.js';
import { driveOnCpu } from '../dist/execute/tasks/drive.js';
import { transactionsOf } from '../dist/lane/columns/lane-columns.js';
import { scanColumns } from '../dist/lane/columns/scan-columns.js';
import { codeKey, SEQUENCE_KEY } from '../dist/lane/keys.js';
import { MapOverlay } from '../dist/lane/overlay.js';
import { laneTransaction } from '../dist/lane/transaction.js';
import { summarise } from '../dist/plan/plan.js';
import { ProgramRunner } from '../dist/program/runner.js';
import { Prng } from '../dist/selftest/inputs/prng.js';
import { Store } from '../dist/store/store.js';
import { StoredState } from '../dist/store/stored-state.js';
import { makeBlock } from '../dist/testing/chains/synthetic-chain.js';
import { concatBytes, u128Bytes } from '../dist/util/bytes.js';
import { onDeepThread } from '../dist/util/deep-thread.js';
import { TREES } from './attacks/call-contracts.mjs';
import { callOf, paddedCallOf } from './attacks/transactions.mjs';

if (!(await onDeepThread(import.meta.url))) process.exit();

const { values: args } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: Object.keys(TREES).join(';') },
    workers: { type: 'string', default: '2' },
    first: { type: 'string', default: '12' },
    json: { type: 'boolean', default: false },
    lenient: { type: 'boolean', default: false },
  },
});
const MOST_MS = 50;
const MOST_NANOSECONDS = 3;
const MOST_BYTES = 512 * 2 ** 20;
/** Transactions of a block, at most, and bytes after which it takes no more. */
const BLOCK = { transactions: 250, bytes: 3_500_000 };
const messages = Number(args.messages);
const wanted = args.only.split(';');
const unknown = wanted.find((name) => !Object.hasOwn(TREES, name));
if (unknown !== undefined) {
  process.stderr.write(`no tree is called ${unknown}; there are:\n${Object.keys(TREES).join('\n')}\n`);
  process.exit(2);
}

const state = new Map([[SEQUENCE_KEY, u128Bytes(1_000_000n)]]);
let next = 1;
/** Places the contracts, with `more` behind each; where each tree begins. */
const placed = (more) =>
  wanted.map((name) => {
    const { of, ...rest } = TREES[name];
    const first = next;
    for (const wasm of of(first)) {
      state.set(codeKey({ block: 2n, tx: BigInt(next++) }), concatBytes(Uint8Array.of(0), wasm, more));
    }
    return { name, first, ...rest };
  });
const trees = placed(new Uint8Array(0));
/** Contracts with a custom section: other programs. */
const others = placed(Uint8Array.of(0, 1, 0));

/** Of what a transaction did: kept in its place, so that the heap that V8 collects holds little of this bench's own. */
const digest = (outcome) => createHash('sha256').update(JSON.stringify(outcome)).digest('latin1');

/** Which tree each message begins, by their shares. */
const random = new Prng(args.seed, 'trees');
const whole = trees.reduce((sum, { share }) => sum + share, 0);
function draw() {
  let left = random.below(whole);
  for (const tree of trees) {
    if (left < tree.share) return tree;
    left -= tree.share;
  }
  throw new RangeError('the shares are less than their sum');
}

function transactionOf({ first, bytes, inputs }, i) {
  const list = inputs?.(first, i) ?? [0];
  return bytes === undefined ? callOf(first, list) : paddedCallOf(first, bytes, list);
}

const settle = () => {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  return process.memoryUsage();
};
const before = settle();

const runner = new ProgramRunner();

/** A block of these transactions, its context, and what the lane sees of them. */
function blockOf(transactions, height, previous, overlay) {
  const { raw, hash } = makeBlock(height, previous, transactions);
  const scanned = transactionsOf(scanColumns(BlockOffsets.read(raw, raw.length), overlay));
  return { raw, hash, scanned, context: { height, block: raw, laneStartHeight: 0, dependent: 'demote' } };
}

/** Runs a transaction: what it did, and milliseconds of processor time and by the clock. */
function timed(transaction, context, overlay) {
  const [started, began] = [process.cpuUsage(), performance.now()];
  const outcome = driveOnCpu(laneTransaction(transaction, context, overlay), runner);
  const [wallMs, { user, system }] = [performance.now() - began, process.cpuUsage(started)];
  overlay.apply(outcome.writes);
  return { outcome, ms: (user + system) / 1_000, wallMs };
}

/** The greatest time of a message of the other contracts. */
function runOthers() {
  const overlay = new MapOverlay({ get: (key) => state.get(key) });
  let most = 0;
  for (let round = 0; round < Number(args.first); round++) {
    for (const tree of others) {
      const { scanned, context } = blockOf([transactionOf(tree, round).bytes], 1, new Uint8Array(32), overlay);
      most = Math.max(most, timed(scanned[0], context, overlay).ms);
    }
  }
  return most;
}

const overlay = new MapOverlay({ get: (key) => state.get(key) });
const times = new Map(trees.map(({ name }) => [name, []]));
const walls = [];
const statuses = {};
const over = [];
const blocks = [];
const outcomes = [];
let peak = 0;
/** Bytes of the blocks that are kept for the second run. */
let keptBytes = 0;
let heapPeak = 0;
let failed;
let firstMs = 0;
let previous = new Uint8Array(32);
try {
  firstMs = runOthers();
  for (let at = 0; at < messages; ) {
    const drawn = [];
    const transactions = [];
    for (let left = BLOCK.bytes; left > 0 && drawn.length < Math.min(BLOCK.transactions, messages - at); ) {
      const tree = draw();
      const { bytes } = transactionOf(tree, at + drawn.length);
      left -= bytes.length;
      drawn.push(tree);
      transactions.push(bytes);
    }
    const height = blocks.length + 1;
    const { raw, hash, scanned, context } = blockOf(transactions, height, previous, overlay);
    previous = hash;
    const results = [];
    scanned.forEach((transaction, i) => {
      const { outcome, ms, wallMs } = timed(transaction, context, overlay);
      walls.push(wallMs);
      const { name } = drawn[i];
      times.get(name).push(ms);
      const [message] = outcome.messages;
      const status = message?.status ?? outcome.undone;
      statuses[status] = (statuses[status] ?? 0) + 1;
      results.push(digest(outcome.messages));
      if (ms > Math.max(MOST_MS, (message?.fuelUsed ?? 0) * MOST_NANOSECONDS * 1e-6))
        over.push({ name, ms, at: at + i });
      const { rss, heapUsed } = process.memoryUsage();
      peak = Math.max(peak, rss - keptBytes);
      heapPeak = Math.max(heapPeak, heapUsed);
    });
    at += drawn.length;
    blocks.push({ raw, height });
    keptBytes += raw.length;
    outcomes.push(results);
  }
} catch (error) {
  failed = `${error.code ?? error.name}: ${error.message} ${JSON.stringify(error.facts ?? {})}`;
}

/** The same blocks on worker threads: messages that end otherwise. */
async function underCpu() {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-trees-'));
  const store = await Store.open(join(folder, 'db'), { network: 'regtest', moduleHash: '00'.repeat(32) });
  const [header, plan] = [new Uint8Array(80), summarise(0, 0, 0, undefined)];
  const rest = { header, standardWrites: new Map(), plan };
  store.commitBlock({ height: 0, hash: new Uint8Array(32), laneWrites: state, receipts: [], ...rest });
  const rules = { laneStartHeight: 0, dependent: 'demote' };
  const engine = new LaneEngine({ policy: 'cpu', workers: Number(args.workers), ...rules });
  let differences = 0;
  try {
    for (const { raw, height } of blocks) {
      const source = { reader: new StoredState(store), storeHandle: store.handle };
      const block = BlockOffsets.read(raw, raw.length);
      const { writes: laneWrites, receipts, plan: made } = await engine.processBlock(block, height, source);
      const found = receipts.map((receipt) => digest(receipt.messages));
      differences += outcomes[height - 1].filter((made, i) => made !== found[i]).length;
      store.commitBlock({ height, hash: block.hash, laneWrites, receipts, ...rest, plan: made });
    }
    return { differences };
  } catch (error) {
    return { differences, failed: `${error.code ?? error.name}: ${error.message}` };
  } finally {
    await engine.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const after = settle();
const { kept } = runner;
const cpu = failed === undefined && Number(args.workers) > 0 ? await underCpu() : {};
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
const spread = (sorted) => ({ median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) });
const rows = [...times].map(([name, list]) => {
  const sorted = [...list].sort((a, b) => a - b);
  return { name, messages: list.length, ...spread(sorted) };
});
const all = [...times.values()].flat().sort((a, b) => a - b);
const total = spread(all);
const wall = spread(walls.sort((a, b) => a - b));
const memory = { peakOverIdle: peak - before.rss, afterOverIdle: after.rss - before.rss - keptBytes, heapPeak };
const report = { messages: all.length, ...total, wall, firstMs, over, statuses, memory, kept, failed, cpu, rows };
if (args.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const line = ({ median, p99, max }) => `median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)}, max ${max.toFixed(2)}`;
  for (const row of rows)
    process.stdout.write(`${row.name.padEnd(52)} ${String(row.messages).padStart(6)}  ${line(row)}\n`);
  process.stdout.write(
    `all ${all.length}: ${line(total)}; ${over.length} over the bound; ${JSON.stringify(statuses)}\n`,
  );
  process.stdout.write(`by the clock of a machine that may be busy: ${line(wall)}\n`);
  for (const { name, ms, at } of over) process.stdout.write(`over: message ${at}, ${name}: ${ms.toFixed(1)} ms\n`);
  process.stdout.write(`first messages of the process, of other contracts: at most ${firstMs.toFixed(1)} ms\n`);
  const [most, later] = [memory.peakOverIdle, memory.afterOverIdle].map(mib);
  process.stdout.write(
    `memory over the idle process: at most ${most}, ${later} at the end; heap at most ${mib(heapPeak)}\n`,
  );
  process.stdout.write(`kept: ${JSON.stringify(kept)}\n`);
  process.stdout.write(`under cpu: ${JSON.stringify(cpu)}${failed === undefined ? '' : `; failed: ${failed}`}\n`);
}
const slow = !args.lenient && (over.length > 0 || memory.peakOverIdle > MOST_BYTES);
process.exitCode = failed !== undefined || cpu.failed !== undefined || cpu.differences > 0 || slow ? 1 : 0;
