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

  /** What the threads should rehearse of `block`; undefined: nothing now. */
  wanted(block: BlockView): RehearsalLength | undefined {
    if (this.isWarmFor(block) || this.isBusy || this.#now() - this.#endedAt < REST_MS) return undefined;
    return this.#isFirst ? FIRST : NEXT;
  }

  /** They have begun to. */
  began(block: BlockView, progress: RehearsalProgress): void {
    this.#underWay = { kinds: mainKinds(block), progress };
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
