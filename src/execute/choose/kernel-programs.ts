/** Which programs the kernel runs so reliably that threads need not run their calls as well. */

/** Programs that are remembered. */
const MOST_PROGRAMS = 256;
/** All but so large a part of a program's calls must be the kernel's. */
const MOST_OTHERS = 1 / 8;
/** A program is asked for whole dry runs in at most so many of its blocks before it is tried again. */
const MOST_PATIENCE = 1_024;

interface Known {
  isLeft: boolean;
  /** Times that the kernel did not do what it was left, and blocks until it is left something again. */
  failures: number;
  wait: number;
}

/** How the calls of one program went in a block. */
export interface KernelTally {
  /** Calls that the kernel was given. */
  calls: number;
  /** Those of them that waited for no other transaction, and saw nothing that was predicted. */
  free: number;
  /** Those that it has run. */
  taken: number;
}

/** How the transactions of one program behaved in a block that ran one after the other. */
export interface ProgramSight {
  readonly rows: number;
  readonly stale: number;
  readonly steady: number;
  readonly asked: number;
}

/** Whether nearly all of its calls ask whether they run dry, and stand by themselves: the kernel could run them. */
export function couldBeLeft({ rows, stale, steady, asked }: ProgramSight): boolean {
  const others = MOST_OTHERS * rows;
  return asked >= rows - others && stale + steady <= others;
}

/**
 * A program may ask whether its run is a dry run, and then leave out what does not change which keys it touches. Where
 * the kernel makes the whole run in any case, none follows such a dry run. What that run would have told is missing
 * where calls share keys, so only programs are left to the kernel whose calls hardly did in the last block.
 */
export class KernelPrograms {
  readonly #known = new Map<string, Known>();

  /** Hashes of the programs whose whole runs are left to the kernel. */
  get leftToKernel(): ReadonlySet<string> {
    const left = new Set<string>();
    for (const [hash, { isLeft }] of this.#known) if (isLeft) left.add(hash);
    return left;
  }

  /** Whether its whole runs are left to the kernel. */
  isLeft(hash: string): boolean {
    return this.#known.get(hash)?.isLeft === true;
  }

  /** The calls of program `hash`, which has a kernel, were seen in a block to be such as may be left to it. */
  expect(hash: string): void {
    const known = this.#known.get(hash) ?? { isLeft: false, failures: 0, wait: 0 };
    if (known.wait > 0) known.wait--;
    else known.isLeft = true;
    this.#keep(hash, known);
  }

  /** A block has ended in which the kernel was given calls of program `hash`. */
  learn(hash: string, { calls, free, taken }: KernelTally): void {
    const known = this.#known.get(hash) ?? { isLeft: false, failures: 0, wait: 0 };
    this.#keep(hash, known);
    const others = calls - Math.min(free, taken);
    if (others > MOST_OTHERS * calls) {
      if (known.isLeft) known.wait = Math.min(MOST_PATIENCE, 2 ** ++known.failures);
      known.isLeft = false;
    } else if (known.wait > 0) known.wait--;
    else known.isLeft = true;
  }

  #keep(hash: string, known: Known): void {
    this.#known.delete(hash);
    this.#known.set(hash, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_PROGRAMS) break;
      this.#known.delete(oldest);
    }
  }
}
