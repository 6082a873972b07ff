/**
 * Which kinds of transactions the worker threads have run: V8 compiles what a thread runs often, and until it has, a
 * block in parallel takes several times as long as it will. `auto` has the threads rehearse first.
 */
import { BoundedCache } from '../../program/lru.js';
import type { RehearsalLength, RehearsalProgress } from '../threads/rehearsal.js';
import { MAIN_PART, MOST_KINDS } from './block-modes.js';
import type { BlockView } from './block-view.js';

/** The first rehearsal of the threads, for the code that all kinds share, and one for the programs of a few kinds. */
const FIRST: RehearsalLength = { rows: 1_000, ms: 2_000 };
const NEXT: RehearsalLength = { rows: 100, ms: 100 };
/** Rehearsals of a kind that were stopped, by blocks of other kinds, as good as one that was not. */
const ENOUGH = 3;
/** Milliseconds from the end of one rehearsal to the next: they take a small part of the processors' time. */
const REST_MS = 1_000;

export class PoolWarmth {
  readonly #threads: number;
  readonly #now: () => number;
  /** How often they have rehearsed it: in the end even parts of rehearsals are enough. */
  readonly #kinds = new BoundedCache<number>(MOST_KINDS, MOST_KINDS);
  #isFirst = true;
  #underWay: { readonly kinds: readonly string[]; readonly progress: RehearsalProgress } | undefined;
  /** A rehearsal that a block of its kinds has ended, and the runs of each thread until it counts: two of every row. */
  #half: { readonly kinds: readonly string[]; readonly us: number; left: number } | undefined;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(threads: number, now: () => number = () => performance.now()) {
    this.#threads = threads;
    this.#now = now;
  }

  /** Whether the threads have run what makes up most of `block`. */
  isWarmFor(block: BlockView): boolean {
    this.#look();
    const kinds = mainKinds(block);
    // Where there are too many to be told apart, any rehearsal is better than none.
    if (kinds.length === 0) return !this.#isFirst;
    return kinds.every((kind) => (this.#kinds.get(kind) ?? 0) >= ENOUGH);
  }

  /** Whether the threads rehearse now: what is measured meanwhile takes a little longer. */
  get isBusy(): boolean {
    this.#look();
    return this.#underWay !== undefined;
  }

  /** Microseconds that the slowest thread takes for a transaction of `block`, or took when it was last measured. */
  slowestUs(block: BlockView): number | undefined {
    this.#look();
    const { kinds, us } = this.#half ?? { kinds: this.#underWay?.kinds, us: this.#underWay?.progress.slowestUs };
    return kinds !== undefined && mainKinds(block).every((kind) => kinds.includes(kind)) ? us : undefined;
  }

  /**
   * The threads run `block` although they have not rehearsed it to the end, at `us` microseconds a transaction. Blocks
   * that count do as well as a rehearsal.
   */
  ranAnyway({ count }: BlockView, us: number): void {
    if (this.#underWay !== undefined) {
      this.#half = { kinds: this.#underWay.kinds, us, left: 2 * (this.#isFirst ? FIRST : NEXT).rows };
      this.#underWay = undefined;
      this.#endedAt = this.#now();
    }
    if (this.#half === undefined) return;
    this.#half.left -= count / this.#threads;
    if (this.#half.left > 0) return;
    this.#isFirst = false;
    for (const kind of this.#half.kinds) this.#kinds.set(kind, ENOUGH, 1);
    this.#half = undefined;
  }

  /** What the threads should rehearse of `block`; undefined: nothing now. */
  wanted(block: BlockView): RehearsalLength | undefined {
    if (this.isWarmFor(block) || this.isBusy || this.#now() - this.#endedAt < REST_MS) return undefined;
    return this.#isFirst ? FIRST : NEXT;
  }

  /** They have begun to. */
  began(block: BlockView, progress: RehearsalProgress): void {
    this.#underWay = { kinds: mainKinds(block), progress };
    this.#half = undefined;
  }

  #look(): void {
    if (this.#underWay === undefined) return;
    const { kinds, progress } = this.#underWay;
    const isWhole = progress.ended >= this.#threads;
    if (!isWhole && !progress.isStopped) return;
    this.#underWay = undefined;
    this.#endedAt = this.#now();
    if (isWhole) this.#isFirst = false;
    for (const kind of kinds) this.#kinds.set(kind, isWhole ? ENOUGH : (this.#kinds.get(kind) ?? 0) + 1, 1);
  }
}

function mainKinds({ count, parts }: BlockView): string[] {
  return [...parts].flatMap(([kind, rows]) => (rows >= MAIN_PART * count ? [kind] : []));
}
