/**
 * Transactions that spend an output of another lane transaction of the block cannot be dry-run: the assets
 * that they receive are not known yet. They are demoted to sequential execution at their place in block order.
 */
import type { LaneTransaction } from '../lane/scan.js';

/** 1 for each demoted transaction, by position in the list of lane transactions. */
export function findDemoted(transactions: readonly LaneTransaction[]): Uint8Array {
  return Uint8Array.from(transactions, (transaction) => (transaction.parents.length > 0 ? 1 : 0));
}
