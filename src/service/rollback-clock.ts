import { setTimeout as sleep } from 'node:timers/promises';

/** Interval at which {@link RollbackClock.quiet} checks. */
const LOOK_MS = 2;

/**
 * Shows threads that read the store whether blocks are being undone: a counter in shared memory, odd during a rollback.
 * A reader of several values reads it before the first and after the last value; if it has changed, the values may
 * belong to two states.
 */
export class RollbackClock {
  readonly #cell: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.#cell = new Int32Array(buffer);
  }

  get now(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Runs `undo`; only the single writer may call this. */
  async during(undo: () => Promise<void>): Promise<void> {
    Atomics.add(this.#cell, 0, 1);
    try {
      await undo();
    } finally {
      Atomics.add(this.#cell, 0, 1);
    }
  }

  /** Resolves with the count once no rollback is under way. */
  async quiet(): Promise<number> {
    for (;;) {
      const count = this.now;
      if (count % 2 === 0) return count;
      await sleep(LOOK_MS);
    }
  }
}
