/**
 * How much the kernel is given, by how soon it answers: the calls of a block that it gets at most, and whether small
 * blocks at the tip go to it. Decides about speed alone.
 */

/** Calls of a part of a block that the kernel gets; a part has no more transactions than the most. */
export const LEAST_BATCH = 256;
export const MOST_BATCH = 16_384;
/** Milliseconds of a use beyond which the next ones get fewer calls; below half of it they get more. */
export const HIGH_WATER_MS = 1_000;
const SHRINK = 0.8;
const GROW = 1.2;
/** Uses whose times are kept. */
const RECENT = 100;
const PERCENTILE = 0.99;
/** Blocks with fewer lane transactions are small. */
export const SMALL_BLOCK = 512;
/** After so many blocks that were kept from it, the kernel is taken to be as fast as ever. */
export const HELD_BLOCKS = 32;

export interface KernelLoadOptions {
  /** Milliseconds that a use may take at the tip; no bound if not given. */
  readonly latencyBound?: number;
  /** Hears of the calls that the kernel was given and has not answered, whenever that changes. */
  readonly onKernelQueue?: (calls: number) => void;
}

export interface KernelLoadFigures {
  /** Calls of a block that the kernel gets at most under `auto` and `balance`. */
  readonly batchLimit: number;
  /** Milliseconds in which 99 of 100 of its last uses were done; undefined: there was none. */
  readonly p99Ms: number | undefined;
  /** Small blocks at the tip that ran without it, because that was over the bound. */
  readonly heldBack: number;
}

export class KernelLoad {
  #limit = MOST_BATCH;
  readonly #recent: number[] = [];
  #queued = 0;
  #heldBack = 0;
  /** Since the last use. */
  #heldInRow = 0;

  constructor(readonly options: KernelLoadOptions = {}) {}

  get batchLimit(): number {
    return this.#limit;
  }

  /** The kernel is given `calls`. */
  begins(calls: number): void {
    this.#queue(calls);
  }

  /** It has answered or failed after `ms`. */
  ends(calls: number, ms: number): void {
    this.#queue(-calls);
    this.#recent.push(ms);
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#heldInRow = 0;
    const mark = Math.min(HIGH_WATER_MS, this.options.latencyBound ?? HIGH_WATER_MS);
    if (ms > mark) this.#limit = Math.max(LEAST_BATCH, Math.floor(this.#limit * SHRINK));
    else if (ms < mark / 2) this.#limit = Math.min(MOST_BATCH, Math.ceil(this.#limit * GROW));
  }

  /** Whether a block of `transactions` runs without the kernel; asked once for each block that would use it. */
  holdsBack(transactions: number, isTip: boolean): boolean {
    const { latencyBound } = this.options;
    if (!isTip || latencyBound === undefined || transactions >= SMALL_BLOCK) return false;
    if ((this.#p99() ?? 0) <= latencyBound) return false;
    if (++this.#heldInRow > HELD_BLOCKS) {
      this.#recent.length = 0;
      return false;
    }
    this.#heldBack++;
    return true;
  }

  get figures(): KernelLoadFigures {
    return { batchLimit: this.#limit, p99Ms: this.#p99(), heldBack: this.#heldBack };
  }

  #queue(calls: number): void {
    this.#queued += calls;
    this.options.onKernelQueue?.(this.#queued);
  }

  #p99(): number | undefined {
    const order = [...this.#recent].sort((a, b) => a - b);
    return order[Math.ceil(PERCENTILE * order.length) - 1];
  }
}
