import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccessSet, buildAccessSets } from '../../src/plan/access-sets.js';
import { buildConflictGraph } from '../../src/plan/conflict-graph.js';
import { dsaturBound } from '../../src/plan/dsatur.js';
import { toGraphology } from '../../src/plan/picture.js';
import { makePlan, summarise } from '../../src/plan/plan.js';
import { reportOf } from '../../src/plan/report.js';

const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 3 });
const block = fc.array(fc.record({ reads: keys, writes: keys }), { maxLength: 40 });

function conflicts(a: { reads: string[]; writes: string[] }, b: { reads: string[]; writes: string[] }): boolean {
  return (
    a.writes.some((key) => b.reads.includes(key) || b.writes.includes(key)) ||
    a.reads.some((key) => b.writes.includes(key))
  );
}

describe('conflict graph and colours', () => {
  it('colours respect block order: if i < j conflict, colour(i) < colour(j)', () => {
    fc.assert(
      fc.property(block, (sets) => {
        const { colours } = makePlan(sets).colouring;
        for (let j = 0; j < sets.length; j++) {
          for (let i = 0; i < j; i++) if (conflicts(sets[i], sets[j])) expect(colours[i]).toBeLessThan(colours[j]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('typed arrays give the colours of the same rule walked over the graphology graph', () => {
    fc.assert(
      fc.property(block, (sets) => {
        const plan = makePlan(sets);
        const graph = toGraphology(plan);
        expect(graph.order).toBe(sets.length);
        expect(graph.size).toBe(plan.graph.edges);
        const walked = new Map<string, number>();
        for (let j = 0; j < sets.length; j++) {
          const before = graph.inNeighbors(String(j)).map((i) => walked.get(i) ?? Number.NaN);
          walked.set(String(j), 1 + Math.max(0, ...before));
        }
        expect([...walked.values()]).toEqual([...plan.colouring.colours]);
        graph.forEachNode((node) => expect(graph.getNodeAttribute(node, 'colour')).toBe(walked.get(node)));
      }),
      { numRuns: 300 },
    );
  });

  it('every conflict is a path of edges, and every edge is a conflict', () => {
    fc.assert(
      fc.property(block, (sets) => {
        const { predecessors } = buildConflictGraph(buildAccessSets(sets));
        const reach = sets.map(() => new Set<number>());
        for (let j = 0; j < sets.length; j++) {
          for (const i of predecessors.values.subarray(predecessors.offsets[j], predecessors.offsets[j + 1])) {
            expect(i).toBeLessThan(j);
            expect(conflicts(sets[i], sets[j])).toBe(true);
            reach[j].add(i);
            for (const k of reach[i]) reach[j].add(k);
          }
          for (let i = 0; i < j; i++) if (conflicts(sets[i], sets[j])) expect(reach[j].has(i)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('colours are as few as block order allows: the longest chain', () => {
    fc.assert(
      fc.property(block, (sets) => {
        const chain: number[] = [];
        sets.forEach((set, j) => {
          chain[j] = 1;
          for (let i = 0; i < j; i++) if (conflicts(sets[i], set)) chain[j] = Math.max(chain[j], chain[i] + 1);
        });
        const { colouring } = makePlan(sets);
        expect([...colouring.colours]).toEqual(chain);
        expect(colouring.widths.reduce((a, b) => a + b, 0)).toBe(sets.length);
      }),
    );
  });

  it('the colouring reverses no pair where a plain greedy one would', () => {
    // A greedy colouring gives the third transaction the first colour again: it does not conflict with the first.
    const plan = makePlan([
      { reads: [], writes: ['a'] },
      { reads: ['a'], writes: ['b'] },
      { reads: ['b'], writes: [] },
    ]);
    expect([...plan.colouring.colours]).toEqual([1, 2, 3]);
  });

  it('100,000 transactions on one key cost about one edge each', () => {
    const hot = { reads: ['hot'], writes: ['hot'] };
    const plan = makePlan(new Array(100_000).fill(hot));
    expect(plan.graph.edges).toBe(99_999);
    expect(plan.colouring.count).toBe(100_000);
  });

  it('100,000 readers between two writers cost two edges each', () => {
    const reader = { reads: ['hot'], writes: [] };
    const writer = { reads: [], writes: ['hot'] };
    const plan = makePlan([writer, ...new Array<AccessSet>(100_000).fill(reader), writer]);
    expect(plan.graph.edges).toBe(200_000);
    expect(plan.colouring.widths).toEqual([1, 100_000, 1]);
  });
});

describe('report', () => {
  it('DSATUR gives each of a clique its own colour, and never more colours than transactions', () => {
    fc.assert(
      fc.property(block, (sets) => {
        const plan = makePlan(sets);
        expect(dsaturBound(plan.sets)).toBeLessThanOrEqual(sets.length);
        const clique = sets.filter((set) => set.writes.includes('a')).length;
        expect(dsaturBound(plan.sets)).toBeGreaterThanOrEqual(clique);
      }),
    );
    // A key that an access set names twice counts once.
    expect([...makePlan([{ reads: ['a', 'b', 'a'], writes: ['b', 'b'] }]).sets.reads.values]).toEqual([0, 1]);
    expect(dsaturBound(makePlan(new Array(5_000).fill({ reads: [], writes: ['hot'] })).sets)).toBe(5_000);
  });

  it('DSATUR colours a bipartite chain with two colours where block order needs as many as it is long', () => {
    const sets = Array.from({ length: 10 }, (_, i) => ({ reads: [`k${i}`], writes: [`k${i + 1}`] }));
    const plan = makePlan(sets);
    expect(reportOf(summarise(7, 12, 2, plan), plan)).toEqual({
      height: 7,
      laneTxs: 12,
      demoted: 2,
      edges: 9,
      colours: 10,
      widths: new Array(10).fill(1),
      longestChain: 10,
      dsatur: 2,
      predicted: 0,
      mispredicted: 0,
      source: 'run',
      complete: true,
    });
  });
});
