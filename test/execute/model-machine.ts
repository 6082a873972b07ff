import type { BlockMode } from '../../src/execute/choose/block-mode.js';
import { BlockModes } from '../../src/execute/choose/block-modes.js';
import type { BlockView } from '../../src/execute/choose/block-view.js';
import { decide } from '../../src/execute/choose/decision.js';
import { PoolWarmth } from '../../src/execute/choose/pool-warmth.js';
import { KindSight } from '../../src/execute/choose/sequential-watch.js';
import type { RehearsalLength } from '../../src/execute/threads/rehearsal.js';
import type { SimRandom } from '../../src/testing/sim/random.js';

/** How calls of a program behave; times in microseconds. */
export interface ModelCalls {
  /** One call, when they run one after the other. */
  readonly us: number;
  /** Shares, and how many of the stale ones may run at once. */
  readonly stale: number;
  readonly steady: number;
  readonly width: number;
  /** A transaction's share of the engine's thread in parallel. */
  readonly row: number;
}

export interface ModelOptions {
  readonly threads: number;
  readonly programs: Readonly<Record<string, ModelCalls>>;
  /** What threads that work at once take longer than one alone. */
  readonly crowded: number;
  /** The same of the engine's thread while others rehearse. */
  readonly rehearsing: number;
  /** Milliseconds of a block in parallel beside its transactions. */
  readonly fixed: number;
  /** Milliseconds that a thread of the pool loses until its code is compiled; a third is left after so many runs. */
  readonly coldMs: number;
  readonly coldRuns: number;
  /** The same of the engine's thread in blocks that run in parallel, by transactions. */
  readonly engineColdMs: number;
  readonly engineColdRows: number;
  /** Milliseconds from the wish for threads until they are there. */
  readonly startMs: number;
  /** Times as long as the block itself passes between two blocks. */
  readonly pause: number;
  /** If given, times are not exactly what they should be. */
  readonly random?: SimRandom;
}

/** What a block took, in ms, and would have taken: with threads that have compiled all of their code. */
export interface ModelBlock {
  readonly mode: BlockMode;
  readonly took: number;
  readonly sequential: number;
  readonly workers: number;
}

/** A machine with threads that are slow at first, and `auto` on it, as the engine asks it. */
export class ModelMachine {
  readonly modes: BlockModes;
  readonly blocks: ModelBlock[] = [];
  readonly #options: ModelOptions;
  readonly #warmth: PoolWarmth;
  /** Milliseconds that have passed. */
  now = 0;
  #threadsAt: number | undefined;
  /** Runs of each thread so far. */
  #runs = 0;
  #rowsInParallel = 0;
  /** Milliseconds of all threads together that are left of it. */
  #rehearsal: { left: number; all: number; runs: number; isStopped: boolean } | undefined;

  constructor(options: ModelOptions) {
    const { threads } = options;
    this.#options = options;
    this.modes = new BlockModes({ threads, predictReads: true });
    this.#warmth = new PoolWarmth(threads, () => this.now);
  }

  /** What a block takes that runs on the threads however little they have compiled. */
  runForced(rows: Readonly<Record<string, number>>): number {
    const view = viewOf(rows);
    const { workers, runs } = this.#costs(view);
    return workers + this.#coldOf(runs) + this.#engineCold(view);
  }

  run(rows: Readonly<Record<string, number>>): ModelBlock {
    const { pause, rehearsing, threads } = this.#options;
    const view = viewOf(rows);
    const pool = this.modes.wantsWorkers ? this.#pool() : undefined;
    const { mode, rehearsal, isDisturbed } = decide(view, this.modes, pool, this.#warmth);
    const { sequential, workers, runs, seen } = this.#costs(view);
    if (mode !== 'sequential') this.#stopRehearsal();
    const cold = mode === 'sequential' ? 0 : this.#coldOf(runs) + this.#engineCold(view);
    if (rehearsal !== undefined) this.#rehearse(view, rehearsal);
    const exact = mode === 'sequential' ? sequential * (isDisturbed ? rehearsing : 1) : workers + cold;
    const took = exact * this.#noise();
    this.#pass(took, threads >> 2);
    this.modes.took(view, mode, took, mode === 'sequential' ? seen(took / sequential) : undefined, isDisturbed);
    if (this.modes.wantsWorkers) this.#pool();
    this.#pass(pause * took, threads);
    const block = { mode, took, sequential, workers };
    this.blocks.push(block);
    return block;
  }

  /** Started when it is first asked for. */
  #pool(): { readonly isReady: boolean } {
    this.#threadsAt ??= this.now + this.#options.startMs;
    return { isReady: this.now >= this.#threadsAt };
  }

  #costs({ parts }: BlockView) {
    const { programs, threads, crowded, fixed } = this.#options;
    let [sequential, workers, runs] = [0, fixed, 0];
    for (const [name, rows] of parts) {
      const { us, stale, steady, width, row } = programs[name];
      sequential += (rows * us) / 1_000;
      const again = (steady * us * crowded) / threads + (stale * us) / Math.max(1, Math.min(width, threads / crowded));
      workers += (rows * (row + (us * crowded) / threads + again)) / 1_000;
      runs += (rows * (1 + steady + stale)) / threads;
    }
    const seen = (longer: number): Map<string, KindSight> =>
      new Map(
        [...parts].map(([name, rows]) => {
          const { us, stale, steady, width } = programs[name];
          const staleRows = Math.round(stale * rows);
          const depth = staleRows === 0 ? 0 : Math.ceil(staleRows / width) + 1;
          const timedMs = (rows * us * longer) / 1_000;
          const found = { rows, timed: rows, timedMs, stale: staleRows, steady: Math.round(steady * rows), depth };
          return [name, Object.assign(new KindSight(), found)];
        }),
      );
    return { sequential, workers, runs, seen };
  }

  /** Milliseconds that each thread loses in its next `runs` runs. */
  #coldOf(runs: number): number {
    const { coldMs, coldRuns } = this.#options;
    const before = this.#runs;
    this.#runs += runs;
    return coldMs * (Math.exp(-before / coldRuns) - Math.exp(-this.#runs / coldRuns));
  }

  #engineCold({ count }: BlockView): number {
    const { engineColdMs, engineColdRows } = this.#options;
    const before = this.#rowsInParallel;
    this.#rowsInParallel += count;
    return engineColdMs * (Math.exp(-before / engineColdRows) - Math.exp(-this.#rowsInParallel / engineColdRows));
  }

  #rehearse(view: BlockView, length: RehearsalLength): void {
    const { programs, threads, coldMs, coldRuns, crowded } = this.#options;
    let us = 0;
    for (const [name, rows] of view.parts) us += (programs[name].us * crowded * rows) / view.count;
    const ms = Math.min(length.ms, (2 * length.rows * us) / 1_000 + coldMs * Math.exp(-this.#runs / coldRuns));
    const rehearsal = { left: ms * threads, all: ms * threads, runs: 2 * length.rows, isStopped: false };
    this.#rehearsal = rehearsal;
    const usNow = (): number => us + (1_000 * coldMs * Math.exp(-(this.#runs + this.#rehearsed) / coldRuns)) / coldRuns;
    this.#warmth.began(view, {
      get ended() {
        return rehearsal.left <= 0 ? threads : 0;
      },
      get isStopped() {
        return rehearsal.isStopped;
      },
      get slowestUs() {
        return rehearsal.left < 0.9 * rehearsal.all ? usNow() : undefined;
      },
    });
  }

  /** Runs of each thread in the rehearsal under way, about. */
  get #rehearsed(): number {
    return this.#rehearsal === undefined ? 0 : this.#rehearsal.runs * (1 - this.#rehearsal.left / this.#rehearsal.all);
  }

  #stopRehearsal(): void {
    if (this.#rehearsal === undefined) return;
    this.#runs += this.#rehearsed;
    this.#rehearsal.isStopped = true;
    this.#rehearsal = undefined;
  }

  /** Time passes in which so many threads may rehearse. */
  #pass(ms: number, threads: number): void {
    this.now += ms;
    const rehearsal = this.#rehearsal;
    if (rehearsal === undefined || rehearsal.isStopped) return;
    rehearsal.left -= ms * threads;
    if (rehearsal.left > 0) return;
    this.#runs += rehearsal.runs;
    this.#rehearsal = undefined;
  }

  /** Mostly some per cent, sometimes much more. */
  #noise(): number {
    const { random } = this.#options;
    if (random === undefined) return 1;
    return random.chance(30) ? 2 : 1 + random.below(100) / 1_000;
  }
}

function viewOf(rows: Readonly<Record<string, number>>): BlockView {
  const count = Object.values(rows).reduce((sum, one) => sum + one, 0);
  return { count, parts: new Map(Object.entries(rows)) };
}
