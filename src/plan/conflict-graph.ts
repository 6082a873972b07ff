/**
 * The conflict graph of a block, directed i → j for i < j. Edges join consecutive accessors of a key only (last writer
 * → readers since → next writer), so n transactions on one hot key cost about n edges; every other conflict follows
 * by a path.
 */
import { type AccessSets, GrowingUint32, type Rows } from './access-sets.js';

const NONE = -1;

/** Row j of `predecessors` holds the i with an edge i → j, each once. */
export interface ConflictGraph {
  readonly count: number;
  readonly edges: number;
  readonly predecessors: Rows;
}

/** Builds the graph in one ascending pass; time and space are linear in the sets. */
export function buildConflictGraph(sets: AccessSets): ConflictGraph {
  const { count, keyCount, reads, writes } = sets;
  const lastWriter = new Int32Array(keyCount).fill(NONE);
  // Readers since the last writer, as one linked list per key over the rows of `reads`.
  const readerHead = new Int32Array(keyCount).fill(NONE);
  const readerNext = new Int32Array(reads.values.length);
  const readerTx = new Uint32Array(reads.values.length);
  const joined = new Int32Array(count).fill(NONE);
  const predecessors = new GrowingUint32();
  const offsets = new Uint32Array(count + 1);

  let j = 0;
  const join = (i: number): void => {
    if (i === NONE || i === j || joined[i] === j) return;
    joined[i] = j;
    predecessors.push(i);
  };
  for (; j < count; j++) {
    for (let at = reads.offsets[j]; at < reads.offsets[j + 1]; at++) join(lastWriter[reads.values[at]]);
    for (let at = writes.offsets[j]; at < writes.offsets[j + 1]; at++) {
      const key = writes.values[at];
      if (readerHead[key] === NONE) join(lastWriter[key]);
      for (let node = readerHead[key]; node !== NONE; node = readerNext[node]) join(readerTx[node]);
      readerHead[key] = NONE;
      lastWriter[key] = j;
    }
    for (let at = reads.offsets[j]; at < reads.offsets[j + 1]; at++) {
      const key = reads.values[at];
      if (lastWriter[key] === j) continue;
      readerTx[at] = j;
      readerNext[at] = readerHead[key];
      readerHead[key] = at;
    }
    offsets[j + 1] = predecessors.length;
  }
  return { count, edges: predecessors.length, predecessors: { offsets, values: predecessors.toArray() } };
}
