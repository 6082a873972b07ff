/**
 * Where the transactions of a block stand in the picture: batches from left to right in lines like text, in each the
 * transactions near those that they waited for. One pass over the edges and a sort of each batch; nothing is simulated.
 */
import type { Graph } from '../data/graph.js';

export interface Layout {
  /** By node. */
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** How much wider than high the picture is to be. */
const ASPECT = 2.2;
/** Room between batches, and between lines of them; between two transactions it is 1. */
const GAP_X = 1.6;
const GAP_Y = 2.5;
/** So many batches stand in one line, however long that gets. */
const ONE_LINE = 24;

interface Box {
  readonly nodes: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

export function layoutOf({ nodes, edges, before, colours }: Graph): Layout {
  const x = new Float64Array(nodes.length);
  const y = new Float64Array(nodes.length);
  const boxes = boxesOf(nodes.map(({ colour, demoted }) => (demoted ? colours + 1 : Math.max(1, colour))));
  for (const line of linesOf(boxes)) {
    for (const { box, left, middle } of line) {
      const places = box.nodes.map((node) => ({ node, at: meanOf(before[node].map((edge) => y[edges[edge].from])) }));
      // Those that waited for nobody keep the order of the block.
      places.sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || a.node - b.node);
      places.forEach(({ node }, place) => {
        const column = Math.floor(place / box.rows);
        const inColumn = Math.min(box.rows, box.nodes.length - column * box.rows);
        x[node] = left + column;
        y[node] = middle - ((place % box.rows) - (inColumn - 1) / 2);
      });
    }
  }
  return { x, y };
}

/** The nodes of each batch, and the grid that they stand in. */
function boxesOf(batchOf: readonly number[]): Box[] {
  const batches = new Map<number, number[]>();
  batchOf.forEach((batch, node) => {
    const known = batches.get(batch);
    if (known === undefined) batches.set(batch, [node]);
    else known.push(node);
  });
  const widest = [...batches.values()].reduce((most, { length }) => Math.max(most, length), 1);
  const most = Math.max(4, Math.ceil(Math.sqrt(widest)));
  return [...batches]
    .sort(([a], [b]) => a - b)
    .map(([, nodes]) => {
      const columns = Math.ceil(nodes.length / most);
      return { nodes, columns, rows: Math.ceil(nodes.length / columns) };
    });
}

interface Placed {
  readonly box: Box;
  readonly left: number;
  readonly middle: number;
}

/** Breaks the row of boxes into lines. */
function linesOf(boxes: readonly Box[]): Placed[][] {
  const area = boxes.reduce((sum, { columns, rows }) => sum + (columns + GAP_X) * (rows + GAP_Y), 0);
  const widest = boxes.reduce((most, { columns }) => Math.max(most, columns), 1);
  const width = boxes.length <= ONE_LINE ? Number.POSITIVE_INFINITY : Math.max(widest, Math.sqrt(area * ASPECT));
  const lines: Placed[][] = [];
  let top = 0;
  for (let at = 0; at < boxes.length; ) {
    const line: { box: Box; left: number }[] = [];
    let left = 0;
    for (; at < boxes.length; at++) {
      const box = boxes[at];
      if (left > 0 && left + box.columns > width) break;
      line.push({ box, left });
      left += box.columns + GAP_X;
    }
    const rows = line.reduce((most, { box }) => Math.max(most, box.rows), 1);
    const middle = top - rows / 2;
    lines.push(line.map((placed) => ({ ...placed, middle })));
    top -= rows + GAP_Y;
  }
  return lines;
}

function meanOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  // Up is more; the first of a batch stands at its top.
  return -values.reduce((sum, value) => sum + value, 0) / values.length;
}
