/**
 * Chooses for `auto` how a block runs. What its programs take one after the other is measured from the first block on,
 * and tells what they would take in parallel; what blocks took that ran in parallel then counts instead. Each program
 * has its own costs, so that none decides for the others. The way that seems slower is tried now and then, at the cost
 * of a hundredth of the time.
 */
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import type { BlockMode, ModeChooser } from './block-mode.js';
import type { BlockView } from './block-view.js';
import { GUESS, type Machine, parallelGuess, parallelHope } from './estimates.js';
import { KindCosts, type KindFigures, sizeOf } from './kind-costs.js';
import { ProgramTable } from './program-table.js';
import { Recent } from './recent.js';
import type { KindSight } from './sequential-watch.js';

/** Kinds whose costs are kept. */
export const MOST_KINDS = 256;
/** A kind with a smaller part of a block's time leaves no trace. */
const LEAST_PART = 1 / 64;
/** The parallel way must promise to take so much less: as a guess, and where it was measured. */
const GUESS_MARGIN = 0.9;
const MEASURED_MARGIN = 0.97;
/** Part of a block that may be of unknown kinds before it runs one after the other, to get to know them. */
const MOST_UNKNOWN = 0.2;
const UNKNOWN_US = 30;
/** A kind is judged by a guess when it has been seen in so many blocks, or in so many transactions. */
const SEEN_BLOCKS = 2;
const SEEN_ROWS = 1_000;
/** Share of the time that goes into trying the way that seems slower, and how much of it may be saved up, in ms. */
const TRIAL_SHARE = 0.01;
const MOST_SAVED = 60_000;
/** The other way is tried again after so many blocks; earlier as long as it has been measured less than three times. */
const TRY_AGAIN = 256;
const TRY_SOON = 8;
const FEW_RUNS = 3;
/** A guess may be so many times too low, a measurement too. */
const GUESS_RISK = 1.5;
const MEASURED_RISK = 1.2;
/** Blocks in which a kind is watched before only one in so many is. */
const WATCHED_BLOCKS = 7;
const WATCHED_EVERY = 8;
/** Kinds that make up so much of a block are what a trial is about. */
const MAIN_PART = 0.1;

/** Milliseconds that a block would take. */
interface Estimate {
  readonly sequential: number;
  readonly parallel: number;
  /** At the very best. */
  readonly hope: number;
  /** The parallel figure, where it is a guess, could be so much larger. */
  readonly risk: number;
  readonly isGuess: boolean;
  /** Its kinds are known well enough. */
  readonly isKnown: boolean;
}

export class BlockModes implements ModeChooser {
  readonly #machine: Machine;
  readonly #kinds = new ProgramTable(MOST_KINDS, () => new KindCosts());
  /** How far the guesses are off here: measured over guessed, by kind, so that each counts once. */
  readonly #errors = new ProgramTable(MOST_KINDS, () => new Recent());
  /** Transactions of recent blocks. */
  readonly #counts = new Recent();
  #blocks = 0;
  /** Milliseconds that a trial may cost. */
  #saved = 0;
  #trial: { readonly block: BlockView; readonly expected: number } | undefined;
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
    const preferred = modeOf(estimate);
    const other = preferred === 'parallel' ? 'sequential' : 'parallel';
    if (!this.#isWorthTrying(block, other, estimate)) return preferred;
    this.#wantsWorkers = true;
    this.#trial = { block, expected: Math.min(estimate.sequential, estimate.parallel) };
    return other;
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

  took(block: BlockView, mode: BlockMode, ms: number, seen?: ReadonlyMap<string, KindSight>): void {
    if (!this.#hasChoice(block)) return;
    this.#blocks++;
    this.#counts.add(block.count);
    // By what it should have taken: a block that was disturbed gives no leave to try more.
    const { sequential, parallel } = this.#estimate(block);
    this.#saved = Math.min(MOST_SAVED, this.#saved + TRIAL_SHARE * Math.min(ms, sequential, parallel));
    const trial = this.#trial;
    this.#trial = undefined;
    if (trial?.block === block) this.#saved -= Math.max(0, ms - trial.expected);
    for (const kind of block.parts.keys()) {
      const costs = this.#kinds.get(kind);
      if (costs === undefined) continue;
      costs.sinceSequential++;
      costs.sinceParallel++;
    }
    if (mode === 'sequential') this.#learnSequential(block, ms, seen ?? new Map());
    else this.#learnParallel(block, ms);
    this.#wantsWorkers ||= promises({ ...this.#estimate(block), isKnown: true });
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

  #estimate({ count, parts }: BlockView): Estimate {
    const size = sizeOf(count);
    let [sequential, parallel, hope, guessed, unknown] = [0, GUESS.block, 0, 0, 0];
    let isSeen = true;
    for (const [kind, rows] of parts) {
      const costs = this.#kinds.get(kind);
      const alone = costs?.sequential;
      if (costs === undefined || alone === undefined) {
        unknown += rows;
        sequential += rows * UNKNOWN_US;
        parallel += rows * (UNKNOWN_US + GUESS.row);
        continue;
      }
      sequential += rows * alone;
      hope += rows * parallelHope(costs, this.#machine);
      const measured = costs.parallel(size);
      const us = rows * (measured ?? this.#guess(kind, costs));
      parallel += us;
      if (measured !== undefined) continue;
      guessed += us;
      isSeen &&= costs.blocks >= SEEN_BLOCKS || costs.rows >= SEEN_ROWS || rows < MAIN_PART * count;
    }
    // Measurements hold the fixed cost of their blocks.
    const isGuess = guessed > MAIN_PART * (parallel - GUESS.block);
    if (!isGuess) parallel -= GUESS.block;
    return {
      sequential: sequential / 1_000,
      parallel: parallel / 1_000,
      hope: hope / 1_000,
      risk: isGuess ? GUESS_RISK : MEASURED_RISK,
      isGuess,
      isKnown: isSeen && unknown <= MOST_UNKNOWN * count,
    };
  }

  /** Corrected by how far other programs' guesses were off. */
  #guess(kind: string, costs: KindCosts): number {
    const errors = new Recent();
    for (const { value } of this.#errors.list().slice(0, FEW_RUNS * FEW_RUNS)) {
      const median = value.cost;
      if (median !== undefined) errors.add(median);
    }
    return parallelGuess(kind, costs, this.#machine) * (errors.cost ?? 1);
  }

  #isWorthTrying(block: BlockView, other: BlockMode, estimate: Estimate): boolean {
    const { sequential, parallel, hope, risk, isKnown } = estimate;
    if (!isKnown || hope >= sequential) return false;
    const loss = other === 'parallel' ? parallel * risk - sequential : sequential * MEASURED_RISK - parallel;
    if (loss > this.#saved) return false;
    const size = sizeOf(block.count);
    for (const [kind, rows] of block.parts) {
      const costs = rows < MAIN_PART * block.count ? undefined : this.#kinds.get(kind);
      if (costs === undefined) continue;
      const since = other === 'parallel' ? costs.sinceParallel : costs.sinceSequential;
      const few = other === 'parallel' && costs.parallelRuns(size) < FEW_RUNS;
      // What was never tried is not tried on a large block first.
      if (other === 'parallel' && costs.parallel(size) === undefined && block.count > (this.#counts.median ?? 0))
        continue;
      if (since > (few ? TRY_SOON : TRY_AGAIN)) return true;
    }
    return false;
  }

  #learnSequential({ count }: BlockView, ms: number, seen: ReadonlyMap<string, KindSight>): void {
    let sum = 0;
    for (const sight of seen.values()) sum += sight.ms;
    // What the block took as a whole is shared by all of its transactions.
    const rest = Math.max(0, ms - sum) / count;
    for (const [kind, sight] of seen) {
      const own = sight.ms + rest * sight.rows;
      if (sight.rows === 0 || own < LEAST_PART * ms) continue;
      this.#kinds.of(kind, own).sawSequential(sight, (own * 1_000) / sight.rows);
    }
  }

  /** Shares the time of the block out in proportion to what its kinds were guessed to take. */
  #learnParallel({ count, parts }: BlockView, ms: number): void {
    const shares: { readonly kind: string; readonly rows: number; readonly us: number }[] = [];
    let sum = 0;
    for (const [kind, rows] of parts) {
      const costs = this.#kinds.get(kind);
      const us = rows * (costs?.sequential === undefined ? UNKNOWN_US : parallelGuess(kind, costs, this.#machine));
      sum += us;
      if (costs?.sequential !== undefined) shares.push({ kind, rows, us });
    }
    const error = Math.max(0, ms * 1_000 - GUESS.block) / sum;
    const size = sizeOf(count);
    for (const { kind, rows, us } of shares) {
      const share = us / sum;
      if (share < LEAST_PART) continue;
      const own = ms * 1_000 * share;
      this.#kinds.of(kind, own / 1_000).sawParallel(size, own / rows, share);
      if (share > 0.5) this.#errors.of(kind, own / 1_000).add(error, share);
    }
  }
}

/** Whether the parallel way promises to be the faster one. */
function promises({ sequential, parallel, isGuess, isKnown }: Estimate): boolean {
  return isKnown && parallel < sequential * (isGuess ? GUESS_MARGIN : MEASURED_MARGIN);
}

function modeOf(estimate: Estimate): BlockMode {
  return promises(estimate) ? 'parallel' : 'sequential';
}
