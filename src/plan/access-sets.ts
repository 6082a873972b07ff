/** Read and write sets of transactions in typed arrays: keys become dense numbers, rows lie end to end. */
import type { LaneKey } from '../lane/types.js';

/** What one transaction may touch. A key of both is read and written; one that occurs twice counts once. */
export interface AccessSet {
  readonly reads: Iterable<LaneKey>;
  readonly writes: Iterable<LaneKey>;
}

/** Rows `offsets[i] .. offsets[i + 1]` of `values` belong to transaction i. */
export interface Rows {
  readonly offsets: Uint32Array;
  readonly values: Uint32Array;
}

export interface AccessSets {
  readonly count: number;
  /** Number of different keys; key ids are 0 .. keyCount - 1, in order of first appearance. */
  readonly keyCount: number;
  readonly reads: Rows;
  readonly writes: Rows;
}

/** A `Uint32Array` that grows. */
export class GrowingUint32 {
  #values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** A copy of exactly what was pushed. */
  toArray(): Uint32Array {
    return this.#values.slice(0, this.length);
  }
}

/** Numbers the keys of `sets` (in block order) and lays their rows end to end. */
export function buildAccessSets(sets: readonly AccessSet[]): AccessSets {
  const ids = new Map<LaneKey, number>();
  const idOf = (key: LaneKey): number => {
    let id = ids.get(key);
    if (id === undefined) {
      id = ids.size;
      ids.set(key, id);
    }
    return id;
  };
  const reads = new GrowingUint32();
  const writes = new GrowingUint32();
  const readOffsets = new Uint32Array(sets.length + 1);
  const writeOffsets = new Uint32Array(sets.length + 1);
  // Where each key occurred last, so that it stands in a row once.
  const lastRead: number[] = [];
  const lastWrite: number[] = [];
  sets.forEach((set, i) => {
    for (const key of set.reads) pushOnce(reads, lastRead, idOf(key), i);
    for (const key of set.writes) pushOnce(writes, lastWrite, idOf(key), i);
    readOffsets[i + 1] = reads.length;
    writeOffsets[i + 1] = writes.length;
  });
  return {
    count: sets.length,
    keyCount: ids.size,
    reads: { offsets: readOffsets, values: reads.toArray() },
    writes: { offsets: writeOffsets, values: writes.toArray() },
  };
}

function pushOnce(rows: GrowingUint32, last: number[], id: number, row: number): void {
  if (last[id] === row) return;
  while (last.length <= id) last.push(-1);
  last[id] = row;
  rows.push(id);
}
