/**
 * What storing the pairs of a block takes and what depends on them alone: their order by key, and the hashes that the
 * state tree wants. The module's thread prepares it while it waits for the next block; whoever stores takes it, or does
 * the work himself if it was not begun.
 */
import { TreeMemory } from '../store/tree/tree-memory.js';
import { CHANGE_BYTES, type PackedWrites, type PreparedWrites } from '../util/packed-writes.js';
import { sortedByKey } from '../util/sort-packed.js';

/** Fewer pairs are not worth it, and more would take much memory. */
const LEAST_PAIRS = 500;
const MOST_PAIRS = 1 << 18;
/** How long the one who stores waits for a preparation that was begun, in milliseconds. */
const PATIENCE_MS = 500;

const OPEN = 0;
const BEGUN = 1;
const READY = 2;
/** Nobody wants it, or it failed. */
const DROPPED = 3;

/** Memory that both threads share. */
export interface Preparation {
  /** One word. */
  readonly state: Int32Array;
  readonly order: Uint32Array;
  readonly changes: Uint8Array;
}

let scratch: TreeMemory | undefined;

/** Room for the preparation of `count` pairs; undefined if they are too few or too many. */
export function makePreparation(count: number): Preparation | undefined {
  if (count < LEAST_PAIRS || count > MOST_PAIRS) return undefined;
  return {
    state: new Int32Array(new SharedArrayBuffer(4)),
    order: new Uint32Array(new SharedArrayBuffer(4 * count)),
    changes: new Uint8Array(new SharedArrayBuffer(CHANGE_BYTES * count)),
  };
}

/** Prepares `pairs`, unless they have been stored already. */
export function prepare({ state, order, changes }: Preparation, pairs: PackedWrites): void {
  if (Atomics.compareExchange(state, 0, OPEN, BEGUN) !== OPEN) return;
  let end = DROPPED;
  try {
    order.set(sortedByKey(pairs, pairs.addresses()));
    scratch ??= new TreeMemory();
    scratch.changesOf(pairs, changes);
    end = READY;
  } catch {
    // Whoever stores the pairs does the same, and says what is wrong.
    scratch = undefined;
  }
  Atomics.store(state, 0, end);
  Atomics.notify(state, 0);
}

/** What was prepared; undefined if it was not, and never will be then. */
export function takePrepared({ state, order, changes }: Preparation): PreparedWrites | undefined {
  if (Atomics.compareExchange(state, 0, OPEN, DROPPED) === OPEN) return undefined;
  // The thread may have been ended in the midst of it.
  if (Atomics.load(state, 0) === BEGUN) Atomics.wait(state, 0, BEGUN, PATIENCE_MS);
  return Atomics.load(state, 0) === READY ? { order, changes } : undefined;
}
