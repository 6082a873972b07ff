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
}

/** Words of the shared memory. */
const AT = { stopped: 0, places: 1, ended: 2, failed: 3 } as const;
const WORDS = 4;
/** Milliseconds after which a thread that waits for its place looks by itself. */
const LOOK_MS = 50;

/** What the engine and its threads share of one rehearsal. */
export class Rehearsal implements RehearsalProgress {
  readonly #words: Int32Array;

  /** `atOnce`: how many threads work at a time; the others wait for their turn. */
  static begin(atOnce: number): Rehearsal {
    const rehearsal = new Rehearsal(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
    Atomics.store(rehearsal.#words, AT.places, atOnce);
    return rehearsal;
  }

  constructor(readonly buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** Threads end with the row that they are running. */
  stop(): void {
    Atomics.store(this.#words, AT.stopped, 1);
    Atomics.notify(this.#words, AT.places);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, AT.stopped) !== 0;
  }

  get ended(): number {
    return Atomics.load(this.#words, AT.ended);
  }

  /** Threads that could not run the rows to the end of it. */
  get failed(): number {
    return Atomics.load(this.#words, AT.failed);
  }

  /** Of a thread: waits for its turn, rehearses, and lets the next one begin. Nothing that `rehearse` throws goes on. */
  takePart(rehearse: () => void): void {
    if (!this.#takePlace()) return;
    try {
      rehearse();
    } catch {
      // The state changes while it is read, and a run that counts tells of what is wrong on its own.
      Atomics.add(this.#words, AT.failed, 1);
    } finally {
      Atomics.add(this.#words, AT.ended, 1);
      Atomics.add(this.#words, AT.places, 1);
      Atomics.notify(this.#words, AT.places, 1);
    }
  }

  /** False: it was stopped before. */
  #takePlace(): boolean {
    while (!this.isStopped) {
      const free = Atomics.load(this.#words, AT.places);
      if (free === 0) Atomics.wait(this.#words, AT.places, 0, LOOK_MS);
      else if (Atomics.compareExchange(this.#words, AT.places, free, free - 1) === free) return true;
    }
    return false;
  }
}
