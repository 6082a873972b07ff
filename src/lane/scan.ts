/** Which transactions of a block are lane transactions (docs/lane-rules.md, section 1). */
import type { Block, Transaction } from '../bitcoin/types.js';
import { decodeProtostones } from '../protocol/protostones.js';
import { decodeRunestone } from '../protocol/runestone.js';
import type { Protostone } from '../protocol/types.js';
import { toBinaryString } from '../util/bytes.js';
import { sheetKey } from './keys.js';
import type { LaneKey, StateReader } from './types.js';

/** Protocol tag of Alkanes messages. */
export const LANE_TAG = 1n;

/** One lane transaction, ready to be run. Plain data that is sent to workers. */
export interface LaneTransaction {
  /** Position in the block. */
  readonly index: number;
  readonly tx: Transaction;
  /**
   * All protostones of the transaction; empty for a cenotaph, a protocol field that does not decode, or no runestone.
   */
  readonly protostones: readonly Protostone[];
  /** Positions (in the list of lane transactions, ascending) of those whose outputs it spends. */
  readonly parents: readonly number[];
}

/** What `scanBlock` reads: the state before the block. */
export interface SheetLookup extends StateReader {
  /** Called with keys that may be read next. */
  prefetch?(keys: readonly LaneKey[]): void;
}

/**
 * Lists the lane transactions of `block` in block order: those with a tag-1 protostone, those that spend an outpoint
 * with a lane sheet of the state before the block, and those that spend an output of a lane transaction of this block.
 */
export function scanBlock(block: Block, before: SheetLookup): LaneTransaction[] {
  const found: LaneTransaction[] = [];
  const inBlock = new Set<string>();
  const laneByTxid = new Map<string, number>();
  const decoded = block.transactions.map(protostonesOf);
  const callsLane = decoded.map((protostones) => protostones.some((p) => p.protocolTag === LANE_TAG));
  before.prefetch?.(block.transactions.flatMap((tx, index) => (callsLane[index] ? [] : sheetKeysOf(tx))));
  block.transactions.forEach((tx, index) => {
    const parents = new Set<number>();
    let isLane = callsLane[index];
    for (const input of tx.inputs) {
      const previous = toBinaryString(input.prevTxid);
      const parent = laneByTxid.get(previous);
      if (parent !== undefined) parents.add(parent);
      else if (!isLane && !inBlock.has(previous)) {
        isLane = before.get(sheetKey(input.prevTxid, input.prevVout)) !== undefined;
      }
    }
    const txid = toBinaryString(tx.txid);
    inBlock.add(txid);
    if (!isLane && parents.size === 0) return;
    laneByTxid.set(txid, found.length);
    found.push({ index, tx, protostones: decoded[index], parents: [...parents].sort((a, b) => a - b) });
  });
  return found;
}

/** Keys of the sheets that a transaction spends. */
export function sheetKeysOf(tx: Transaction): LaneKey[] {
  return tx.inputs.map(({ prevTxid, prevVout }) => sheetKey(prevTxid, prevVout));
}

/** The protostones of a transaction, none where the rules say that it has none. */
export function protostonesOf(tx: Transaction): readonly Protostone[] {
  const runestone = decodeRunestone(tx.outputs);
  if (runestone.kind !== 'runestone' || runestone.protocol === undefined) return [];
  const decoded = decodeProtostones(runestone.protocol, tx.outputs.length);
  return decoded.ok ? decoded.protostones : [];
}
