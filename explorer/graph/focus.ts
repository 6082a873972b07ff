/** What of a graph is looked at, and what belongs to it. */
import { type Graph, notesOf } from '../data/graph.js';

export type Focus =
  | { readonly kind: 'node'; readonly at: number }
  | { readonly kind: 'edge'; readonly at: number }
  | { readonly kind: 'key'; readonly at: number }
  | { readonly kind: 'note'; readonly note: string }
  | { readonly kind: 'longest' };

export interface Lit {
  readonly nodes: ReadonlySet<number>;
  readonly edges: ReadonlySet<number>;
}

export function litBy(graph: Graph, focus: Focus): Lit {
  const { edges, nodes, before, after, longest } = graph;
  switch (focus.kind) {
    case 'node':
      return withEnds(graph, [...before[focus.at], ...after[focus.at]], [focus.at]);
    case 'edge':
      return withEnds(graph, [focus.at]);
    case 'key':
      return withEnds(
        graph,
        [...edges.keys()].filter((edge) => edges[edge].key === focus.at),
      );
    case 'note':
      return withEnds(
        graph,
        [],
        [...nodes.keys()].filter((node) => notesOf(nodes[node]).includes(focus.note)),
      );
    case 'longest':
      return withEnds(graph, longestEdges(graph), longest);
  }
}

/** The edges of the longest chain. */
export function longestEdges({ longest, before, edges }: Graph): number[] {
  return longest.slice(1).flatMap((node, i) => before[node].find((edge) => edges[edge].from === longest[i]) ?? []);
}

function withEnds({ edges }: Graph, lit: readonly number[], nodes: readonly number[] = []): Lit {
  return {
    edges: new Set(lit),
    nodes: new Set([...nodes, ...lit.flatMap((edge) => [edges[edge].from, edges[edge].to])]),
  };
}
