import type { LaneBlockResult, Receipt } from '../../lane/types.js';
import { bytesEqual } from '../../util/bytes.js';
import { comparable } from '../fuzz/fuzz.js';

type Compared = Pick<LaneBlockResult, 'writes' | 'receipts'>;

/** Writes and receipts of `other` that are not those of `truth`, apart from how a transaction was run. */
export function countDifferences(truth: Compared, other: Compared): number {
  if (truth === other) return 0;
  let differences = 0;
  for (const [key, value] of truth.writes) {
    if (!other.writes.has(key) || !bytesEqual(value, other.writes.get(key))) differences++;
  }
  for (const key of other.writes.keys()) if (!truth.writes.has(key)) differences++;
  const count = Math.max(truth.receipts.length, other.receipts.length);
  for (let i = 0; i < count; i++) {
    if (whatItSays(truth.receipts[i]) !== whatItSays(other.receipts[i])) differences++;
  }
  return differences;
}

function whatItSays(receipt: Receipt | undefined): string {
  return receipt === undefined ? '' : JSON.stringify(comparable(receipt));
}
