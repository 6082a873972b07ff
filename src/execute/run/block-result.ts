/** What a block leaves, where its receipts are written as they are stored. */

import { countOutcomes } from '../../lane/receipt.js';
import type { ReceiptList } from '../../lane/receipt-list.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult, LaneOutcome, LaneWrites, Receipt, StateReader } from '../../lane/types.js';
import { dropVoidDeletions } from './merge-writes.js';

/** Hears what became of each lane transaction. */
export type OnOutcome = (transaction: LaneTransaction, outcome: LaneOutcome) => void;

/** The result of a block whose receipts are written already: they are decoded when somebody asks. */
export function resultOf(
  writes: LaneWrites,
  list: ReceiptList,
  plan: LaneBlockResult['plan'],
  statistics: LaneStatistics,
): LaneBlockResult {
  let decoded: readonly Receipt[] | undefined;
  return {
    writes,
    // Hardly anybody looks at them before they are stored.
    get receipts() {
      decoded ??= list.decoded();
      return decoded;
    },
    encodedReceipts: list,
    plan,
    statistics,
  };
}

/** The result of a block whose receipts are objects; `statistics` get their counts. */
export function finish(
  before: StateReader,
  writes: LaneWrites,
  receipts: readonly Receipt[],
  statistics: LaneStatistics,
  plan: LaneBlockResult['plan'],
): LaneBlockResult {
  statistics.lane = countOutcomes(receipts);
  for (const { executor } of receipts) statistics.executors[executor]++;
  dropVoidDeletions(writes, (key) => before.get(key) !== undefined);
  return { writes, receipts, plan, statistics };
}
