/**
 * Rehearsals: worker threads run rows of a block that the engine runs itself, and throw away what they find. A thread
 * that has run no rows yet takes twenty times as long for one, until V8 has compiled what it needs; nobody waits for
 * that.
 */

/** How much each thread runs, whichever comes first. */
export interface RehearsalLength {
  readonly rows: number;
  readonly ms: number;
}

/** How far a rehearsal is. */
export interface RehearsalProgress {
  /** Threads that have come to its end. */
  readonly ended: number;
  /** No more of it follows: the threads were needed. */
  readonly isStopped: boolean;
  /** Microseconds that the slowest of them takes now to run a row once; undefined: not each has run some. */
  readonly slowestUs: number | undefined;
}

/** Words of the shared memory, before one for each thread: `turns` counts whatever lets a thread that waits go on. */
const AT = { stopped: 0, atOnce: 1, working: 2, turns: 3, ended: 4, failed: 5 } as const;
const WORDS = 6;
/** No thread is that slow. */
const MOST_US = 0x7fffffff;
/** Milliseconds after which a thread that waits for its turn looks by itself. */
const LOOK_MS = 50;

/** What the engine and its threads share of one rehearsal. */
export class Rehearsal implements RehearsalProgress {
  readonly #words: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  static of(threads: number): Rehearsal {
    return new Rehearsal(new SharedArrayBuffer((WORDS + threads) * Int32Array.BYTES_PER_ELEMENT));
  }

  /** So many threads work at a time; others that do end with the rows that they are running, and wait. */
  allow(atOnce: number): void {
    Atomics.store(this.#words, AT.atOnce, atOnce);
    this.#wake();
  }

  /** Threads end with the rows that they are running. */
  stop(): void {
    Atomics.store(this.#words, AT.stopped, 1);
    this.#wake();
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, AT.stopped) !== 0;
  }

  get ended(): number {
    return Atomics.load(this.#words, AT.ended);
  }

  /** Threads of which what they ran has thrown. */
  get failed(): number {
    return Atomics.load(this.#words, AT.failed);
  }

  get slowestUs(): number | undefined {
    const times = this.#words.subarray(WORDS);
    return times.every((us) => us > 0) ? times.reduce((most, us) => Math.max(most, us), 0) : undefined;
  }

  /** Thread number `thread` takes `us` microseconds to run a row once. */
  tell(thread: number, us: number): void {
    Atomics.store(this.#words, WORDS + thread, Math.max(1, Math.min(MOST_US, Math.ceil(us))));
  }

  /** Of a thread: does `step` whenever it may, until that gives false. What it throws ends it. */
  takePart(step: () => boolean): void {
    let isWorking = false;
    try {
      while (!this.isStopped) {
        if (isWorking && this.#isCrowded) isWorking = this.#leave();
        isWorking ||= this.#enter();
        if (isWorking && !step()) break;
      }
    } catch {
      // The state changes while it is read; if it is more than that, the run that counts will say so.
      Atomics.add(this.#words, AT.failed, 1);
    }
    if (isWorking) this.#leave();
    if (!this.isStopped) Atomics.add(this.#words, AT.ended, 1);
  }

  get #isCrowded(): boolean {
    return Atomics.load(this.#words, AT.working) > Atomics.load(this.#words, AT.atOnce);
  }

  /** Whether there is room for one more; if not, it has waited for it a little. */
  #enter(): boolean {
    const words = this.#words;
    const turns = Atomics.load(words, AT.turns);
    const working = Atomics.load(words, AT.working);
    if (working < Atomics.load(words, AT.atOnce)) {
      return Atomics.compareExchange(words, AT.working, working, working + 1) === working;
    }
    Atomics.wait(words, AT.turns, turns, LOOK_MS);
    return false;
  }

  #leave(): false {
    Atomics.sub(this.#words, AT.working, 1);
    this.#wake();
    return false;
  }

  #wake(): void {
    Atomics.add(this.#words, AT.turns, 1);
    Atomics.notify(this.#words, AT.turns);
  }
}
