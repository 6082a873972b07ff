/** How few colours would do if block order did not matter: a bound for reports, never executed. */
import type { AccessSets, Rows } from './access-sets.js';

/** Pairs of conflicting transactions up to which DSATUR is run; above, the largest clique of writers is reported. */
const PAIR_LIMIT = 200_000;

/**
 * Number of colours that DSATUR uses on the whole conflict graph (all pairs, not only consecutive accessors). Where
 * that graph is too large, the size of the largest set of transactions on one key of which each pair conflicts.
 */
export function dsaturBound(sets: AccessSets): number {
  const writers = accessorsByKey(sets.writes, sets.keyCount);
  const readers = accessorsByKey(sets.reads, sets.keyCount);
  const neighbours = conflictPairs(sets.count, writers, readers);
  return neighbours === undefined ? largestClique(sets.count, writers, readers) : dsatur(neighbours);
}

function accessorsByKey(rows: Rows, keyCount: number): number[][] {
  const byKey: number[][] = Array.from({ length: keyCount }, () => []);
  for (let i = 0; i + 1 < rows.offsets.length; i++) {
    for (let at = rows.offsets[i]; at < rows.offsets[i + 1]; at++) byKey[rows.values[at]].push(i);
  }
  return byKey;
}

/** All neighbours of each transaction, or undefined if there are more than PAIR_LIMIT pairs. */
function conflictPairs(count: number, writers: number[][], readers: number[][]): Set<number>[] | undefined {
  let bound = 0;
  writers.forEach((list, key) => {
    bound += list.length * (list.length + readers[key].length);
  });
  if (bound > 2 * PAIR_LIMIT) return undefined;
  const neighbours = Array.from({ length: count }, () => new Set<number>());
  writers.forEach((list, key) => {
    for (const writer of list) {
      for (const other of [...list, ...readers[key]]) {
        if (other === writer) continue;
        neighbours[writer].add(other);
        neighbours[other].add(writer);
      }
    }
  });
  return neighbours;
}

function largestClique(count: number, writers: number[][], readers: number[][]): number {
  let largest = Math.min(count, 1);
  writers.forEach((list, key) => {
    const own = new Set(list);
    const reader = readers[key].some((i) => !own.has(i)) && own.size > 0 ? 1 : 0;
    largest = Math.max(largest, own.size + reader);
  });
  return largest;
}

/** Always colours next the vertex that sees most colours (then most neighbours, then the lowest number). */
function dsatur(neighbours: readonly Set<number>[]): number {
  const seen = neighbours.map(() => new Set<number>());
  const colour = new Map<number, number>();
  // Buckets by saturation: a vertex is moved when its saturation grows, so the next one is found without a full scan.
  const buckets: Set<number>[] = [new Set(neighbours.keys())];
  let colours = 0;
  let top = 0;
  while (colour.size < neighbours.length) {
    while (buckets[top] === undefined || buckets[top].size === 0) top--;
    let vertex = -1;
    for (const candidate of buckets[top]) {
      if (vertex < 0 || neighbours[candidate].size > neighbours[vertex].size) vertex = candidate;
      if (top === 0) break;
    }
    buckets[top].delete(vertex);
    let chosen = 1;
    while (seen[vertex].has(chosen)) chosen++;
    colour.set(vertex, chosen);
    colours = Math.max(colours, chosen);
    for (const other of neighbours[vertex]) {
      if (colour.has(other) || seen[other].has(chosen)) continue;
      buckets[seen[other].size].delete(other);
      seen[other].add(chosen);
      const saturation = seen[other].size;
      buckets[saturation] ??= new Set();
      buckets[saturation].add(other);
      top = Math.max(top, saturation);
    }
  }
  return colours;
}
