/** The colouring that respects block order: colour(j) = 1 + the largest colour of its predecessors. */
import type { ConflictGraph } from './conflict-graph.js';

export interface Colouring {
  /** Colour of each transaction, from 1. */
  readonly colours: Uint32Array;
  /** Number of colours = length of the longest chain. */
  readonly count: number;
  /** Transactions per colour, colour 1 first. */
  readonly widths: readonly number[];
}

/** If i < j conflict, colour(i) < colour(j): each colour is a batch, and batches in order give block order. */
export function colourInOrder({ count, predecessors }: ConflictGraph): Colouring {
  const colours = new Uint32Array(count);
  const widths: number[] = [];
  for (let j = 0; j < count; j++) {
    let largest = 0;
    for (let at = predecessors.offsets[j]; at < predecessors.offsets[j + 1]; at++) {
      largest = Math.max(largest, colours[predecessors.values[at]]);
    }
    colours[j] = largest + 1;
    widths[largest] = (widths[largest] ?? 0) + 1;
  }
  return { colours, count: widths.length, widths };
}
