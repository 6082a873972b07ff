import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanSummary, Receipt } from '../../src/lane/types.js';
import { buildAccessSets } from '../../src/plan/access-sets.js';
import { graphOfStored } from '../../src/plan/block-graph.js';
import { colourInOrder } from '../../src/plan/colouring.js';
import { buildConflictGraph } from '../../src/plan/conflict-graph.js';
import { toHex } from '../../src/util/bytes.js';
import { plan, receipt } from '../store/helpers.js';

const HEIGHT = 7;
const summary = (laneTxs: number, more: Partial<PlanSummary> = {}): PlanSummary => ({
  ...plan(HEIGHT),
  laneTxs,
  colours: 0,
  widths: [],
  longestChain: 0,
  ...more,
});
const storeOf = (receipts: readonly Receipt[], of: PlanSummary | undefined) => ({
  plan: () => of,
  receipts: (_: number, from = 0) => receipts.filter(({ index }) => index >= from),
});
const touching = (index: number, reads: readonly string[], writes: readonly string[], more: Partial<Receipt> = {}) =>
  receipt(HEIGHT, index, { reads, writes, readTotal: reads.length, writeTotal: writes.length, ...more });
const inTurn = (receipts: readonly Receipt[]) => graphOfStored(storeOf(receipts, summary(receipts.length)), HEIGHT);

describe('the graph of a stored block', () => {
  it('has the edges and colours of the conflict graph, each edge with a key of both', async () => {
    const key = fc.constantFrom('aa', 'bb', 'cc', 'dd');
    const keys = fc.uniqueArray(key, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(keys, keys), { maxLength: 12 }), async (sets) => {
        const receipts = sets.map(([reads, writes], i) => touching(i, reads, writes));
        const graph = await inTurn(receipts);
        if (graph === undefined) throw new Error('no graph');
        const conflicts = buildConflictGraph(buildAccessSets(receipts));
        const { offsets, values } = conflicts.predecessors;
        const expected = receipts.flatMap((_, to) =>
          [...values.subarray(offsets[to], offsets[to + 1])].sort((a, b) => a - b).map((from) => [from, to]),
        );
        expect(graph.edges.map(({ from, to }) => [from, to])).toEqual(expected);
        expect(graph.edgeTotal).toBe(conflicts.edges);
        const colouring = colourInOrder(conflicts);
        expect(graph.nodes.map(({ colour }) => colour)).toEqual([...colouring.colours]);
        expect(graph.longest.length).toBe(colouring.count > 1 ? colouring.count : 0);
        for (const { from, to, key: place, keyTotal, waited } of graph.edges) {
          const { key: shared } = graph.keys[place ?? -1];
          const [earlier, later] = [receipts[from], receipts[to]];
          expect([...earlier.reads, ...earlier.writes]).toContain(shared);
          expect([...later.reads, ...later.writes]).toContain(shared);
          expect(earlier.writes.includes(shared) || later.writes.includes(shared)).toBe(true);
          expect(keyTotal).toBeGreaterThan(0);
          expect(keyTotal).toBeLessThanOrEqual(4);
          expect(waited).toBe(true);
        }
        const made = graph.keys.map(({ edges }) => edges);
        expect(made).toEqual([...made].sort((a, b) => b - a));
        expect(graph.complete).toBe(true);
      }),
      { numRuns: 200, seed: 15 },
    );
  });

  it('counts a key that is read and written once', async () => {
    const graph = await inTurn([touching(0, ['aa', 'bb'], ['aa', 'bb']), touching(1, ['aa', 'bb'], ['aa', 'bb'])]);
    expect(graph?.edges).toEqual([{ from: 0, to: 1, key: 0, keyTotal: 2, waited: true }]);
    expect(graph?.keys).toEqual([{ key: 'aa', readers: 2, writers: 2, edges: 1 }]);
  });

  it('tells who did not wait, and who spends an output: that one has no colour and makes nobody wait', async () => {
    const first = touching(0, [], ['aa'], { colour: 1, executor: 'cpu' });
    const spent = `7368656574${'2f'}${toHex(Uint8Array.from(Buffer.from(first.txid, 'hex')).reverse())}00000000`;
    const receipts = [
      first,
      touching(1, ['aa'], ['aa'], { colour: 1, predicted: true }),
      touching(2, ['aa', spent], ['aa'], { colour: 0, executor: 'sequential' }),
      touching(3, ['aa'], [], { colour: 2 }),
    ];
    const ran = summary(4, { colours: 2, widths: [2, 1], longestChain: 2, demoted: 1 });
    const graph = await graphOfStored(storeOf(receipts, ran), HEIGHT);
    expect(graph?.source).toBe('run');
    expect(graph?.nodes.map(({ colour, demoted }) => [colour, demoted])).toEqual([
      [1, false],
      [1, false],
      [0, true],
      [2, false],
    ]);
    expect(graph?.edges).toEqual([
      { from: 0, to: 1, key: 0, keyTotal: 1, waited: false },
      { from: 0, to: 2, key: null, keyTotal: 0, waited: true },
      { from: 1, to: 3, key: 0, keyTotal: 1, waited: true },
    ]);
    expect(graph?.longest).toEqual([1, 3]);
  });

  it('lists a bounded part of a large block, and says so', async () => {
    const receipts = Array.from({ length: 6_000 }, (_, i) => touching(i, ['aa'], []));
    const graph = await inTurn(receipts);
    expect(graph).toMatchObject({ laneTxs: 6_000, complete: false });
    expect(graph?.nodes.length).toBe(5_000);
    // 4,999 readers of keys that are long and all different, and one writer of all of them.
    const long = (i: number): string => i.toString(16).padStart(2_000, '0');
    const readers = Array.from({ length: 2_000 }, (_, i) => touching(i, [long(i)], []));
    const all = touching(
      2_000,
      [],
      readers.flatMap(({ reads }) => reads),
    );
    const text = await inTurn([...readers, all]);
    expect(text?.edgeTotal).toBe(2_000);
    expect(text?.keys.length).toBe(Math.floor((2 << 20) / 2_000));
    expect(text?.edges.length).toBe(text?.keys.length);
    expect(text?.complete).toBe(false);
  });

  it('is incomplete where a receipt leaves keys out, and none of a block that the store has no plan of', async () => {
    const cut = await inTurn([touching(0, [], ['aa']), touching(1, ['aa'], [], { readTotal: 2, readHash: '00' })]);
    expect(cut).toMatchObject({ complete: false, edgeTotal: 1 });
    expect(await graphOfStored(storeOf([], undefined), HEIGHT)).toBeUndefined();
  });
});
