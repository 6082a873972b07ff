/**
 * `npm run sim -- --seeds N [--from S] [--jobs J]`, `npm run sim -- --seed S`: the follower under random faults, in J
 * threads (as many as there are cores). Prints sums; ends with status 1 and the seed at the first failure.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { DEEP_STACK } from '../../util/deep-thread.js';
import { addSummary, emptySummary, runSeeds, type SimSummary } from './run.js';

/** Seeds that a thread is given at once: whole worlds. */
const PORTION = 200;
const MOST_SEEDS = 100_000_000;

type Answer = { readonly summary: SimSummary } | { readonly failure: string };

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= MOST_SEEDS) return value;
  process.stderr.write(`--${name} wants a whole number of at least ${least}\n`);
  process.exit(2);
}

async function runHere(from: number, count: number): Promise<Answer> {
  try {
    return { summary: await runSeeds(from, count) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** One thread that takes portions until none is left. */
function worker(next: () => number | undefined, done: (answer: Answer) => void, end: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(fileURLToPath(import.meta.url), { resourceLimits: DEEP_STACK });
    const give = (): void => {
      const from = next();
      if (from === undefined) void thread.terminate().then(() => resolve());
      else thread.postMessage({ from, count: Math.min(PORTION, end - from) });
    };
    thread.on('message', (answer: Answer) => {
      done(answer);
      give();
    });
    thread.once('error', reject);
    give();
  });
}

async function main(): Promise<number> {
  const only = values.seed === undefined ? undefined : whole('seed', values.seed, 0);
  const from = only ?? whole('from', values.from, 0);
  const count = only === undefined ? whole('seeds', values.seeds, 1) : 1;
  const jobs = Math.min(whole('jobs', values.jobs, 1), Math.ceil(count / PORTION));
  const started = performance.now();
  const sum = emptySummary();
  let failure: string | undefined;
  const take = (answer: Answer): void => {
    if ('failure' in answer) failure ??= answer.failure;
    else addSummary(sum, answer.summary);
  };
  let at = from;
  const next = (): number | undefined => {
    if (failure !== undefined || at >= from + count) return undefined;
    at += PORTION;
    return at - PORTION;
  };
  await Promise.all(Array.from({ length: jobs }, () => worker(next, take, from + count)));
  const seconds = (performance.now() - started) / 1_000;
  if (failure !== undefined) {
    process.stderr.write(`${failure}\n`);
    return 1;
  }
  const ends = Object.entries(sum.ends).map(([end, times]) => `${end} ${times}`);
  process.stdout.write(
    `${sum.seeds} seeds, 0 failures, ${seconds.toFixed(1)} s in ${jobs} threads (${(sum.seeds / seconds).toFixed(1)} seeds/s)\n` +
      `${sum.lives} lives, ${sum.indexed} blocks indexed, ${sum.undone} undone, ${sum.reorgs} reorgs up to ${sum.deepest} deep, ` +
      `${sum.retries} retries, ${sum.badBlocks} bad blocks\n` +
      `ends: ${ends.join(', ')}\n`,
  );
  return 0;
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  parentPort?.on('message', async ({ from, count }: { from: number; count: number }) => {
    parentPort?.postMessage(await runHere(from, count));
  });
}
