import { InternalError, WarpshrewError } from '../errors/errors.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { freeMemory } from '../util/free-memory.js';
import { compileContract } from './compile.js';
import { CompileBudget } from './compile-budget.js';
import { WHY_FUEL, WHY_HOST } from './counters.js';
import { requireDeepStack } from './deep-stack.js';
import { type Frame, LIVE_PAGES, MAX_DEPTH, MESSAGE_FRAME } from './frame.js';
import { ProgramInstance } from './instance.js';
import { InterpretedPrograms, type Tier } from './interpreted-programs.js';
import { Lending } from './lending.js';
import { LentMemories } from './lent-memories.js';
import { BoundedCache } from './lru.js';
import type { ProgramRun, RunInner } from './program-run.js';
import { ReturnBuffer } from './return-buffer.js';
import { HostState, KeptEnd, type RunEnd, type RunState } from './run-state.js';
import { RunStop } from './run-stop.js';
import type { Program, RevertReason, RunHost, RunResult, RunStatus } from './types.js';
import type { HostCallWatch } from './watched-imports.js';

/**
 * Compiled code kept at once, and the bytes that it may take by an estimate (code-size.ts): compiling a program anew
 * takes up to a hundred times as long as running it, so blocks that call many large programs must find them again.
 */
const COMPILED_PROGRAMS = 1_024;
const COMPILED_BYTES = 256 * 1024 * 1024;
/** What workers share, and what each of them has at least. */
const WORKERS_COMPILED_BYTES = 512 * 1024 * 1024;
const LEAST_COMPILED_BYTES = 64 * 1024 * 1024;
/** Room for programs that are interpreted: the largest takes less than 24 MiB with its side tables. */
const LEAST_INTERPRETED_BYTES = 32 * 1024 * 1024;
/** What the file of programs may take that there is no such room for: so many times what compiled code may take. */
const FILE_TIMES = 16;
/**
 * Forgotten code that V8 may hold: it frees code only when it collects, and does not count it as a reason to do so. The
 * more there is, the longer compiling takes, several times as long in the end.
 */
const MOST_FORGOTTEN_BYTES = 128 * 1024 * 1024;
/**
 * Instances kept at once, bounded in bytes of their memories. V8 sets aside some 10 GiB of addresses for each, of which
 * a process has 128 TiB: this many leave room for 256 threads and all that waits for the garbage collector.
 */
const KEPT_INSTANCES = 32;
const KEPT_BYTES = 64 * 1024 * 1024;
/**
 * What lent memories may take between messages in a thread that is alone, and an eighth of it at least: room for the
 * frames of one message that has all pages, and those of another one that has them in few frames. The system takes far
 * longer to map such memories anew than the messages to run.
 */
const KEPT_LENT_BYTES = 256 * 1024 * 1024;
/** What the memories of interpreted frames may take then: all that a message can have. Other threads keep a quarter. */
const KEPT_INTERPRETED_BYTES = LIVE_PAGES << 16;
/** What stands behind the hash of a program compiled for the lent memory. */
const LENT = ' lent';
/** What compiled code may take in each of `workers` threads. */
export function compiledBytesOf(workers: number): number {
  const share = Math.floor(WORKERS_COMPILED_BYTES / workers);
  return Math.max(LEAST_COMPILED_BYTES, Math.min(COMPILED_BYTES, share));
}

export interface RunnerOptions {
  /** What the code that it keeps may take. */
  readonly compiledBytes?: number;
  /** What programs may take that the interpreter keeps. */
  readonly interpretedBytes?: number;
  /** What the file may take of those that had to leave. */
  readonly fileBytes?: number;
  /** Hears of every host call; all is compiled then. */
  readonly watch?: HostCallWatch;
  /** Whatever it compiles, results are the same. */
  readonly compiles?: Tier;
}

/**
 * Runs programs on V8 or, where compiling them does not pay, in the interpreter, one message at a time: the truth that
 * the kernel is compared with. One runner per thread.
 */
export class ProgramRunner {
  readonly #compiled: BoundedCache<WebAssembly.Module>;
  /** Bytes of the code and of the lent memories forgotten since memory was freed last. */
  #forgottenBytes = 0;
  readonly #budget = new CompileBudget();
  readonly #lending = new Lending();
  readonly #lent: LentMemories;
  readonly #returned = new ReturnBuffer();
  readonly #idle = new BoundedCache<ProgramInstance>(KEPT_INSTANCES, KEPT_BYTES, 'any');
  readonly #interpreted: InterpretedPrograms;
  readonly #watch: HostCallWatch | undefined;

  /** Throws EnvironmentError `ENV_STACK_TOO_SMALL` on a thread whose stack is too small for what the rules allow. */
  constructor({
    compiledBytes = COMPILED_BYTES,
    interpretedBytes = Math.max(LEAST_INTERPRETED_BYTES, compiledBytes / 4),
    fileBytes = FILE_TIMES * compiledBytes,
    watch,
    compiles = 'what pays',
  }: RunnerOptions = {}) {
    requireDeepStack();
    this.#watch = watch;
    const isAlone = compiledBytes >= COMPILED_BYTES;
    this.#lent = new LentMemories(isAlone ? KEPT_LENT_BYTES : Math.max(KEPT_LENT_BYTES / 8, compiledBytes / 2));
    const tier = watch === undefined ? compiles : 'everything';
    const keptBytes = isAlone ? KEPT_INTERPRETED_BYTES : KEPT_INTERPRETED_BYTES / 4;
    const bounds = { programBytes: interpretedBytes, fileBytes, keptBytes };
    this.#interpreted = new InterpretedPrograms(tier, bounds, this.#budget, this.#runInner, this.#returned);
    // An instance has its code: they go together.
    this.#compiled = new BoundedCache(COMPILED_PROGRAMS, compiledBytes, 'any', (key, weight) =>
      this.#forget(key, weight),
    );
  }

  /**
   * Runs `__execute` once with fresh memory, globals and tables (lane rules 4 and 5). An instance that served before is
   * set back to that state; whatever cannot be set back, or failed in a way that no program can, is not used again.
   *
   * `fuel` is the limit of the call, its entry charge included. A module whose segments are out of bounds ends with
   * TRAP and all that the entry charge has left: no instruction ran. Throws whatever `host` throws, and {@link
   * InternalError} where the machine, not the program, failed (the engine's own stack, no memory to be had): that is
   * never a status.
   */
  run(program: Program, host: RunHost, fuel: number): RunResult {
    const end = new KeptEnd();
    this.runInPlace(program, new HostState(host), fuel, end);
    return end.result;
  }

  /** The same; `end` hears how it ended before anything else runs in the instance. */
  runInPlace(program: Program, state: RunState, fuel: number, end: RunEnd): void {
    this.#runFrame(program, state, fuel, end, MESSAGE_FRAME);
  }

  /** The run of a call that `caller` makes; undefined: the memories of those around it leave too few pages. */
  readonly #runInner: RunInner = (caller, program, host, fuel) => {
    const frame = caller.frameInside;
    if (program.minPages > frame.pages) return undefined;
    const end = new KeptEnd(true);
    this.#runFrame(program, new HostState(host), fuel, end, frame);
    caller.fuelInside += fuel - end.result.fuelLeft;
    return end.result;
  };

  #runFrame(program: Program, state: RunState, fuel: number, end: RunEnd, frame: Frame): void {
    const left = fuel - program.entryFuel;
    if (left < 0) {
      notEntered(end, 'OUT_OF_FUEL', 0);
      return;
    }
    const { hash } = program;
    const { depth } = frame;
    const interpreted = this.#interpretedRun(program);
    if (interpreted !== undefined) {
      runOnce(program, interpreted, state, left, end, frame);
      const fuelUsed = left - interpreted.functions.memory.fuelLeft - interpreted.fuelInside;
      this.#interpreted.ran(program, fuelUsed);
      this.#lending.ran(program, interpreted, fuelUsed);
      if (depth === 0) this.#messageEnded();
      return;
    }
    const lends = this.#lends(program, depth);
    const key = keyAt(hash, depth);
    // Taken out while it runs: an instance whose run throws is dropped, and a call of the same program has another.
    let instance = lends ? this.#lent.take(hash, depth) : this.#idle.take(key);
    let isKept = true;
    try {
      instance ??= lends ? this.#instanceInLent(program, depth) : this.#newInstance(program);
      isKept = runOnce(program, instance, state, left, end, frame);
    } catch (error) {
      if (instance !== undefined) throw error;
      // The instrumented module has no start section, so a RuntimeError here is a segment out of bounds.
      if (!(error instanceof WebAssembly.RuntimeError)) throw machineFailure(program, error);
      notEntered(end, 'TRAP', left);
      return;
    } finally {
      if (lends) {
        // Whatever went wrong may have left something in it.
        if (isKept) this.#lent.forget(depth);
        this.#lent.giveBack(depth);
      }
    }
    const fuelUsed = left - instance.functions.memory.fuelLeft - instance.fuelInside;
    this.#lending.ran(program, instance, fuelUsed);
    // A run inside of this one may have had its code forgotten.
    const isCounted = this.#codeOf(program, lends) !== undefined;
    if (!isKept && isCounted && instance.canServeAgain) {
      if (lends) this.#lent.keep(hash, depth, instance);
      else this.#idle.set(key, instance, instance.keptBytes);
    }
    if (depth === 0) this.#messageEnded();
  }

  /** Whether the next run of `program` has a lent memory: the code for the other one may be there, and must do. */
  #lends(program: Program, depth: number): boolean {
    if (!this.#lent.isFree(depth)) return false;
    const wanted = this.#lending.wants(program, depth);
    if (this.#budget.allows(program) || this.#codeOf(program, wanted) !== undefined) return wanted;
    return this.#codeOf(program, !wanted) === undefined ? wanted : !wanted;
  }

  #codeOf({ hash }: Program, lent: boolean): WebAssembly.Module | undefined {
    return this.#compiled.get(lent ? hash + LENT : hash);
  }

  readonly #isCompiled = (program: Program): boolean =>
    this.#codeOf(program, false) !== undefined || this.#codeOf(program, true) !== undefined;

  #interpretedRun(program: Program): ProgramRun | undefined {
    try {
      return this.#interpreted.runOf(program, this.#isCompiled);
    } catch (error) {
      // Only the machine can refuse it: there are no addresses to be had.
      throw error instanceof WarpshrewError ? error : machineFailure(program, error);
    }
  }

  #messageEnded(): void {
    this.#budget.messageEnded();
    this.#returned.trim();
    this.#forgottenBytes += this.#lent.trim() + this.#interpreted.trim();
    this.#freeForgotten();
  }

  /**
   * Programs that the interpreter keeps, those in the file beside it, and why no more go there; instances waiting for
   * their next run, the bytes of their memories, those in lent memories and the bytes of these; compiled programs, the
   * bytes that their code may take, and those of code that was forgotten since memory was freed.
   */
  get kept(): {
    readonly interpreted: number;
    readonly away: number;
    readonly notAway: string | undefined;
    readonly instances: number;
    readonly bytes: number;
    readonly inLent: number;
    readonly lentBytes: number;
    readonly compiled: number;
    readonly compiledBytes: number;
    readonly forgottenBytes: number;
  } {
    const { instances: inLent, takenBytes: lentBytes } = this.#lent;
    const { size: compiled, weight: compiledBytes } = this.#compiled;
    const instances = this.#idle.size + inLent;
    const forgottenBytes = this.#forgottenBytes;
    const { programs: interpreted, away } = this.#interpreted;
    return {
      interpreted,
      away: away.programs,
      notAway: away.failure,
      instances,
      bytes: this.#idle.weight,
      inLent,
      lentBytes,
      compiled,
      compiledBytes,
      forgottenBytes,
    };
  }

  #newInstance(program: Program): ProgramInstance {
    return new ProgramInstance(program, this.#compile(program), this.#runInner, undefined, this.#watch, this.#returned);
  }

  #instanceInLent(program: Program, depth: number): ProgramInstance {
    const module = this.#compiledAs(program.hash + LENT, program, () => program.instrumentedToLend);
    const memory = this.#lent.memoryOf(depth);
    return new ProgramInstance(program, module, this.#runInner, memory, this.#watch, this.#returned);
  }

  #forget(key: string, codeBytes: number): void {
    this.#forgottenBytes += codeBytes;
    this.#interpreted.forgotten(key.endsWith(LENT) ? key.slice(0, -LENT.length) : key);
    if (key.endsWith(LENT)) this.#lent.forgetProgram(key.slice(0, -LENT.length));
    else for (let depth = 0; depth <= MAX_DEPTH; depth++) this.#idle.take(keyAt(key, depth));
  }

  #freeForgotten(): void {
    if (this.#forgottenBytes <= MOST_FORGOTTEN_BYTES) return;
    this.#forgottenBytes = 0;
    freeMemory();
  }

  #compile(program: Program): WebAssembly.Module {
    return this.#compiledAs(program.hash, program, () => program.instrumented);
  }

  #compiledAs(key: string, program: Program, instrumented: () => Uint8Array): WebAssembly.Module {
    let module = this.#compiled.get(key);
    if (!module) {
      const { compiledBytes } = program;
      this.#freeForgotten();
      this.#budget.spend(program);
      module = compileContract(instrumented(), compiledBytes);
      this.#compiled.set(key, module, compiledBytes);
    }
    return module;
  }
}

/** A contract that calls itself has an instance for each frame: they wait under the depth that they served. */
function keyAt(hash: string, depth: number): string {
  return depth === 0 ? hash : `${hash} ${depth}`;
}

/** The end of a run that no instruction of the program took part in. */
function notEntered(end: RunEnd, status: 'TRAP' | 'OUT_OF_FUEL', fuelLeft: number): void {
  end.ended(status, 'none', fuelLeft, false, EMPTY_BYTES, 0, -1, 0);
}

/** Runs `__execute` and tells `end`; gives whether the memory of the instance is kept. */
function runOnce(
  program: Program,
  instance: ProgramRun,
  state: RunState,
  fuel: number,
  end: RunEnd,
  frame: Frame,
): boolean {
  const { functions } = instance;
  const { memory } = functions;
  instance.begin(state, fuel, frame);
  let status: RunStatus = 'OK';
  let reason: RevertReason = 'none';
  let pointer = 0;
  try {
    pointer = instance.execute();
  } catch (error) {
    if (error instanceof RunStop) {
      status = error.reason === 'out-of-fuel' ? 'OUT_OF_FUEL' : 'REVERT';
      if (error.reason !== 'out-of-fuel') reason = error.reason;
    } else if (error instanceof WebAssembly.RuntimeError) {
      const why = instance.why.value;
      if (why === WHY_HOST) throw machineFailure(program, error);
      status = why === WHY_FUEL ? 'OUT_OF_FUEL' : 'TRAP';
    } else {
      // A RangeError is V8's stack overflow; anything else comes from `state`.
      throw error instanceof RangeError ? machineFailure(program, error) : error;
    }
  } finally {
    instance.finish();
  }
  const { askedDryRun } = functions;
  const fuelLeft = status === 'OUT_OF_FUEL' ? 0 : memory.fuelLeft;
  const length = status === 'OK' ? memory.lengthAt(pointer) : -1;
  return end.ended(status, reason, fuelLeft, askedDryRun, memory.bytes, pointer >>> 0, length, instance.copiedBytes);
}

function machineFailure(program: Program, cause: unknown): InternalError {
  return new InternalError('this machine could not run a program that the rules let run', {
    cause,
    facts: { program: program.hash, reason: cause instanceof Error ? cause.message : String(cause) },
    hint: 'Give the process more memory and start it again; if that does not help, report it with the whole text.',
  });
}
