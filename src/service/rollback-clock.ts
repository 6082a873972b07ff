import { setTimeout as sleep } from 'node:timers/promises';

/** How often {@link RollbackClock.quiet} looks. */
const LOOK_MS = 2;

/**
 * Tells threads that read the store that blocks are being undone: a counter in shared memory, odd meanwhile. A reader
 * of many values remembers it before the first and compares after the last; if it has moved, the values may be of two
 * states.
 */
export class RollbackClock {
  readonly #cell: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.#cell = new Int32Array(buffer);
  }

  get now(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Runs `undo` (by the one writer). */
  async during(undo: () => Promise<void>): Promise<void> {
    Atomics.add(this.#cell, 0, 1);
    try {
      await undo();
    } finally {
      Atomics.add(this.#cell, 0, 1);
    }
  }

  /** The count once nothing is being undone. */
  async quiet(): Promise<number> {
    for (;;) {
      const count = this.now;
      if (count % 2 === 0) return count;
      await sleep(LOOK_MS);
    }
  }
}
