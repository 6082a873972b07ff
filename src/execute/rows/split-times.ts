/** What threads and kernel took for the calls that they divided in a block: from that, later blocks are divided. */
import type { CallDivider, SideTally } from '../choose/balance.js';
import type { Segment } from './route.js';

interface Tally {
  calls: number;
  ms: number;
}

/** A part of the kernel's calls that came back together. */
interface KernelRun {
  readonly calls: ReadonlyMap<string, number>;
  readonly ms: number;
}

export class SplitTimes {
  readonly #pool = new Map<string, Tally>();
  readonly #runs: KernelRun[] = [];
  #finishCalls = 0;
  #finishMs = 0;

  /** `divided`: calls by hash of the programs in question; `hashOf`: the program that a node calls. */
  constructor(
    readonly balance: CallDivider,
    readonly divided: ReadonlyMap<string, number>,
    readonly hashOf: (node: number) => string | undefined,
  ) {}

  /** The pool took `ms` for `calls` of program `hash`, others left out. */
  ranOnPool(hash: string, calls: number, ms: number): void {
    if (!this.divided.has(hash)) return;
    const tally = this.#pool.get(hash) ?? { calls: 0, ms: 0 };
    this.#pool.set(hash, tally);
    tally.calls += calls;
    tally.ms += ms;
  }

  /** The kernel took `ms` for its calls of `segment`, from the first one that was written until all had come back. */
  ranInKernel({ colours }: Segment, ms: number): void {
    const calls = new Map<string, number>();
    for (const node of colours.flatMap(({ gpu }) => gpu)) {
      const hash = this.hashOf(node);
      if (hash !== undefined) calls.set(hash, (calls.get(hash) ?? 0) + 1);
    }
    this.#runs.push({ calls, ms });
  }

  /** Going through `calls` results of the kernel took `ms`. */
  finished(calls: number, ms: number): void {
    this.#finishCalls += calls;
    this.#finishMs += ms;
  }

  /** The block has run. */
  learn(): void {
    const kernel = this.#kernelTallies();
    const finishMs = this.#finishCalls === 0 ? 0 : this.#finishMs / this.#finishCalls;
    for (const [hash, calls] of this.divided) {
      const [pool, own] = [this.#pool.get(hash) ?? NOTHING, kernel.get(hash) ?? NOTHING];
      if (pool.calls === 0 && own.calls === 0) continue;
      const finish = { calls: own.calls, ms: own.calls * finishMs };
      this.balance.learn(hash, calls, { pool, kernel: own, finish });
    }
  }

  /** Divides the time of each run among its programs, in proportion to what their calls take on threads. */
  #kernelTallies(): Map<string, Tally> {
    const tallies = new Map<string, Tally>();
    const costs = [...this.#pool.values()].filter(({ calls }) => calls > 0).map(({ calls, ms }) => ms / calls);
    const usual = costs.length === 0 ? 1 : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    const costOf = (hash: string): number => {
      const { calls, ms } = this.#pool.get(hash) ?? NOTHING;
      return calls === 0 || ms === 0 ? usual : ms / calls;
    };
    for (const { calls, ms } of this.#runs) {
      let total = 0;
      for (const [hash, count] of calls) total += count * costOf(hash);
      for (const [hash, count] of calls) {
        const tally = tallies.get(hash) ?? { calls: 0, ms: 0 };
        tallies.set(hash, tally);
        tally.calls += count;
        tally.ms += (ms * count * costOf(hash)) / total;
      }
    }
    return tallies;
  }
}

const NOTHING: SideTally = { calls: 0, ms: 0 };
