/** Which programs a runner interprets, and when it has them compiled. */

import type { CompileBudget } from './compile-budget.js';
import { Interpreter } from './interpreter.js';
import { BoundedCache } from './lru.js';
import type { ProgramRun, RunInner } from './program-run.js';
import { PutAwayPrograms } from './put-away.js';
import type { ReturnBuffer } from './return-buffer.js';
import type { Program } from './types.js';

/** What a runner compiles. Whatever it does, results are the same. */
export type Tier = 'what pays' | 'everything' | 'nothing';

/**
 * A program is compiled once it has run enough to pay for that: an instruction takes the interpreter some 5 ns longer
 * than V8's code, and compiling takes 60 ns a byte. So neither a program that runs once nor one that runs forever costs
 * much more than if that had been known before.
 */
const FUEL_A_BYTE = 8;
const FUEL_AT_LEAST = 20_000;
/** The interpreter clears all pages that a program begins with, each of which takes as long as so much fuel. */
const FUEL_A_PAGE = 500;
/** Each time that its compiled code had to make room for others, it must run twice as much, up to so many times. */
const MOST_DOUBLINGS = 6;
/**
 * Where so many programs had to leave the interpreter's memory for others, compiled code of them would not stay either:
 * each must run so many times as much beyond what is asked of it alone.
 */
const CROWD = 16;
const CROWD_TIMES = 15;
/** Programs of which is remembered what they ran. */
const REMEMBERED_PROGRAMS = 65_536;

export interface InterpreterBounds {
  readonly programBytes: number;
  readonly fileBytes: number;
  readonly keptBytes: number;
}

/** Memory of frames that is kept however long nobody needs it. */
const KEPT_MEMORY_BYTES = 32 * 1024 * 1024;
/** Messages that need no more, after which the rest is given back: mapping it anew takes longer than they run. */
const QUIET_MESSAGES = 500;

/** What is remembered of a program. */
interface Use {
  /** What it runs in the interpreter before it is compiled. */
  readonly least: number;
  /** What is left of that. */
  fuel: number;
  doublings: number;
}

export class InterpretedPrograms {
  /** By hash. */
  readonly #uses = new BoundedCache<Use>(REMEMBERED_PROGRAMS, REMEMBERED_PROGRAMS);
  readonly #tier: Tier;
  readonly #programBytes: number;
  readonly #keptBytes: number;
  readonly #budget: CompileBudget;
  readonly #runInner: RunInner;
  readonly #returned: ReturnBuffer;
  readonly #away: PutAwayPrograms;
  #interpreter: Interpreter | undefined;
  /** Messages since one needed more than what is kept for good. */
  #quiet = 0;

  /**
   * `programBytes`: what programs may take that are kept for the interpreter; `fileBytes`: those put away in a file;
   * `keptBytes`: what the memories of frames may take between messages; `budget`: what may be compiled.
   */
  constructor(
    tier: Tier,
    { programBytes, fileBytes, keptBytes }: InterpreterBounds,
    budget: CompileBudget,
    runInner: RunInner,
    returned: ReturnBuffer,
  ) {
    this.#away = new PutAwayPrograms(fileBytes);
    this.#tier = tier;
    this.#programBytes = programBytes;
    this.#keptBytes = keptBytes;
    this.#budget = budget;
    this.#runInner = runInner;
    this.#returned = returned;
  }

  /**
   * A frame of the interpreter for the next run of `program`; undefined: it is to be compiled, unless `isCompiled` says
   * that it is.
   */
  runOf(program: Program, isCompiled: (program: Program) => boolean): ProgramRun | undefined {
    if (this.#tier === 'everything') return undefined;
    if (this.#tier === 'what pays' && this.#pays(program)) {
      if (isCompiled(program) || this.#budget.allows(program)) return undefined;
    }
    if (!this.#away.isReadable && this.#interpreter?.live === 0) this.#interpreter = undefined;
    this.#interpreter ??= new Interpreter(this.#programBytes, this.#away, this.#runInner, this.#returned);
    return this.#interpreter.frameFor(program);
  }

  #pays(program: Program): boolean {
    const { fuel, least } = this.#useOf(program);
    return fuel <= (this.#away.crowdedOut < CROWD ? 0 : -CROWD_TIMES * least);
  }

  /** A run of `program` in a frame of the interpreter has used `fuel`. */
  ran(program: Program, fuel: number): void {
    const worth = fuel + FUEL_A_PAGE * program.minPages;
    this.#useOf(program).fuel -= worth;
    this.#budget.interpreted(worth);
  }

  /** The compiled code of the program with this hash is not kept any more. */
  forgotten(hash: string): void {
    const use = this.#uses.get(hash);
    if (use === undefined) return;
    use.doublings = Math.min(use.doublings + 1, MOST_DOUBLINGS);
    use.fuel = use.least * 2 ** use.doublings;
  }

  /** A message has ended: gives memory that takes too much back to the machine; how many bytes. */
  trim(): number {
    if (this.#interpreter === undefined) return 0;
    this.#quiet = this.#interpreter.messageEnded() > KEPT_MEMORY_BYTES ? 0 : this.#quiet + 1;
    const bytes = this.#interpreter.takenBytes;
    const most = this.#quiet < QUIET_MESSAGES ? this.#keptBytes : KEPT_MEMORY_BYTES;
    const { programs } = this.#interpreter;
    if (bytes <= most && !programs.isFull) return 0;
    programs.end();
    this.#interpreter = undefined;
    return bytes + programs.takenBytes;
  }

  /** Programs that are kept for the interpreter. */
  get programs(): number {
    return this.#interpreter?.programs.size ?? 0;
  }

  /** Those in a file beside it, and why no more go there. */
  get away(): { readonly programs: number; readonly failure: string | undefined } {
    return { programs: this.#away.size, failure: this.#away.failure };
  }

  #useOf({ hash, sourceBytes }: Program): Use {
    const known = this.#uses.get(hash);
    if (known !== undefined) return known;
    const least = FUEL_AT_LEAST + FUEL_A_BYTE * sourceBytes;
    const use = { least, fuel: least, doublings: 0 };
    this.#uses.set(hash, use, 1);
    return use;
  }
}
