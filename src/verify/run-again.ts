/** What a stored block must have left, by running it once more on the state before it. */
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { LaneEngine } from '../execute/engine.js';
import type { Receipt } from '../lane/types.js';
import { HeightState } from '../simulate/height-state.js';
import type { StandardIndexer } from '../standard/standard-indexer.js';
import type { StoreReader } from '../store/reader.js';
import type { Namespace } from '../store/types.js';
import { bytesEqual, fromBinaryString } from '../util/bytes.js';

/** Keys whose values are read at a time. */
const PORTION = 4_096;

/** A value, or undefined for a key that goes, by key: a binary string. */
export type Values = ReadonlyMap<string, Uint8Array | undefined>;

export interface RunAgain {
  /** Keys that have another value after the block than before it. */
  readonly changes: Readonly<Record<Namespace, Values>>;
  readonly receipts: readonly Receipt[];
}

/**
 * Runs the block at `height` on the state after the one before, one transaction after the other, and the module over
 * the whole of it. Throws InputError BLOCK_* if `raw` is no block, ProgramError if the module fails, StoreError
 * STORE_HISTORY_PRUNED if that state is no longer kept.
 */
export async function runAgain(
  store: StoreReader,
  engine: LaneEngine,
  standard: StandardIndexer,
  raw: Uint8Array,
  height: number,
): Promise<RunAgain> {
  const before = height - 1;
  const run = standard.runBlock(raw, height);
  // Awaited below; if the lane fails first, nothing does.
  run.catch(() => undefined);
  const lane = await engine.processBlock(BlockOffsets.read(raw), height, { reader: new HeightState(store, before) });
  const { pairs, error } = await run;
  if (error !== undefined) throw error;
  return {
    changes: { S: changed(store, 'S', before, pairs), P: changed(store, 'P', before, lane.writes) },
    receipts: lane.receipts,
  };
}

/** The writes that give their key another value than it had after block `height`. */
function changed(store: StoreReader, ns: Namespace, height: number, writes: Values): Values {
  const changes = new Map<string, Uint8Array | undefined>();
  const all = [...writes];
  for (let from = 0; from < all.length; from += PORTION) {
    const portion = all.slice(from, from + PORTION);
    const earlier = store.getManyAt(
      ns,
      portion.map(([key]) => fromBinaryString(key)),
      height,
    );
    portion.forEach(([key, value], i) => {
      if (!bytesEqual(value, earlier[i])) changes.set(key, value);
    });
  }
  return changes;
}
