/** What transactions of one kind (a program, and whether the generator runs them) take, either way. */
import { type BlockMode, PARALLEL_MODES, type ParallelMode } from './block-mode.js';
import { Recent } from './recent.js';
import type { KindSight } from './sequential-watch.js';

/** Sizes of blocks that are told apart: each is four times the one before. */
export const SIZES = 9;
/** So many transactions tell as much of a block as more would. */
const FULL_WEIGHT = 16;
/** So many such blocks tell what it takes one after the other. */
export const CALM_BLOCKS = 1;
/** Blocks of a size that tell what it takes in parallel, and so many that the first of them no longer matter. */
const FEW_RUNS = 3;
const ENOUGH_RUNS = 7;
/** The first blocks that run one after the other compile code: one that took less than this part counts alone. */
const EARLY_BLOCKS = 16;
const MUCH_LESS = 0.87;
/** Part of the first measurements in parallel that the next ones may not take: code is compiled while they run. */
const FEW_EXCESS = 0.13;
/** What a size tells of the next smaller one, where the fixed costs of a block weigh more. */
const DEARER = 1.15;

/** Number of the size of a block of `count` transactions. */
export function sizeOf(count: number): number {
  return Math.min(SIZES - 1, Math.floor(Math.log2(count + 1) / 2));
}

/** The medians of {@link KindCosts}, as they survive a restart; microseconds, shares and transactions. */
export interface KindFigures {
  readonly sequential: number;
  readonly stale: number;
  readonly steady: number;
  readonly asked: number;
  readonly width: number;
  readonly rows: number;
  /** By size. */
  readonly workers: readonly (number | null)[];
  readonly kernel: readonly (number | null)[];
}

/** Microseconds of the engine's thread per transaction. */
export class KindCosts {
  #sequential = new Recent();
  readonly #stale = new Recent();
  readonly #steady = new Recent();
  readonly #asked = new Recent();
  readonly #width = new Recent();
  readonly #parallel: Readonly<Record<ParallelMode, (Recent | undefined)[]>> = { workers: [], kernel: [] };
  /** Transactions that were seen to run one after the other, and in how many blocks. */
  rows = 0;
  blocks = 0;
  /** Of these blocks: in how many nothing else was going on, from the second block on: the first compiles code. */
  calmBlocks = 0;
  /** Blocks with it since each way was last measured. */
  readonly since: Record<BlockMode, number> = { sequential: Infinity, workers: Infinity, kernel: Infinity };

  get sequential(): number | undefined {
    return this.#sequential.cost;
  }

  /** Share of transactions that read what others of the block wrote, and of those whose dry runs are no results. */
  get stale(): number {
    return this.#stale.median ?? 0;
  }

  get steady(): number {
    return this.#steady.median ?? 0;
  }

  get asked(): number {
    return this.#asked.median ?? 0;
  }

  /** How many of the stale ones can run at a time. */
  get width(): number {
    return this.#width.median ?? 1;
  }

  /** How much what was measured of blocks of that size in parallel may be too high, as a part of it. */
  excess(mode: ParallelMode, size: number): number {
    const count = this.#parallel[mode][size]?.count ?? 0;
    return count > 0 && count < FEW_RUNS ? FEW_EXCESS : 0;
  }

  /** Whether it was measured often enough. */
  isMeasured(mode: ParallelMode, size: number): boolean {
    return (this.#parallel[mode][size]?.count ?? 0) >= ENOUGH_RUNS;
  }

  /** In parallel, in blocks of that size: as measured, or by what the nearest size that was measured tells. */
  parallel(mode: ParallelMode, size: number): number | undefined {
    const sizes = this.#parallel[mode];
    const own = sizes[size]?.cost;
    if (own !== undefined) return own;
    for (let distance = 1; distance < SIZES; distance++) {
      const larger = sizes[size + distance]?.cost;
      if (larger !== undefined) return larger * DEARER ** distance;
      const smaller = sizes[size - distance]?.cost;
      if (smaller !== undefined) return smaller;
    }
    return undefined;
  }

  /** In a block that ran one after the other, its transactions took `us` each; no longer than that, if `disturbed`. */
  sawSequential(sight: KindSight, us: number, disturbed: boolean): void {
    const { rows, stale, steady, asked, depth } = sight;
    const weight = Math.min(1, rows / FULL_WEIGHT);
    const known = this.sequential ?? us;
    if (!disturbed && weight === 1 && this.blocks < EARLY_BLOCKS && us < MUCH_LESS * known) {
      this.#sequential = new Recent();
    }
    this.#sequential.add(disturbed ? Math.min(us, known) : us, weight);
    if (!disturbed && this.blocks > 0) this.calmBlocks++;
    this.#stale.add(stale / rows, weight);
    this.#steady.add(steady / rows, weight);
    this.#asked.add(asked / rows, weight);
    if (stale > 0) this.#width.add(stale / Math.max(1, depth - 1), weight);
    this.rows += rows;
    this.blocks++;
    this.since.sequential = 0;
  }

  /** `share`: what part of the block was its own. */
  sawParallel(mode: ParallelMode, size: number, us: number, share: number): void {
    const sizes = this.#parallel[mode];
    sizes[size] ??= new Recent();
    sizes[size].add(us, share);
    this.since[mode] = 0;
  }

  /** undefined as long as there is nothing to remember. */
  figures(): KindFigures | undefined {
    const { sequential, stale, steady, asked, width, rows } = this;
    if (sequential === undefined) return undefined;
    const costs = (mode: ParallelMode): (number | null)[] =>
      Array.from({ length: SIZES }, (_, size) => this.#parallel[mode][size]?.cost ?? null);
    return { sequential, stale, steady, asked, width, rows, workers: costs('workers'), kernel: costs('kernel') };
  }

  restore(figures: KindFigures): void {
    this.#sequential.add(figures.sequential);
    this.#stale.add(figures.stale);
    this.#steady.add(figures.steady);
    this.#asked.add(figures.asked);
    this.#width.add(figures.width);
    this.rows = figures.rows;
    this.blocks = 2;
    this.calmBlocks = CALM_BLOCKS;
    for (const mode of PARALLEL_MODES) {
      figures[mode].forEach((us, size) => {
        if (us !== null) this.#parallel[mode][size] = new Recent(us);
      });
    }
  }
}
