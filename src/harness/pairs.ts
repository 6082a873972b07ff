/** Pairs of calls that conflict, and what a random order of them makes of that. */

/** What the calls of a block have in common; `conflicts` and the sets count calls by their place. */
export interface PairCounts {
  /** By call: with how many others it conflicts. */
  readonly conflicts: Uint32Array;
  readonly byKey: ReadonlyMap<string | number, { readonly readers: Set<number>; readonly writers: Set<number> }>;
}

/** Two calls conflict if one writes a key that the other reads or writes. */
export function pairCounts(
  touched: Iterable<{ readonly reads: Iterable<string | number>; readonly writes: Iterable<string | number> }>,
): PairCounts {
  const sets = [...touched];
  const byKey = new Map<string | number, { readonly readers: Set<number>; readonly writers: Set<number> }>();
  const at = (key: string | number): { readonly readers: Set<number>; readonly writers: Set<number> } => {
    const known = byKey.get(key) ?? { readers: new Set<number>(), writers: new Set<number>() };
    byKey.set(key, known);
    return known;
  };
  sets.forEach(({ reads, writes }, call) => {
    for (const key of reads) at(key).readers.add(call);
    for (const key of writes) at(key).writers.add(call);
  });
  // Keys that nobody writes are no conflict, and all may read them.
  for (const [key, { writers }] of byKey) if (writers.size === 0) byKey.delete(key);
  const conflicts = new Uint32Array(sets.length);
  const seen = new Uint32Array(sets.length);
  sets.forEach(({ reads, writes }, call) => {
    const mark = call + 1;
    seen[call] = mark;
    let count = 0;
    const add = (others: ReadonlySet<number>): void => {
      for (const other of others) {
        if (seen[other] === mark) continue;
        seen[other] = mark;
        count++;
      }
    };
    for (const key of reads) add(byKey.get(key)?.writers ?? new Set());
    for (const key of writes) {
      add(at(key).writers);
      add(at(key).readers);
    }
    conflicts[call] = count;
  });
  return { conflicts, byKey };
}

/**
 * Share of `drawn` calls, drawn at random and put into random order, that conflict with none before them. For all
 * calls that is the expectation over all orders.
 */
export function parallelShare({ conflicts }: PairCounts, drawn: number): number {
  const count = conflicts.length;
  if (count === 0 || drawn === 0) return 1;
  let sum = 0;
  for (const own of conflicts) {
    // The chance that none of k others, drawn one after the other, is one of those that conflict.
    let chance = 1;
    let total = 1;
    for (let k = 1; k < drawn; k++) {
      chance *= Math.max(0, count - own - k) / (count - k);
      total += chance;
      if (chance === 0) break;
    }
    sum += total / drawn;
  }
  return sum / count;
}
