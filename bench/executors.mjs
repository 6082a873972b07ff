// Messages per second of the executors: the runner alone, the sequential executor, the dry run, the pool of workers.
//   npm run build && node bench/executors.mjs [--count 20000] [--rounds 7] [--workers 2] [--only mint,claim] [--json]
// All figures of a round come one after the other, so that ratios hold on a machine that is busy with something else;
// `cpu` is the processor time of the whole process, which such a machine does not stretch as much.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { LaneEngine } from '../dist/execute/engine.js';
import { runSequential } from '../dist/execute/sequential.js';
import { BlockTasks } from '../dist/execute/tasks/block-tasks.js';
import { CachingReader } from '../dist/execute/tasks/caching-reader.js';
import { WorkerPool } from '../dist/execute/threads/worker-pool.js';
import { scanBlock } from '../dist/lane/scan.js';
import { laneTransaction } from '../dist/lane/transaction.js';
import { ProgramRunner } from '../dist/program/runner.js';
import { WORKLOAD_NAMES } from '../dist/selftest/bench/block-messages.js';
import { makeWorkload } from '../dist/selftest/bench/block-workloads.js';
import { onDeepThread } from '../dist/util/deep-thread.js';

if (!(await onDeepThread(import.meta.url))) process.exit();

const { values: args } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '7' },
    workers: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    only: { type: 'string', default: WORKLOAD_NAMES.join(',') },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(args.count);
const rounds = Number(args.rounds);
const workers = Number(args.workers);
const HEIGHT = 100;

const rows = [];
for (const name of args.only.split(',')) rows.push(...(await measure(makeWorkload(name, count))));
process.stdout.write(args.json ? `${JSON.stringify({ count, rounds, workers, rows })}\n` : `${table(rows)}\n`);

async function measure({ name, block, state }) {
  const reader = () => new CachingReader({ get: (key) => state.get(key) });
  const context = { height: HEIGHT, block: block.raw, laneStartHeight: 0, dependent: 'demote' };
  const runner = new ProgramRunner();
  const transactions = scanBlock(block, reader());
  const calls = recordCalls(transactions, context, reader(), runner);
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const pool = workers > 0 ? new WorkerPool(workers) : undefined;
  pool?.begin({ kind: 'block', context, storeHandle: undefined, snapshot: state, recording: undefined });
  const ways = {
    'runner alone': () => {
      for (const { program, host } of calls) runner.run(program, host);
    },
    scan: () => scanBlock(block, reader()),
    sequential: () => runSequential(transactions, context, reader(), runner),
    'sequential block': () => engine.processBlock(block, HEIGHT, { reader: reader() }),
    'dry run': () => {
      const tasks = new BlockTasks(context, reader(), runner, undefined);
      tasks.dryRunAll(transactions);
    },
    ...(pool && { [`dry run, ${workers} workers`]: () => pool.dryRun(transactions) }),
  };
  const samples = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const before = process.cpuUsage();
      const started = performance.now();
      await run();
      const wall = ((performance.now() - started) * 1000) / count;
      const { user, system } = process.cpuUsage(before);
      // The first round compiles.
      if (round >= 0) samples[way].push({ wall, cpu: (user + system) / count });
    }
  }
  await pool?.close();
  await engine.close();
  return Object.entries(samples).map(([way, all]) => {
    const [wall, cpu] = ['wall', 'cpu'].map((kind) => all.map((sample) => sample[kind]).sort((a, b) => a - b));
    const figure = (value) => Number(value.toFixed(2));
    return {
      workload: name,
      way,
      microseconds: figure(median(wall)),
      least: figure(wall[0]),
      most: figure(wall[wall.length - 1]),
      cpu: figure(median(cpu)),
      perSecond: Math.round(1e6 / median(wall)),
    };
  });
}

/** The runs that the block asks for, with hosts that have the block's state. */
function recordCalls(transactions, context, state, runner) {
  const calls = [];
  for (const transaction of transactions) {
    const run = laneTransaction(transaction, context, state);
    for (let step = run.next(); !step.done; ) {
      const { program, host } = step.value;
      calls.push({ program, host: host(false) });
      step = run.next(runner.run(program, host(false)));
    }
  }
  return calls;
}

/** Of ascending values. */
function median(sorted) {
  return sorted[sorted.length >> 1];
}

function table(all) {
  const columns = Object.keys(all[0]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...all.map((row) => line(Object.values(row)))].join('\n');
}
