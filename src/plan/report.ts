/**
 * The report of a stored block's plan, computed on request: the engine keeps only the figures that it has at hand.
 * The access sets come from the receipts.
 */
import type { PlanSummary } from '../lane/types.js';
import type { AccessSet } from './access-sets.js';
import { dsaturBound } from './dsatur.js';
import { makePlan, type Plan, summarise } from './plan.js';
import { entriesOf, listsAll, type ReceiptSource, receiptPortions, sheetTxids, wireTxid } from './receipts.js';

export interface PlanReport extends PlanSummary {
  /**
   * Fewest colours that DSATUR finds when block order is ignored: a bound for people, never executed. Where its graph
   * is too large, the size of the largest set of transactions on one key of which each pair conflicts.
   */
  readonly dsatur: number;
  /**
   * `run`: the block ran in the batches of this plan. `receipts`: it ran one transaction at a time, and the figures are
   * those of a plan over what its receipts list.
   */
  readonly source: 'run' | 'receipts';
  /** False where receipts leave keys out, so that figures computed from them may be too low. */
  readonly complete: boolean;
}

/** The part of the store that a report needs. */
export interface PlanStore extends ReceiptSource {
  plan(height: number): PlanSummary | undefined;
}

/** Keys and messages of receipts that a report looks at: some 30 MB of stored text. */
export const MOST_ENTRIES = 200_000;

/** The figures of a plan that is at hand, with DSATUR's bound. */
export function reportOf(summary: PlanSummary, plan: Plan): PlanReport {
  return { ...summary, dsatur: boundOf(plan), source: 'run', complete: true };
}

/** The report of block `height`; undefined if the store has no plan of it. The block must not be undone meanwhile. */
export async function reportStored(store: PlanStore, height: number): Promise<PlanReport | undefined> {
  const stored = store.plan(height);
  if (stored === undefined) return undefined;
  const { accesses, complete } = await accessesOf(store, stored);
  const plan = makePlan(accesses);
  // Only a block of transactions that could be planned and were not has no colour.
  const wasPlanned = stored.colours > 0 || stored.laneTxs === stored.demoted;
  const summary = wasPlanned ? stored : summarise(height, stored.laneTxs, stored.demoted, plan);
  return { ...summary, dsatur: boundOf(plan), source: wasPlanned ? 'run' : 'receipts', complete };
}

function boundOf({ graph, colouring, sets }: Plan): number {
  return graph.edges === 0 ? colouring.count : dsaturBound(sets);
}

/** The access sets of the transactions that a plan consists of: all but the demoted ones. */
async function accessesOf(
  store: PlanStore,
  { height, laneTxs, demoted }: PlanSummary,
): Promise<{ accesses: AccessSet[]; complete: boolean }> {
  const accesses: AccessSet[] = [];
  const txids = new Set<string>();
  let complete = true;
  let entries = 0;
  for await (const portion of receiptPortions(store, height)) {
    for (const receipt of portion) {
      entries += entriesOf(receipt);
      complete &&= listsAll(receipt);
      // One that spends an output of another is demoted.
      if (!sheetTxids(receipt).some((txid) => txids.has(txid))) accesses.push(receipt);
      txids.add(wireTxid(receipt));
    }
    if (entries > MOST_ENTRIES) {
      complete = false;
      break;
    }
  }
  // Transactions that were not looked at count as ones without conflicts.
  while (accesses.length < laneTxs - demoted) accesses.push({ reads: [], writes: [] });
  return { accesses, complete };
}
