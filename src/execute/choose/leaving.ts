/**
 * Whether, under `balance`, calls that ask whether they run dry wait for the division, or threads run them whole at
 * once: two passes cost more than one, and only programs that take the kernel far enough pay for that. Decided by what
 * blocks with the same programs took either way. Decides about speed alone.
 */
import { ProgramTable } from './program-table.js';

/** Blocks that are run each way before the better one is known, and times that are kept of each. */
export const FIRST_BLOCKS_EACH = 5;
/** After so many blocks the other way is tried once. */
export const OTHER_TRIED_AFTER = 64;
/** Fewer rows say nothing about batches. */
const FEWEST_ROWS = 64;
/** Sizes of blocks are told apart by their powers of four. */
const CLASS_FACTOR = 4;
const MOST_KEPT = 256;

interface Ways {
  /** Milliseconds a row of the last blocks, by way. */
  readonly waits: number[];
  readonly atOnce: number[];
  blocks: number;
}

export class Leaving {
  readonly #known = new ProgramTable<Ways>(MOST_KEPT, () => ({ waits: [], atOnce: [], blocks: 0 }));
  #running: { readonly times: number[]; readonly rows: number } | undefined;

  /** Whether the calls of `programs` (hashes) wait in the block of `rows` transactions that comes. */
  waits(programs: ReadonlySet<string>, rows: number): boolean {
    this.#running = undefined;
    if (programs.size === 0 || rows < FEWEST_ROWS) return true;
    const size = Math.floor(Math.log(rows) / Math.log(CLASS_FACTOR));
    const known = this.#known.of(`${size} ${[...programs].sort().join(' ')}`, 1);
    const waits = choose(known);
    this.#running = { times: waits ? known.waits : known.atOnce, rows };
    return waits;
  }

  /** That block has taken `ms`. */
  took(ms: number): void {
    if (this.#running === undefined) return;
    const { times, rows } = this.#running;
    this.#running = undefined;
    times.push(ms / rows);
    if (times.length > FIRST_BLOCKS_EACH) times.shift();
  }
}

function choose(known: Ways): boolean {
  const { waits, atOnce } = known;
  if (waits.length < FIRST_BLOCKS_EACH) return true;
  if (atOnce.length < FIRST_BLOCKS_EACH) return false;
  // The least of a few: first runs compile code, and any may be disturbed.
  const better = Math.min(...waits) <= Math.min(...atOnce);
  return ++known.blocks % OTHER_TRIED_AFTER === 0 ? !better : better;
}
