/** The plan as people and tests look at it: a graphology graph, and a drawing of it. */
import Graphology from 'graphology';
import type { Plan } from './plan.js';

/** The part of graphology's interface that pictures and tests use. */
interface PictureGraph {
  readonly order: number;
  readonly size: number;
  inNeighbors(node: string): string[];
  getNodeAttribute(node: string, name: string): unknown;
  forEachNode(callback: (node: string, attributes: Readonly<Record<string, unknown>>) => void): void;
  forEachEdge(
    callback: (edge: string, attributes: Readonly<Record<string, unknown>>, source: string, target: string) => void,
  ): void;
}

interface BuildGraph extends PictureGraph {
  addNode(node: string, attributes: Record<string, unknown>): string;
  addEdge(source: string, target: string): string;
}

// graphology is CommonJS: under NodeNext its class is the `default` of the import.
const { DirectedGraph } = Graphology as { DirectedGraph: new () => BuildGraph };

/**
 * The conflict graph as a graphology graph: node `String(i)` with attribute `colour` (and what `attributes` adds),
 * edges i → j. The engine itself stays with typed arrays: for 100,000 edges and more this takes seconds.
 */
export function toGraphology(
  { graph, colouring }: Pick<Plan, 'graph' | 'colouring'>,
  attributes: (i: number) => Record<string, unknown> = () => ({}),
): PictureGraph {
  const out = new DirectedGraph();
  for (let i = 0; i < graph.count; i++) out.addNode(String(i), { colour: colouring.colours[i], ...attributes(i) });
  const { offsets, values } = graph.predecessors;
  for (let j = 0; j < graph.count; j++) {
    for (let at = offsets[j]; at < offsets[j + 1]; at++) out.addEdge(String(values[at]), String(j));
  }
  return out;
}

/** The graph in Graphviz's DOT language, one row of nodes a batch. `label` names node i: letters, digits, spaces. */
export function toDot(plan: Pick<Plan, 'graph' | 'colouring'>, label: (i: number) => string): string {
  const graph = toGraphology(plan, (i) => ({ label: label(i) }));
  const rows = plan.colouring.widths.map((): string[] => []);
  const lines = ['digraph plan {', '  rankdir=LR;', '  node [shape=box];'];
  graph.forEachNode((node, attributes) => {
    lines.push(`  ${node} [label="${String(attributes.label)}"];`);
    rows[Number(attributes.colour) - 1].push(node);
  });
  for (const row of rows) lines.push(`  { rank=same; ${row.join('; ')}; }`);
  graph.forEachEdge((_edge, _attributes, source, target) => {
    lines.push(`  ${source} -> ${target};`);
  });
  return [...lines, '}'].join('\n');
}
