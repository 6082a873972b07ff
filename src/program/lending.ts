/** Which memory a program had better run in: one of its own, or a lent one (lent-memory.ts). Results are the same. */
import { BoundedCache } from './lru.js';
import type { Program } from './types.js';

/** Programs of which is remembered where they had better run. */
const REMEMBERED_PROGRAMS = 4_096;
/**
 * Fuel up to which a run is faster in a lent memory, whose checks take time with every access. In a memory of its own a
 * run that grew needs a fresh instance, and so does often one inside of another, since instances are kept for few
 * frames; any other has all of its first pages cleared.
 */
const LENT_FUEL = 300_000;
const LENT_FUEL_A_PAGE = 80_000;
const LENT_FUEL_A_REFERENCE = 800;
const LENT_FUEL_A_CLEARED_PAGE = 10_000;
/** Pages that take longer to clear than the checks of a short run in a lent memory. */
export const MANY_PAGES = 4;

/** What a run has left to tell. */
export interface RanIn {
  /** Bytes that its memory has grown by. */
  readonly grownBytes: number;
  /** Functions that an instance of it holds references of. */
  readonly references: number;
}

export class Lending {
  /** By hash: fuel that the last run used more than a message's run in a lent memory had better use. */
  readonly #over = new BoundedCache<number>(REMEMBERED_PROGRAMS, REMEMBERED_PROGRAMS);

  /** Whether the next run of `program`, so many calls below its message, had better have a lent memory. */
  wants(program: Program, depth: number): boolean {
    if (!program.fitsLent) return false;
    const over = this.#over.get(program.hash) ?? (program.lendsFirst ? 0 : 1);
    return over <= (depth > 0 ? LENT_FUEL : 0);
  }

  /** A run of `program` has used `fuel`. */
  ran({ hash, minPages }: Program, { grownBytes, references }: RanIn, fuel: number): void {
    const clearing = minPages < MANY_PAGES ? 0 : LENT_FUEL_A_CLEARED_PAGE * minPages;
    const growing = grownBytes === 0 ? 0 : LENT_FUEL + LENT_FUEL_A_PAGE * (grownBytes >> 16);
    const instance = growing === 0 ? 0 : LENT_FUEL_A_REFERENCE * references;
    const over = fuel - growing - clearing - instance;
    this.#over.set(hash, growing + clearing === 0 ? Math.max(1, over) : over, 1);
  }
}
