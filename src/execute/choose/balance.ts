/**
 * How the policy `balance` divides the calls of one program in a block between the pool of threads and the kernel, so
 * that both are done at the same time: by the rates at which each ran them in the blocks before. Decides about speed
 * alone, never what a call means.
 */
import { ProgramTable } from './program-table.js';

/** Fewer calls of one program in a batch are not divided: starting both sides costs more than that saves. */
export const FEWEST_TO_SPLIT = 64;
/** Programs whose rates are kept. */
const MOST_PROGRAMS = 256;
/** Weight of a new rate; of the one after a side was not used for long, since when anything may have changed. */
const WEIGHT = 0.25;
const WEIGHT_OF_TRIAL = 0.5;
/** So many rates count as the best of them: the first runs compile code and wake the device. */
const FIRST_RATES = 3;
/** The share of the threads changes only if another one promises to save so large a part of the time. */
export const BAND = 0.05;
/** What dividing must save against one side alone; otherwise that one runs all, and the other is tried again later. */
const LEAST_SAVING = 0.03;
/** As long as a side has fewer rates than {@link FIRST_RATES}, it gets so large a share at least. */
const LEAST_AT_FIRST = 0.25;
/** A side that gets no calls is tried again after so many blocks with the program. */
export const TRIED_AGAIN = 64;
/** A trial of the kernel may take so many times as long as the threads would for everything. */
const MOST_OF_TRIAL = 2;
/** Rates are kept by size of the block, each class four times the one before: the kernel's include its launch. */
const CLASS_FACTOR = 4;
export const MOST_CLASSES = 12;
/** Programs whose rates are remembered over a restart. */
export const MOST_REMEMBERED = 128;

/** What one side did of a program in a block. */
export interface SideTally {
  readonly calls: number;
  readonly ms: number;
}

/** What both did. The kernel's time includes packing, launch and readback; going through its results comes after. */
export interface SplitTally {
  readonly pool: SideTally;
  readonly kernel: SideTally;
  readonly finish: SideTally;
}

/** What is known of a program in blocks of one size; rates in calls per millisecond. */
export interface SplitFigures {
  readonly program: string;
  /** Calls of a block from which on this holds. */
  readonly from: number;
  readonly poolRate: number | null;
  readonly kernelRate: number | null;
  /** Of the calls, those that threads run. */
  readonly poolShare: number;
}

/** What is remembered of a program in blocks of one size: rates in calls per millisecond, and the threads' share. */
export type DivisionFigures = Readonly<Record<(typeof RATES)[number], number | null>> & { readonly share: number };
export const RATES = ['pool', 'kernel', 'finish'] as const;

/** Of one program, by class of size; null: no block of that size was divided. */
export interface RememberedProgram {
  /** Its hash, hex. */
  readonly name: string;
  /** What it has taken, in milliseconds. */
  readonly ms: number;
  readonly figures: readonly (DivisionFigures | null)[];
}

/** An exponential moving average of a rate. */
class Rate {
  value: number | undefined;
  #count = 0;

  get isKnown(): boolean {
    return this.#count >= FIRST_RATES;
  }

  add({ calls, ms }: SideTally, weight: number): void {
    if (calls === 0 || ms <= 0) return;
    const rate = calls / ms;
    const { value } = this;
    if (value === undefined) this.value = rate;
    else if (this.#count < FIRST_RATES) this.value = Math.max(value, rate);
    else this.value = value + weight * (rate - value);
    this.#count++;
  }

  restore(rate: number): void {
    this.value = rate;
    this.#count = FIRST_RATES;
  }
}

/** One program in blocks of one size. */
class Division {
  readonly pool = new Rate();
  readonly kernel = new Rate();
  /** Going through the kernel's results, calls per millisecond. */
  readonly finish = new Rate();
  /** Blocks in which one side has got nothing. */
  blocks = 0;
  isTrial = false;

  constructor(public share: number) {}

  learn({ pool, kernel, finish }: SplitTally): void {
    const weight = this.isTrial ? WEIGHT_OF_TRIAL : WEIGHT;
    this.pool.add(pool, weight);
    this.kernel.add(kernel, weight);
    this.finish.add(finish, weight);
    const target = this.#target();
    if (target === undefined) return;
    const isOneSided = target === 0 || target === 1;
    if (isOneSided || this.#time(target) < (1 - BAND) * this.#time(this.share)) this.share = target;
  }

  get figures(): DivisionFigures {
    const [pool, kernel, finish] = RATES.map((rate) => this[rate].value ?? null);
    return { pool, kernel, finish, share: this.share };
  }

  restore(figures: DivisionFigures): void {
    this.share = figures.share;
    for (const rate of RATES) {
      const value = figures[rate];
      if (value !== null && value > 0) this[rate].restore(value);
    }
  }

  /** Milliseconds for each call of a block, about, until both are done. */
  #time(share: number): number {
    return Math.max(share / (this.pool.value ?? 1), (1 - share) / (this.kernel.value ?? 1));
  }

  /** The share at which both would end together; all to one side if that would hardly be sooner. */
  #target(): number | undefined {
    const [pool, kernel] = [this.pool.value, this.kernel.value];
    if (pool === undefined || kernel === undefined) return undefined;
    const share = pool / (pool + kernel);
    if (!this.pool.isKnown || !this.kernel.isKnown) {
      return Math.min(1 - LEAST_AT_FIRST, Math.max(LEAST_AT_FIRST, share));
    }
    const perCall = share / pool + (this.finish.value === undefined ? 0 : (1 - share) / this.finish.value);
    if (perCall > (1 - LEAST_SAVING) / pool) return 1;
    return share < LEAST_SAVING ? 0 : share;
  }

  /** The share of the threads in a block of `calls`, which is about to run. */
  next(calls: number, fewest: number): number {
    this.isTrial = false;
    const isOneSided = this.share * calls < 1 || (1 - this.share) * calls < 1;
    if (!isOneSided) {
      this.blocks = 0;
      return this.share;
    }
    if (++this.blocks % TRIED_AGAIN !== 0) return this.share;
    this.isTrial = true;
    if (this.share < 0.5) return Math.min(0.5, fewest / calls);
    const [pool, kernel] = [this.pool.value ?? 1, this.kernel.value ?? 1];
    return 1 - Math.max(1 / calls, Math.min(0.5, (MOST_OF_TRIAL * kernel) / pool));
  }
}

/** The divisions of a program, by class of size. */
class Divisions {
  readonly classes: (Division | undefined)[] = [];

  /** A size that was not seen begins with the share of the nearest one that was, or halves. */
  of(calls: number): Division {
    const at = classOf(calls);
    const known = this.classes[at];
    if (known !== undefined) return known;
    let share = 0.5;
    let distance = MOST_CLASSES;
    for (const [other, division] of this.classes.entries()) {
      if (division === undefined || Math.abs(other - at) >= distance) continue;
      distance = Math.abs(other - at);
      share = division.share;
    }
    // All to one side says that so few calls did not pay for the other's start; more may.
    const made = new Division(share === 0 || share === 1 ? 0.5 : share);
    this.classes[at] = made;
    return made;
  }
}

/** What says how calls are divided. */
export interface CallDivider {
  /** Calls of one program in a batch below which it is not divided. */
  readonly fewest: number;
  /**
   * Share of the calls of program `hash` that threads should run in the block that comes, which has `calls` of them; 0
   * to 1. Asked once for each block.
   */
  share(hash: string, calls: number): number;
  /** That block has run, of which both sides did what `tally` says. */
  learn(hash: string, calls: number, tally: SplitTally): void;
  /** What is known; the programs that take most of the time come first. */
  figures?(): readonly SplitFigures[];
  /** What is worth remembering of at most {@link MOST_REMEMBERED} programs. */
  remembered?(): readonly RememberedProgram[];
  /** Takes what {@link remembered} gave of a program, if nothing was learned yet. */
  restore?(program: RememberedProgram): void;
}

/** Divides by the rates of the blocks before. */
export class Balance implements CallDivider {
  readonly fewest: number;
  readonly #programs = new ProgramTable(MOST_PROGRAMS, () => new Divisions());

  constructor(options: { readonly fewest?: number } = {}) {
    this.fewest = options.fewest ?? FEWEST_TO_SPLIT;
  }

  share(hash: string, calls: number): number {
    return this.#programs.of(hash, 0).of(calls).next(calls, this.fewest);
  }

  learn(hash: string, calls: number, tally: SplitTally): void {
    this.#programs
      .of(hash, tally.pool.ms + tally.kernel.ms)
      .of(calls)
      .learn(tally);
  }

  remembered(): readonly RememberedProgram[] {
    const programs = this.#programs.list().slice(0, MOST_REMEMBERED);
    return programs.map(({ name, ms, value }) => {
      const figures = Array.from(value.classes, (division) => division?.figures ?? null);
      return { name, ms, figures };
    });
  }

  restore({ name, ms, figures }: RememberedProgram): void {
    const { classes } = this.#programs.of(name, ms);
    for (const [at, known] of figures.slice(0, MOST_CLASSES).entries()) {
      if (known === null) continue;
      const division = new Division(known.share);
      division.restore(known);
      classes[at] = division;
    }
  }

  figures(): readonly SplitFigures[] {
    return this.#programs.list().flatMap(({ name, value }) =>
      value.classes.flatMap((division, at) =>
        division === undefined
          ? []
          : [
              {
                program: name,
                from: CLASS_FACTOR ** at,
                poolRate: division.pool.value ?? null,
                kernelRate: division.kernel.value ?? null,
                poolShare: division.share,
              },
            ],
      ),
    );
  }
}

function classOf(calls: number): number {
  return Math.min(MOST_CLASSES - 1, Math.floor(Math.log(Math.max(1, calls)) / Math.log(CLASS_FACTOR)));
}
