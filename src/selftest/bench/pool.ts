/** How many messages all threads together run on V8. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ProgramName } from '../../util/built-wasm.js';
import { DEEP_STACK } from '../../util/deep-thread.js';
import { shipped } from '../../util/shipped.js';

/** Parameters of a thread of {@link Pool}. */
export interface PoolTask {
  readonly program: ProgramName;
  readonly count: number;
}

/** Threads that share `count` messages of a program; each makes its own before the clock starts. */
export class Pool {
  readonly #workers: readonly Worker[];

  private constructor(
    workers: readonly Worker[],
    /** What part of `count` one round runs: more than all of it where it cannot be divided evenly. */
    readonly share: number,
  ) {
    this.#workers = workers;
  }

  static async start(program: ProgramName, count: number, threads: number): Promise<Pool> {
    const used = Math.min(threads, count);
    const each = Math.max(1, Math.ceil(count / used));
    const task: PoolTask = { program, count: each };
    const workers = Array.from(
      { length: used },
      () => new Worker(shipped('selftest/bench/pool-worker.js'), { workerData: task, resourceLimits: DEEP_STACK }),
    );
    const pool = new Pool(workers, (each * used) / count);
    try {
      await Promise.all(workers.map((worker) => answerOf(worker)));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** All threads run their messages once. */
  async run(): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => {
        const done = answerOf(worker);
        worker.postMessage('run');
        return done;
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Messages per second of `threads` threads that share `count` messages of a program. */
export async function poolRate(program: ProgramName, count: number, threads: number): Promise<number> {
  const pool = await Pool.start(program, count, threads);
  try {
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const started = performance.now();
      await pool.run();
      rounds.push(performance.now() - started);
    }
    rounds.sort((a, b) => a - b);
    return Math.round((count * pool.share) / ((rounds[1] ?? 1) / 1000));
  } finally {
    await pool.close();
  }
}

/** Rejects if the thread throws. */
async function answerOf(worker: Worker): Promise<void> {
  await once(worker, 'message');
}
