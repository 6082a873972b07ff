/** Phase 1 after the dry run: access sets → conflict graph → colours. */
import { type AccessSet, buildAccessSets } from './access-sets.js';
import { colourInOrder } from './colouring.js';
import { buildConflictGraph } from './conflict-graph.js';
import type { Plan } from './report.js';

/** Plans transactions given in block order. */
export function makePlan(accesses: readonly AccessSet[]): Plan {
  const sets = buildAccessSets(accesses);
  const graph = buildConflictGraph(sets);
  return { sets, graph, colouring: colourInOrder(graph) };
}
