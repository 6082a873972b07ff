/** How many messages all threads together run on V8. */
import { Worker } from 'node:worker_threads';
import type { ProgramName } from '../../util/built-wasm.js';
import { DEEP_STACK } from '../../util/deep-thread.js';
import { shipped } from '../../util/shipped.js';

/** Parameters of a thread of {@link poolRate}. */
export interface PoolTask {
  readonly program: ProgramName;
  readonly count: number;
}

/**
 * Messages per second of `threads` threads that share `count` messages of a program; each makes its own before the
 * clock starts.
 */
export async function poolRate(program: ProgramName, count: number, threads: number): Promise<number> {
  const share = Math.max(1, Math.ceil(count / threads));
  const used = Math.min(threads, count);
  const task: PoolTask = { program, count: share };
  const workers = Array.from(
    { length: used },
    () => new Worker(shipped('selftest/bench/pool-worker.js'), { workerData: task, resourceLimits: DEEP_STACK }),
  );
  try {
    await Promise.all(workers.map((worker) => answerOf(worker)));
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const started = performance.now();
      await Promise.all(
        workers.map((worker) => {
          const done = answerOf(worker);
          worker.postMessage('run');
          return done;
        }),
      );
      rounds.push(performance.now() - started);
    }
    rounds.sort((a, b) => a - b);
    return Math.round((share * used) / ((rounds[1] ?? 1) / 1000));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function answerOf(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}
