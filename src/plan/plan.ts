/** Phase 1 after the dry run: access sets → conflict graph → colours. */
import type { PlanSummary } from '../lane/types.js';
import { type AccessSet, type AccessSets, buildAccessSets } from './access-sets.js';
import { type Colouring, colourInOrder } from './colouring.js';
import { buildConflictGraph, type ConflictGraph } from './conflict-graph.js';

/** Everything phase 1 knows of the transactions that can be dry-run, by their position among these. */
export interface Plan {
  readonly sets: AccessSets;
  readonly graph: ConflictGraph;
  readonly colouring: Colouring;
}

/** Plans transactions given in block order. */
export function makePlan(accesses: readonly AccessSet[]): Plan {
  return planOf(buildAccessSets(accesses));
}

/** The same from sets whose keys are numbered. */
export function planOf(sets: AccessSets): Plan {
  const graph = buildConflictGraph(sets);
  return { sets, graph, colouring: colourInOrder(graph) };
}

/** Transactions that read a value which was predicted, and those of them for which one was wrong. */
export interface Predicted {
  readonly predicted: number;
  readonly mispredicted: number;
}

const NONE_PREDICTED: Predicted = { predicted: 0, mispredicted: 0 };

/** The summary of a plan for the store. `plan` is undefined if the block ran one transaction at a time. */
export function summarise(
  height: number,
  laneTxs: number,
  demoted: number,
  plan: Plan | undefined,
  predicted = NONE_PREDICTED,
): PlanSummary {
  return summariseParts(height, laneTxs, demoted, plan === undefined ? [] : [plan], predicted);
}

/** The same of a block that was planned in parts, which ran one after the other: so did their colours. */
export function summariseParts(
  height: number,
  laneTxs: number,
  demoted: number,
  plans: readonly Plan[],
  { predicted, mispredicted }: Predicted,
): PlanSummary {
  const colours = plans.reduce((sum, { colouring }) => sum + colouring.count, 0);
  return {
    height,
    laneTxs,
    demoted,
    edges: plans.reduce((sum, { graph }) => sum + graph.edges, 0),
    colours,
    widths: plans.flatMap(({ colouring }) => colouring.widths),
    longestChain: colours,
    predicted,
    mispredicted,
  };
}
