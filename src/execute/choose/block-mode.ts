/**
 * How `auto` runs a whole block: in parallel (dry runs, plan, batches, validation), or one transaction after the other. The first
 * does light or conflicting work twice, and wakes threads for it; only measuring tells from where on that pays. Never what it means.
 */
import type { LaneTransaction } from '../../lane/scan.js';

export type BlockMode = 'parallel' | 'sequential';

export interface ModeChooser {
  choose(transactions: readonly LaneTransaction[]): BlockMode;
  /** All of `transactions` took `ms` that way. */
  took(transactions: readonly LaneTransaction[], mode: BlockMode, ms: number): void;
}

/** For policies and tests that want the parallel way whatever it costs. */
export const ALWAYS_PARALLEL: ModeChooser = { choose: () => 'parallel', took() {} };

/** Blocks larger than this are tried in parallel first. */
const PARALLEL_FIRST = 64;
/** Runs of either way before one is preferred: the first ones start threads and compile code. */
const TRIALS = 3;
/** The way that was slower is tried again after this many blocks. */
const TRY_AGAIN = 256;
const WEIGHT = 0.3;
/** Kinds of blocks that are remembered; more than that begin anew. */
const MOST_KINDS = 1_024;
/** Bytes of a message that name what it calls: 8, 8, block and tx as a rule. */
const NAMING_BYTES = 6;
const SAMPLES = 64;

interface Ways {
  /** Microseconds per transaction: the least of the trials, an exponential average from then on. */
  us: number;
  runs: number;
}

interface Kind {
  readonly parallel: Ways;
  readonly sequential: Ways;
  /** Blocks since the slower way was last taken. */
  sinceSlower: number;
}

/** Remembers what either way took by kind of block: what most of its messages call, and its size as a power of two. */
export class BlockModes implements ModeChooser {
  readonly #kinds = new Map<string, Kind>();

  choose(transactions: readonly LaneTransaction[]): BlockMode {
    const kind = this.#kinds.get(kindOf(transactions));
    if (kind === undefined) return transactions.length > PARALLEL_FIRST ? 'parallel' : 'sequential';
    const { parallel, sequential, sinceSlower } = kind;
    if (parallel.runs < TRIALS) return 'parallel';
    if (sequential.runs < TRIALS) return 'sequential';
    return (faster(kind) === 'parallel') === sinceSlower < TRY_AGAIN ? 'parallel' : 'sequential';
  }

  took(transactions: readonly LaneTransaction[], mode: BlockMode, ms: number): void {
    if (transactions.length === 0) return;
    const name = kindOf(transactions);
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      if (this.#kinds.size >= MOST_KINDS) this.#kinds.clear();
      kind = { parallel: { us: 0, runs: 0 }, sequential: { us: 0, runs: 0 }, sinceSlower: 0 };
      this.#kinds.set(name, kind);
    }
    const way = kind[mode];
    const us = (ms * 1000) / transactions.length;
    if (way.runs === 0) way.us = us;
    else if (way.runs < TRIALS) way.us = Math.min(way.us, us);
    else way.us += WEIGHT * (us - way.us);
    way.runs++;
    kind.sinceSlower = mode === faster(kind) ? kind.sinceSlower + 1 : 0;
  }
}

function faster({ parallel, sequential }: Kind): BlockMode {
  return parallel.us < sequential.us ? 'parallel' : 'sequential';
}

/** From a sample across the block: any choice is right, so it need not be exact. */
function kindOf(transactions: readonly LaneTransaction[]): string {
  const step = Math.max(1, Math.floor(transactions.length / SAMPLES));
  const counts = new Map<string, number>();
  let most = '';
  for (let i = 0; i < transactions.length; i += step) {
    const message = transactions[i].protostones.find((p) => p.message !== undefined)?.message;
    const name = message === undefined ? '' : message.subarray(0, NAMING_BYTES).join();
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (count > (counts.get(most) ?? 0)) most = name;
  }
  return `${Math.floor(Math.log2(transactions.length + 1))}:${most}`;
}
