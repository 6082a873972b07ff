/** Receipts and counters of lane transactions. */
import { keyHex } from './keys.js';
import type { Executor, LaneCounters, LaneOutcome, Receipt } from './types.js';

/** How a transaction was run: differs between policies, never part of a comparison. */
export interface HowRun {
  readonly colour: number;
  readonly executor: Executor;
  readonly repaired: boolean;
}

/** The receipt of an outcome; keys as sorted hex. */
export function makeReceipt(height: number, outcome: LaneOutcome, how: HowRun): Receipt {
  return {
    height,
    index: outcome.index,
    txid: outcome.txid,
    undone: outcome.undone,
    messages: outcome.messages,
    fuel: outcome.messages.reduce((sum, message) => sum + message.fuelUsed, 0),
    reads: [...outcome.reads.keys()].map(keyHex).sort(),
    writes: [...outcome.writes.keys()].map(keyHex).sort(),
    ...how,
  };
}

/** Counts lane transactions and the ends of their (8,8) messages (docs/lane-rules.md, section 4). */
export function countOutcomes(outcomes: readonly LaneOutcome[]): LaneCounters {
  const counters: LaneCounters = { txs: outcomes.length, ok: 0, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 };
  for (const outcome of outcomes) {
    for (const { status } of outcome.messages) {
      if (status === 'OK') counters.ok++;
      else if (status === 'REVERT') counters.revert++;
      else if (status === 'TRAP') counters.trap++;
      else if (status === 'OUT_OF_FUEL') counters.outOfFuel++;
      else if (status === 'REJECTED') counters.malformed++;
    }
  }
  return counters;
}
