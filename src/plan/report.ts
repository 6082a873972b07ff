/** The plan as people and tests look at it: a graphology graph and a summary. */
import Graphology from 'graphology';
import type { PlanSummary } from '../lane/types.js';
import type { AccessSets } from './access-sets.js';
import type { Colouring } from './colouring.js';
import type { ConflictGraph } from './conflict-graph.js';
import { dsaturBound } from './dsatur.js';

/** Everything phase 1 knows of the transactions that can be dry-run, by their position among these. */
export interface Plan {
  readonly sets: AccessSets;
  readonly graph: ConflictGraph;
  readonly colouring: Colouring;
}

/** The part of graphology's interface that reports and tests use. */
export interface ReportGraph {
  readonly order: number;
  readonly size: number;
  inNeighbors(node: string): string[];
  getNodeAttribute(node: string, name: string): unknown;
  setNodeAttribute(node: string, name: string, value: unknown): unknown;
  forEachNode(callback: (node: string) => void): void;
}

interface BuildGraph extends ReportGraph {
  addNode(node: string, attributes: Record<string, unknown>): string;
  addEdge(source: string, target: string): string;
}

// graphology is CommonJS: under NodeNext its class is the `default` of what is imported.
const { DirectedGraph } = Graphology as { DirectedGraph: new () => BuildGraph };

/**
 * The conflict graph as a graphology graph: node `String(i)` with attribute `colour` (and what `attributes` adds),
 * edges i → j. For reports, pictures and tests; the hot path stays in typed arrays.
 */
export function toGraphology(
  { graph, colouring }: Pick<Plan, 'graph' | 'colouring'>,
  attributes: (i: number) => Record<string, unknown> = () => ({}),
): ReportGraph {
  const out = new DirectedGraph();
  for (let i = 0; i < graph.count; i++) out.addNode(String(i), { colour: colouring.colours[i], ...attributes(i) });
  const { offsets, values } = graph.predecessors;
  for (let j = 0; j < graph.count; j++) {
    for (let at = offsets[j]; at < offsets[j + 1]; at++) out.addEdge(String(values[at]), String(j));
  }
  return out;
}

/** The figures of a plan. `plan` is undefined where nothing was planned (policy `sequential`). */
export function summarise(height: number, laneTxs: number, demoted: number, plan: Plan | undefined): PlanSummary {
  return {
    height,
    laneTxs,
    demoted,
    edges: plan?.graph.edges ?? 0,
    colours: plan?.colouring.count ?? 0,
    widths: plan?.colouring.widths ?? [],
    longestChain: plan?.colouring.count ?? 0,
    dsatur: plan === undefined ? 0 : plan.graph.edges === 0 ? plan.colouring.count : dsaturBound(plan.sets),
  };
}
