/**
 * Chooses for `auto` how a block runs. What its programs take one after the other is measured from the first block on,
 * and tells what they would take in parallel; what blocks took that ran in parallel then counts instead. Each program
 * has its own costs, so that none decides for the others. The way that seems slower is tried now and then, at the cost
 * of a hundredth of the time.
 */
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import { type BlockMode, type ModeChooser, PARALLEL_MODES, type ParallelMode } from './block-mode.js';
import type { BlockView } from './block-view.js';
import { GUESS, type Machine, parallelGuess, parallelHope } from './estimates.js';
import { CALM_BLOCKS, KindCosts, type KindFigures, sizeOf } from './kind-costs.js';
import { ProgramTable } from './program-table.js';
import { Recent } from './recent.js';
import type { KindSight } from './sequential-watch.js';

const MODES: readonly BlockMode[] = ['sequential', ...PARALLEL_MODES];
/** Kinds whose costs are kept. */
export const MOST_KINDS = 256;
/** A kind with a smaller part of a block's time leaves no trace. */
const LEAST_PART = 1 / 64;
/** The parallel way must promise to take so much less: as a guess, and where it was measured. */
const GUESS_MARGIN = 0.9;
const MEASURED_MARGIN = 0.97;
/** The same on threads that still compile. */
const SLOW_MARGIN = 0.75;
/** Part of a block that may be of unknown kinds before it runs one after the other, to get to know them. */
const MOST_UNKNOWN = 0.2;
const UNKNOWN_US = 30;
/** A kind is judged by a guess when it has been seen in so many blocks, or in so many transactions. */
const SEEN_BLOCKS = 2;
const SEEN_ROWS = 1_000;
/**
 * Share of the time that goes into trying the way that seems slower, in the first seconds and later, and how much of it
 * may be saved up, in ms.
 */
const FIRST_TRIAL_SHARE = 0.03;
const FIRST_MS = 10_000;
const TRIAL_SHARE = 0.01;
const MOST_SAVED = 60_000;
/** The other way is tried again after so many blocks; at once as long as it has been measured too few times. */
const TRY_AGAIN = 256;
/** What was measured while others were at work, or compiling, may be so many times too high. */
const NEAR = 1.15;
/** While one after the other is that near, and few such blocks were seen, one in so many runs that way. */
const RECHECK = 8;
const FEW_BLOCKS = 12;
/** Programs whose errors correct a guess. */
const JUDGES = 9;
/** A guess may be so many times too low, a measurement too; the first ones were rather too high. */
const GUESS_RISK = 1.25;
const MEASURED_RISK = 1.2;
const FEW_RISK = 1;
/** What was never measured would hardly be the faster way if its guess is so many times as high: then it must wait. */
const GUESS_HOPE = 1.6;
const PATIENCE = 4;
/** Blocks in which a kind is watched before only one in so many is. */
const WATCHED_BLOCKS = 7;
const WATCHED_EVERY = 8;
/** Kinds that make up so much of a block are what a trial is about. */
export const MAIN_PART = 0.1;

/** What a block would take in parallel. */
interface ParallelEstimate {
  readonly ms: number;
  readonly isGuess: boolean;
  /** The same, if what was measured few times becomes faster. */
  readonly hopedMs: number;
  /** Its kinds are known well enough. */
  readonly isKnown: boolean;
}

/** Milliseconds that a block would take. */
interface Estimate {
  readonly sequential: number;
  readonly workers: ParallelEstimate;
  /** undefined: there is none. */
  readonly kernel: ParallelEstimate | undefined;
  /** In parallel at the very best. */
  readonly hope: number;
}

export class BlockModes implements ModeChooser {
  readonly #machine: Machine;
  readonly #kinds = new ProgramTable(MOST_KINDS, () => new KindCosts());
  /** How far the guesses are off here: measured over guessed, by kind, so that each counts once. */
  readonly #errors: Readonly<Record<ParallelMode, ProgramTable<Recent>>> = {
    workers: new ProgramTable(MOST_KINDS, () => new Recent()),
    kernel: new ProgramTable(MOST_KINDS, () => new Recent()),
  };
  /** Transactions of recent blocks. */
  readonly #counts = new Recent();
  #blocks = 0;
  /** Milliseconds of all blocks. */
  #ms = 0;
  /** Milliseconds that a trial may cost. */
  #saved = 0;
  #trial: { readonly block: BlockView; readonly mode: BlockMode; readonly expected: number } | undefined;
  #wantsWorkers = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get wantsWorkers(): boolean {
    return this.#wantsWorkers;
  }

  choose(block: BlockView): BlockMode {
    this.#trial = undefined;
    if (!this.#hasChoice(block)) return 'sequential';
    const estimate = this.#estimate(block);
    const { mode: preferred, ms: expected } = best(estimate);
    for (const other of MODES) {
      if (other === preferred || !this.#isWorthTrying(block, other, estimate, expected)) continue;
      this.#wantsWorkers = true;
      this.#trial = { block, mode: other, expected };
      return other;
    }
    return preferred;
  }

  paysAt(block: BlockView, us: number): boolean {
    const { sequential, workers } = this.#estimate(block);
    let runs = 0;
    for (const [kind, rows] of block.parts) {
      const { stale = 0, steady = 0, asked = 0 } = this.#kinds.get(kind) ?? {};
      runs += rows * (1 + Math.min(1, stale + steady + asked));
    }
    const slower = (runs * us) / (1_000 * Math.max(1, this.#machine.threads));
    return workers.isKnown && workers.ms + slower < SLOW_MARGIN * sequential;
  }

  /** Every block as long as its programs are new; then one in a few. */
  watches(block: BlockView): boolean {
    if (!this.#hasChoice(block)) return false;
    if (this.#blocks % WATCHED_EVERY === 0) return true;
    for (const [kind, rows] of block.parts) {
      if (rows >= MAIN_PART * block.count && (this.#kinds.get(kind)?.blocks ?? 0) < WATCHED_BLOCKS) return true;
    }
    return false;
  }

  took(block: BlockView, mode: BlockMode, ms: number, seen?: ReadonlyMap<string, KindSight>, disturbed = false): void {
    if (!this.#hasChoice(block)) return;
    this.#blocks++;
    this.#counts.add(block.count);
    // By what it should have taken: a block that was disturbed gives no leave to try more.
    this.#ms += ms;
    const share = this.#ms < FIRST_MS ? FIRST_TRIAL_SHARE : TRIAL_SHARE;
    this.#saved = Math.min(MOST_SAVED, this.#saved + share * Math.min(ms, best(this.#estimate(block)).ms));
    const trial = this.#trial;
    this.#trial = undefined;
    // What a trial costs more than it was to cost happens once: then it is known.
    if (trial?.block === block && trial.mode === mode)
      this.#saved = Math.max(0, this.#saved - Math.max(0, ms - trial.expected));
    for (const kind of block.parts.keys()) {
      const costs = this.#kinds.get(kind);
      if (costs === undefined) continue;
      for (const one of MODES) costs.since[one]++;
    }
    if (mode === 'sequential') this.#learnSequential(block, ms, seen ?? new Map(), disturbed);
    else if (!disturbed) this.#learnParallel(mode, block, ms);
    const { sequential, workers, kernel } = this.#estimate(block);
    this.#wantsWorkers ||= [workers, kernel].some((one) => one && promises({ ...one, isKnown: true }, sequential));
  }

  /** What is worth remembering, by kind; those that take most of the time come first. */
  figures(): { readonly name: string; readonly ms: number; readonly figures: KindFigures }[] {
    return this.#kinds.list().flatMap(({ name, value, ms }) => {
      const figures = value.figures();
      return figures === undefined ? [] : [{ name, ms, figures }];
    });
  }

  /** Takes what {@link figures} gave: only for a chooser that has seen nothing yet. */
  restore(name: string, ms: number, figures: KindFigures): void {
    this.#kinds.of(name, ms).restore(figures);
  }

  /** Where one thread would do all dry runs, or has the block nearly for itself, parallel cannot be the faster way. */
  #hasChoice({ count }: BlockView): boolean {
    const { threads, kernelCall } = this.#machine;
    return count >= FEWEST_FOR_WORKERS && (threads > 1 || (threads === 1 && kernelCall !== undefined));
  }

  #estimate(block: BlockView): Estimate {
    let [sequential, hope] = [0, 0];
    for (const [kind, rows] of block.parts) {
      const costs = this.#kinds.get(kind);
      sequential += rows * (costs?.sequential ?? UNKNOWN_US);
      if (costs !== undefined) hope += rows * parallelHope(costs, this.#machine);
    }
    const { kernelCall } = this.#machine;
    return {
      sequential: sequential / 1_000,
      hope: hope / 1_000,
      workers: this.#estimateOf('workers', block),
      kernel: kernelCall === undefined ? undefined : this.#estimateOf('kernel', block),
    };
  }

  #estimateOf(mode: ParallelMode, { count, parts }: BlockView): ParallelEstimate {
    const size = sizeOf(count);
    let [us, hoped, guessed, unknown] = [0, 0, 0, 0];
    let isSeen = true;
    for (const [kind, rows] of parts) {
      const costs = this.#kinds.get(kind);
      if (costs?.sequential === undefined) {
        unknown += rows;
        us += rows * (UNKNOWN_US + GUESS.row);
        hoped += rows * (UNKNOWN_US + GUESS.row);
        continue;
      }
      const measured = costs.parallel(mode, size);
      const own = rows * (measured ?? this.#guess(mode, kind, costs));
      us += own;
      hoped += own * (1 - costs.excess(mode, size));
      if (measured !== undefined) continue;
      guessed += own;
      isSeen &&= costs.blocks >= SEEN_BLOCKS || costs.rows >= SEEN_ROWS || rows < MAIN_PART * count;
    }
    const isGuess = guessed > MAIN_PART * us;
    // Measurements hold the fixed cost of their blocks.
    const fixed = isGuess ? fixedCost(mode) : 0;
    return {
      ms: (us + fixed) / 1_000,
      hopedMs: (hoped + fixed) / 1_000,
      isGuess,
      isKnown: isSeen && unknown <= MOST_UNKNOWN * count,
    };
  }

  /** Corrected by how far other programs' guesses were off. */
  #guess(mode: ParallelMode, kind: string, costs: KindCosts): number {
    const errors = new Recent();
    for (const { value } of this.#errors[mode].list().slice(0, JUDGES)) {
      const error = value.cost;
      if (error !== undefined) errors.add(error);
    }
    return parallelGuess(mode, kind, costs, this.#machine) * (errors.cost ?? 1);
  }

  /** `expected`: milliseconds that the preferred way takes. */
  #isWorthTrying(block: BlockView, other: BlockMode, estimate: Estimate, expected: number): boolean {
    const parallel = other === 'sequential' ? undefined : estimate[other];
    if (other !== 'sequential' && (parallel?.isKnown !== true || estimate.hope >= estimate.sequential)) return false;
    const ms = parallel?.ms ?? estimate.sequential;
    const [isGuess, size] = [parallel?.isGuess === true, sizeOf(block.count)];
    const patience = isGuess && ms >= GUESS_HOPE * expected ? PATIENCE : 1;
    for (const [kind, rows] of block.parts) {
      const costs = rows < MAIN_PART * block.count ? undefined : this.#kinds.get(kind);
      if (costs === undefined) continue;
      const few =
        other === 'sequential'
          ? ms < NEAR * expected &&
            (costs.calmBlocks < CALM_BLOCKS || (costs.blocks < FEW_BLOCKS && costs.since.sequential >= RECHECK))
          : !costs.isMeasured(other, size);
      // What was never tried is not tried on a large block first.
      const isNew = other !== 'sequential' && costs.parallel(other, size) === undefined;
      if (isNew && block.count > (this.#counts.median ?? 0)) continue;
      if (few || costs.since[other] > TRY_AGAIN) {
        const risk = isGuess ? GUESS_RISK : few ? FEW_RISK : MEASURED_RISK;
        if (patience * (ms * risk - expected) <= this.#saved) return true;
      }
    }
    return false;
  }

  #learnSequential({ count }: BlockView, ms: number, seen: ReadonlyMap<string, KindSight>, disturbed: boolean): void {
    let sum = 0;
    for (const sight of seen.values()) sum += sight.ms;
    // What the block took as a whole is shared by all of its transactions.
    const rest = Math.max(0, ms - sum) / count;
    for (const [kind, sight] of seen) {
      const own = sight.ms + rest * sight.rows;
      if (sight.rows === 0 || own < LEAST_PART * ms) continue;
      this.#kinds.of(kind, own).sawSequential(sight, (own * 1_000) / sight.rows, disturbed);
    }
  }

  /** Shares the time of the block out in proportion to what its kinds were guessed to take. */
  #learnParallel(mode: ParallelMode, { count, parts }: BlockView, ms: number): void {
    const shares: { readonly kind: string; readonly rows: number; readonly us: number }[] = [];
    let sum = 0;
    for (const [kind, rows] of parts) {
      const costs = this.#kinds.get(kind);
      const us =
        rows * (costs?.sequential === undefined ? UNKNOWN_US : parallelGuess(mode, kind, costs, this.#machine));
      sum += us;
      if (costs?.sequential !== undefined) shares.push({ kind, rows, us });
    }
    const error = Math.max(0, ms * 1_000 - fixedCost(mode)) / sum;
    const size = sizeOf(count);
    for (const { kind, rows, us } of shares) {
      const share = us / sum;
      if (share < LEAST_PART) continue;
      const own = ms * 1_000 * share;
      this.#kinds.of(kind, own / 1_000).sawParallel(mode, size, own / rows, share);
      if (share > 0.5) this.#errors[mode].of(kind, own / 1_000).add(error, share);
    }
  }
}

function fixedCost(mode: ParallelMode): number {
  return mode === 'kernel' ? GUESS.block + GUESS.launch : GUESS.block;
}

/** Whether a parallel way promises to be faster than one after the other. */
function promises({ hopedMs, isGuess, isKnown }: ParallelEstimate, sequential: number): boolean {
  return isKnown && hopedMs < sequential * (isGuess ? GUESS_MARGIN : MEASURED_MARGIN);
}

/** The way that promises most, and the milliseconds that it takes. */
function best(estimate: Estimate): { readonly mode: BlockMode; readonly ms: number } {
  const { sequential, workers, kernel } = estimate;
  let found: { readonly mode: BlockMode; readonly ms: number } = { mode: 'sequential', ms: sequential };
  if (promises(workers, sequential)) found = { mode: 'workers', ms: workers.ms };
  if (kernel !== undefined && promises(kernel, found.ms)) found = { mode: 'kernel', ms: kernel.ms };
  return found;
}
