/**
 * What running messages costs here, learned from what was run: medians of microseconds of wall time.
 * Decides for `auto` whether a colour's calls of one program go to the kernel, and whether they are recorded for it;
 * never what they mean.
 */
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import { ProgramTable } from './program-table.js';
import { Recent } from './recent.js';

/** First guesses of what only the kernel's runs tell, and what a batch costs on the pool before it does anything. */
const GUESS = { gpuCall: 1, dispatch: 25, launch: 1_000, batch: 100 } as const;
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

/** Programs whose costs are kept. */
export const MOST_KERNEL_PROGRAMS = 256;

class ProgramCosts {
  /** A call on the engine's own thread. */
  readonly alone = new Recent();
  /** A call's share of a batch's time on the pool. */
  readonly pooled = new Recent();
  /** A call in the kernel, packing and finishing included. */
  readonly kernel = new Recent();
  /** Share of the calls that could not be reused. */
  readonly eligible = new Recent();
  /** In how many colours of a block they lay, and how many in each. */
  readonly colours = new Recent();
  readonly width = new Recent();
  /** No kernel takes it. */
  refused = false;

  get gpu(): number {
    return this.kernel.median ?? GUESS.gpuCall;
  }
}

/** The medians of one program, as they survive a restart. */
export type KernelFigures = Readonly<Record<(typeof KERNEL_FIGURES)[number], number | null>>;
export const KERNEL_FIGURES = ['alone', 'pooled', 'kernel', 'eligible', 'colours', 'width'] as const;

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
  readonly #programs = new ProgramTable(MOST_KERNEL_PROGRAMS, () => new ProgramCosts());
  readonly #launch = new Recent(GUESS.launch);

  /** `count` messages of program `hash` took `ms` of the engine's thread. */
  ranAlone(hash: string, count: number, ms: number): void {
    const costs = this.#programs.of(hash, ms);
    if (count > 0) costs.alone.add((ms * 1000) / count);
  }

  /** Batches of `count` messages of program `hash` took `ms` on the pool. */
  ranOnPool(hash: string, count: number, ms: number): void {
    const costs = this.#programs.of(hash, ms);
    if (count > 0) costs.pooled.add(Math.max(0, ms * 1000 - GUESS.batch) / count);
  }

  ranOnGpu({ calls, segments, dispatches, ms }: KernelRuns): void {
    const us = ms * 1000 - dispatches * GUESS.dispatch;
    let expected = 0;
    for (const [hash, count] of calls) expected += count * this.#programs.of(hash, 0).gpu;
    const launches = segments * this.launch;
    // Few messages tell what a launch costs, many what each costs.
    if (expected > launches) {
      const change = Math.min(MOST_CHANGE, Math.max(1 / MOST_CHANGE, (us - launches) / expected));
      for (const [hash, count] of calls) {
        const costs = this.#programs.of(hash, (count * this.#programs.of(hash, 0).gpu) / 1000);
        costs.kernel.add(Math.max(LEAST_GPU_CALL, costs.gpu * change));
      }
    } else this.#launch.add(Math.max(LEAST_LAUNCH, (us - expected) / segments));
    for (const hash of calls.keys()) {
      const costs = this.#programs.of(hash, 0);
      costs.alone.scale(FADING);
      costs.pooled.scale(FADING);
    }
  }

  /** No kernel takes program `hash`: its calls need no records. */
  noKernel(hash: string): void {
    this.#programs.of(hash, 0).refused = true;
  }

  /** Of `calls` calls of program `hash` in a block, `eligible` could not be reused; they lay in `colours` colours. */
  sawBlock(hash: string, calls: number, eligible: number, colours: number): void {
    const costs = this.#programs.of(hash, 0);
    if (calls > 0) costs.eligible.add(eligible / calls);
    if (colours === 0) return;
    costs.colours.add(colours);
    costs.width.add(eligible / colours);
  }

  /** What is worth remembering of the programs; those that take most of the time come first. */
  figures(): { readonly name: string; readonly ms: number; readonly figures: KernelFigures }[] {
    return this.#programs.list().map(({ name, ms, value }) => {
      const entries = KERNEL_FIGURES.map((figure) => [figure, value[figure].median ?? null] as const);
      return { name, ms, figures: Object.fromEntries(entries) as KernelFigures };
    });
  }

  /** Takes what {@link figures} and {@link launch} gave: only for one that has measured nothing yet. */
  restore(name: string, ms: number, figures: KernelFigures): void {
    const costs = this.#programs.of(name, ms);
    for (const figure of KERNEL_FIGURES) {
      const value = figures[figure];
      if (value !== null) costs[figure].add(value);
    }
  }

  restoreLaunch(us: number): void {
    this.#launch.add(us);
  }

  /** Whether only a first guess is known of what waking the device takes. */
  get guessesLaunch(): boolean {
    return this.#launch.count <= 1;
  }

  /** A batch of next to nothing took `us`: better than a guess, but blocks tell better. */
  calibrated(us: number): void {
    if (this.guessesLaunch) this.#launch.add(Math.max(LEAST_LAUNCH, us));
  }

  /**
   * Microseconds saved by running a colour's `count` messages of program `hash` in the kernel, launch not counted. Not
   * above 0 for a program that the CPU has not run yet: the CPU runs it first, and tells. `threads`: of the pool, 0 if
   * there is none.
   */
  saving(hash: string, count: number, threads: number): number {
    if (this.#programs.get(hash) === undefined) return 0;
    const { threads: cpu = 0, kernel } = this.estimate(hash, count, threads);
    return cpu * MARGIN - kernel;
  }

  /**
   * Microseconds that a colour's `count` messages of program `hash` take on threads (undefined if nobody has run the
   * program), and in the kernel, launch not counted.
   */
  estimate(hash: string, count: number, threads: number): { readonly threads?: number; readonly kernel: number } {
    const costs = this.#programs.get(hash);
    const kernel = GUESS.dispatch + count * (costs?.gpu ?? GUESS.gpuCall);
    const [alone, pooled] = [costs?.alone.median, costs?.pooled.median];
    const onPool = threads > 0 && count >= FEWEST_FOR_WORKERS;
    // What was measured the other way only is taken for less than it may be: then it is measured.
    const call = onPool ? (pooled ?? (alone === undefined ? undefined : alone / threads)) : (alone ?? pooled);
    if (call === undefined) return { kernel };
    return { threads: call * count + (onPool ? GUESS.batch : 0), kernel };
  }

  /**
   * Programs whose calls may be worth the kernel in a block of `count` transactions: if all of it were calls of one of
   * them, with as many eligible ones and colours as in the blocks before, that would pay for waking the device. Other
   * calls need no records.
   */
  worthRecording(count: number, threads: number): string[] {
    const worth: string[] = [];
    for (const { name: hash, value } of this.#programs.list()) {
      const calls = Math.ceil(count * (value.eligible.median ?? 1));
      if (calls === 0 || value.refused) continue;
      // A larger block has more colours, or wider ones.
      const wide = Math.max(1, Math.round(calls / (value.colours.median ?? 1)));
      const narrow = Math.min(calls, Math.max(1, Math.round(value.width.median ?? calls)));
      const most = Math.max(...[wide, narrow].map((own) => (this.saving(hash, own, threads) * calls) / own));
      if (most >= this.launch) worth.push(hash);
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
    return this.#launch.median ?? GUESS.launch;
  }
}
