/**
 * What a block that runs one transaction after the other tells about its programs: the time that each takes, and how
 * often its transactions read what others of the block have written. From that follows what running them in parallel
 * would bring, before it is tried.
 */
import type { BlockState } from '../../lane/columns/block-state.js';
import type { CommonRunner } from '../../lane/columns/common-run.js';
import type { LaneKey, LaneOutcome } from '../../lane/types.js';
import type { Program } from '../../program/types.js';
import { type ContractPrograms, kindOf } from './block-view.js';
import { KeyLevels } from './key-levels.js';

/** One in so many transactions is timed: reading the clock takes a hundredth of a short call. */
const TIMED_EVERY = 4;
/** Kinds of transactions that are told apart in one block. */
const MOST_KINDS = 256;
/** Keys that transactions of the general kind have written, as many as are remembered. */
const MOST_KEYS = 65_536;

/** The transactions of one kind in one block. */
export class KindSight {
  rows = 0;
  /** Those whose time was taken, and their milliseconds. */
  timed = 0;
  timedMs = 0;
  /** Those that read what another one wrote, where the value had not changed by the same step as before. */
  stale = 0;
  /** Those that read only such values of others as all change by one step. */
  steady = 0;
  /** Those whose program asked whether it ran dry: their dry runs are no results. */
  asked = 0;
  /** How many of the stale ones follow each other: the longest chain. */
  depth = 0;
  /** What it calls; undefined if only the generator runs it. */
  program: Program | undefined;

  /** Milliseconds that all of them took, about; 0 if the time of none was taken. */
  get ms(): number {
    return this.timed === 0 ? 0 : (this.timedMs * this.rows) / this.timed;
  }
}

export class SequentialWatch {
  readonly #now: () => number;
  readonly #contracts: ContractPrograms;
  readonly #kinds = new Map<string, KindSight>();
  readonly #ofProgram = new Map<Program | undefined, KindSight>();
  readonly #keys = new KeyLevels();
  readonly #written = new Set<LaneKey>();
  /** By what a receipt calls the contract. */
  readonly #ofTarget = new Map<string | undefined, KindSight>();
  /** When the transaction that is timed began; undefined: none is. */
  #began: number | undefined;
  #lastProgram: Program | undefined;
  #lastKind: KindSight | undefined;

  constructor(contracts: ContractPrograms, now: () => number) {
    this.#contracts = contracts;
    this.#now = now;
    this.#began = now();
  }

  /** By kind; times are in milliseconds, without what the block takes as a whole. */
  get kinds(): ReadonlyMap<string, KindSight> {
    return this.#kinds;
  }

  /** `run` has run a transaction of the common kind, and its writes are not in `state` yet. */
  common(run: CommonRunner, state: BlockState): void {
    const kind = this.#kindOf(run.program);
    this.#took(kind);
    if (run.askedDryRun) kind.asked++;
    const keys = this.#keys;
    keys.look(run, state);
    if (keys.stale) {
      kind.stale++;
      if (keys.level > kind.depth) kind.depth = keys.level;
    } else if (keys.steady) kind.steady++;
  }

  /** The generator has run a transaction. */
  general({ messages, reads, writes }: LaneOutcome): void {
    const kind = this.#kindOfTarget(messages[0]?.target);
    this.#took(kind);
    for (const read of reads.keys()) {
      if (!this.#written.has(read)) continue;
      kind.stale++;
      kind.depth++;
      break;
    }
    for (const written of writes.keys()) if (this.#written.size < MOST_KEYS) this.#written.add(written);
  }

  /** Which transactions are timed nobody can arrange; it changes no result. */
  #took(kind: KindSight): void {
    kind.rows++;
    if (this.#began === undefined) {
      if (Math.random() * TIMED_EVERY < 1) this.#began = this.#now();
      return;
    }
    kind.timed++;
    kind.timedMs += this.#now() - this.#began;
    this.#began = undefined;
  }

  #kindOfTarget(target: string | undefined): KindSight {
    let kind = this.#ofTarget.get(target);
    if (kind === undefined) {
      kind = this.#named(kindOf(target === undefined ? undefined : this.#contracts.ofTarget(target), false));
      if (this.#ofTarget.size < MOST_KINDS) this.#ofTarget.set(target, kind);
    }
    return kind;
  }

  /** Most transactions call what the one before called. */
  #kindOf(program: Program | undefined): KindSight {
    if (this.#lastKind !== undefined && program === this.#lastProgram) return this.#lastKind;
    let kind = this.#ofProgram.get(program);
    if (kind === undefined) {
      kind = this.#named(kindOf(program?.hash, true));
      kind.program = program;
      if (this.#ofProgram.size < MOST_KINDS) this.#ofProgram.set(program, kind);
    }
    this.#lastProgram = program;
    this.#lastKind = kind;
    return kind;
  }

  #named(name: string): KindSight {
    let kind = this.#kinds.get(name);
    if (kind !== undefined) return kind;
    kind = new KindSight();
    // What comes beyond that many is of no account: it is counted nowhere.
    if (this.#kinds.size < MOST_KINDS) this.#kinds.set(name, kind);
    return kind;
  }
}
