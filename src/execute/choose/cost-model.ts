/**
 * What running messages costs here, learned from what was run: exponential averages of microseconds of wall time.
 * Decides for `auto` whether a colour's calls of one program go to the kernel, and whether they are recorded for it;
 * never what they mean.
 */
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';

/** First guesses of what only the kernel's runs tell, and what a batch costs on the pool before it does anything. */
const GUESS = { gpuCall: 1, dispatch: 25, launch: 1_000, batch: 100 } as const;
/** Weight of the newest measurement. */
const WEIGHT = 0.2;
/** The kernel must promise to be this much cheaper before a batch goes there. */
const MARGIN = 0.8;
/**
 * What the CPU is thought to cost shrinks by this whenever the kernel did its work, so that it is tried again some day.
 */
const FADING = 0.98;
/** One measurement of the kernel changes what a call costs there by this factor at most. */
const MOST_CHANGE = 4;
const LEAST_GPU_CALL = 0.05;
const LEAST_LAUNCH = 50;

interface ProgramCosts {
  /** A call on the engine's own thread; undefined: none was measured. */
  alone?: number;
  /** A call's share of a batch's time on the pool. */
  pooled?: number;
  /** A call in the kernel, packing and finishing included. */
  gpu: number;
  /** Share of the calls that could not be reused. */
  eligible?: number;
  /** No kernel takes it. */
  refused?: boolean;
  /** In how many colours of a block they lay, and how many in each. */
  colours?: number;
  width?: number;
}

/** What the kernel did of a block. */
export interface KernelRuns {
  /** Calls by program hash. */
  readonly calls: ReadonlyMap<string, number>;
  readonly segments: number;
  readonly dispatches: number;
  /** From packing to the last finished transaction, less what the CPU did meanwhile. */
  readonly ms: number;
}

export class CostModel {
  readonly #programs = new Map<string, ProgramCosts>();
  #launch: number = GUESS.launch;

  /** `count` messages of program `hash` took `ms` of the engine's thread. */
  ranAlone(hash: string, count: number, ms: number): void {
    const costs = this.#of(hash);
    if (count > 0) costs.alone = average(costs.alone, (ms * 1000) / count);
  }

  /** Batches of `count` messages of program `hash` took `ms` on the pool. */
  ranOnPool(hash: string, count: number, ms: number): void {
    const costs = this.#of(hash);
    if (count > 0) costs.pooled = average(costs.pooled, Math.max(0, ms * 1000 - GUESS.batch) / count);
  }

  ranOnGpu({ calls, segments, dispatches, ms }: KernelRuns): void {
    const us = ms * 1000 - dispatches * GUESS.dispatch;
    let expected = 0;
    for (const [hash, count] of calls) expected += count * this.#of(hash).gpu;
    const launches = segments * this.#launch;
    // Few messages tell what a launch costs, many what each costs.
    if (expected > launches) {
      const change = Math.min(MOST_CHANGE, Math.max(1 / MOST_CHANGE, (us - launches) / expected));
      for (const hash of calls.keys()) {
        const costs = this.#of(hash);
        costs.gpu = Math.max(LEAST_GPU_CALL, average(costs.gpu, costs.gpu * change));
      }
    } else {
      this.#launch = average(this.#launch, Math.max(LEAST_LAUNCH, (us - expected) / segments));
    }
    for (const hash of calls.keys()) {
      const costs = this.#of(hash);
      if (costs.alone !== undefined) costs.alone *= FADING;
      if (costs.pooled !== undefined) costs.pooled *= FADING;
    }
  }

  /** No kernel takes program `hash`: its calls need no records. */
  noKernel(hash: string): void {
    this.#of(hash).refused = true;
  }

  /** Of `calls` calls of program `hash` in a block, `eligible` could not be reused; they lay in `colours` colours. */
  sawBlock(hash: string, calls: number, eligible: number, colours: number): void {
    const costs = this.#of(hash);
    if (calls > 0) costs.eligible = average(costs.eligible, eligible / calls);
    if (colours === 0) return;
    costs.colours = average(costs.colours, colours);
    costs.width = average(costs.width, eligible / colours);
  }

  /**
   * Microseconds saved by running a colour's `count` messages of program `hash` in the kernel, launch not counted. Not
   * above 0 for a program that the CPU has not run yet: the CPU runs it first, and tells. `threads`: of the pool, 0 if
   * there is none.
   */
  saving(hash: string, count: number, threads: number): number {
    const costs = this.#programs.get(hash);
    if (costs === undefined) return 0;
    const { alone, pooled } = costs;
    const onPool = threads > 0 && count >= FEWEST_FOR_WORKERS;
    // What was measured the other way only is taken for less than it may be: then it is measured.
    const call = onPool ? (pooled ?? (alone ?? 0) / threads) : (alone ?? pooled ?? 0);
    const cpu = call * count + (onPool ? GUESS.batch : 0);
    return cpu * MARGIN - GUESS.dispatch - count * costs.gpu;
  }

  /**
   * Programs whose calls may be worth the kernel in a block of `count` transactions: if all of it were calls of one of
   * them, with as many eligible ones and colours as in the blocks before, that would pay for waking the device. Other
   * calls need no records.
   */
  worthRecording(count: number, threads: number): string[] {
    const worth: string[] = [];
    for (const [hash, { eligible, colours, width, refused }] of this.#programs) {
      const calls = Math.ceil(count * (eligible ?? 1));
      if (calls === 0 || refused) continue;
      // A larger block has more colours, or wider ones.
      const wide = Math.max(1, Math.round(calls / (colours ?? 1)));
      const narrow = Math.min(calls, Math.max(1, Math.round(width ?? calls)));
      const most = Math.max(...[wide, narrow].map((own) => (this.saving(hash, own, threads) * calls) / own));
      if (most >= this.#launch) worth.push(hash);
    }
    return worth;
  }

  /** Microseconds of a call in the kernel; undefined: no kernel takes the program. */
  callOf(hash: string): number | undefined {
    const costs = this.#programs.get(hash);
    return costs?.refused ? undefined : (costs?.gpu ?? GUESS.gpuCall);
  }

  /** Microseconds that a segment costs before it does anything. */
  get launch(): number {
    return this.#launch;
  }

  #of(hash: string): ProgramCosts {
    let costs = this.#programs.get(hash);
    if (costs === undefined) {
      costs = { gpu: GUESS.gpuCall };
      this.#programs.set(hash, costs);
    }
    return costs;
  }
}

function average(before: number | undefined, now: number): number {
  return before === undefined ? now : before + WEIGHT * (now - before);
}
