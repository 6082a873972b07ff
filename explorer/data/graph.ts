import type { BlockGraph, GraphNode } from '../../src/client/types.js';
import type { ExecutorName } from '../ui/shares.js';

/** A conflict graph with what pages ask of it again and again. */
export interface Graph extends BlockGraph {
  /** Numbers of edges that lead to a node, and that begin with it. */
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
  readonly colours: number;
  readonly executors: Readonly<Record<ExecutorName, number>>;
}

export function indexed(graph: BlockGraph): Graph {
  const before = graph.nodes.map((): number[] => []);
  const after = graph.nodes.map((): number[] => []);
  graph.edges.forEach(({ from, to }, edge) => {
    after[from].push(edge);
    before[to].push(edge);
  });
  const executors = { reuse: 0, gpu: 0, cpu: 0, sequential: 0 };
  let colours = 0;
  for (const { executor, colour } of graph.nodes) {
    executors[executor]++;
    colours = Math.max(colours, colour);
  }
  return { ...graph, before, after, colours, executors };
}

/** What was out of the ordinary about a transaction. */
export function notesOf({ demoted, repaired, predicted, mispredicted }: GraphNode): string[] {
  return [
    ...(demoted ? ['demoted'] : []),
    ...(repaired ? ['repaired'] : []),
    ...(mispredicted ? ['wrongly predicted'] : predicted ? ['predicted'] : []),
  ];
}
