import { describe, expect, it } from 'vitest';
import { IN_TURN } from '../../src/lane/receipt.js';
import type { Receipt } from '../../src/lane/types.js';
import { buildAccessSets } from '../../src/plan/access-sets.js';
import { buildConflictGraph } from '../../src/plan/conflict-graph.js';
import { NAMED_WAITS, waitsOf } from '../../src/trace/waits.js';
import { bundledBlocks, openReplayed } from './replayed.js';

const LONG_MS = 300_000;

function receiptOf(index: number, reads: string[], writes: string[], over: Partial<Receipt> = {}): Receipt {
  return {
    ...{ height: 7, index, txid: `${index}`.padStart(64, '0'), undone: undefined, messages: [], fuel: 0 },
    ...{ reads, readTotal: reads.length, readHash: undefined },
    ...{ writes, writeTotal: writes.length, writeHash: undefined },
    ...IN_TURN,
    ...over,
  };
}

const waitsAmong = (receipts: Receipt[], of = receipts.length - 1) => {
  const from = (_: number, first = 0) => receipts.filter(({ index }) => index >= first);
  return waitsOf({ receipts: from }, receipts[of]);
};

describe('why a transaction waited', () => {
  it('names those that it follows in the conflict graph, over the bundled chain', { timeout: LONG_MS }, async () => {
    const store = await openReplayed();
    let edges = 0;
    for (const { height } of bundledBlocks()) {
      const receipts = [...store.receipts(height)];
      const { predecessors } = buildConflictGraph(buildAccessSets(receipts));
      for (const [at, receipt] of receipts.entries()) {
        const row = predecessors.values.slice(predecessors.offsets[at], predecessors.offsets[at + 1]);
        const expected = new Set([...row].map((place) => receipts[place].index));
        const { after, afterTotal, complete } = await waitsOf(store, receipt);
        const byKeys = after.filter(({ keyTotal }) => keyTotal > 0);
        expect(complete).toBe(true);
        if (afterTotal <= NAMED_WAITS) expect(new Set(byKeys.map(({ index }) => index))).toEqual(expected);
        else expect(byKeys.every(({ index }) => expected.has(index))).toBe(true);
        for (const { index, txid } of after) expect(receipts.find((each) => each.index === index)?.txid).toBe(txid);
        edges += expected.size;
      }
    }
    expect(edges).toBeGreaterThan(100);
  });

  it('tells the keys, who did what to them, and the nearest first', async () => {
    const waits = await waitsAmong([
      receiptOf(1, ['aa'], ['bb']),
      receiptOf(2, ['bb'], ['cc']),
      receiptOf(3, ['bb'], ['dd']),
      receiptOf(4, [], ['ee']),
      receiptOf(5, ['cc', 'dd'], ['bb', 'dd', 'ff']),
    ]);
    expect(waits).toEqual({
      after: [
        {
          ...{ index: 3, txid: '3'.padStart(64, '0'), spends: false, keyTotal: 2 },
          keys: [
            { key: 'bb', earlier: 'read', later: 'writes' },
            { key: 'dd', earlier: 'wrote', later: 'reads' },
          ],
        },
        {
          ...{ index: 2, txid: '2'.padStart(64, '0'), spends: false, keyTotal: 2 },
          keys: [
            { key: 'bb', earlier: 'read', later: 'writes' },
            { key: 'cc', earlier: 'wrote', later: 'reads' },
          ],
        },
      ],
      afterTotal: 2,
      complete: true,
    });
  });

  it('follows the last writer of a key that it only writes', async () => {
    const waits = await waitsAmong([receiptOf(1, [], ['aa']), receiptOf(2, [], ['aa']), receiptOf(3, [], ['aa'])]);
    expect(waits.after.map(({ index, keys }) => [index, keys])).toEqual([
      [2, [{ key: 'aa', earlier: 'wrote', later: 'writes' }]],
    ]);
  });

  it('names whose output it spends, also where that holds no sheet', async () => {
    const parent = receiptOf(1, [], []);
    const sheet = Buffer.concat([Buffer.from('sheet/'), Buffer.from(parent.txid, 'hex').reverse(), Buffer.alloc(4)]);
    const waits = await waitsAmong([parent, receiptOf(2, [sheet.toString('hex')], [])]);
    expect(waits).toMatchObject({ after: [{ index: 1, spends: true, keys: [], keyTotal: 0 }], afterTotal: 1 });
  });

  it('is bounded in transactions and keys, and says where receipts leave something out', async () => {
    const many = Array.from({ length: 100 }, (_, i) => receiptOf(i, ['aa'], []));
    const waits = await waitsAmong([...many, receiptOf(100, [], ['aa'])]);
    expect([waits.after.length, waits.after[0].index, waits.afterTotal]).toEqual([NAMED_WAITS, 99, 100]);
    const keys = Array.from({ length: 50 }, (_, i) => `${100 + i}aa`);
    const wide = await waitsAmong([receiptOf(1, [], keys), receiptOf(2, keys, [])]);
    expect([wide.after[0].keys.length, wide.after[0].keyTotal]).toEqual([16, 50]);
    const cut = receiptOf(1, ['aa'], [], { readTotal: 300 });
    expect((await waitsAmong([cut, receiptOf(2, [], ['aa'])])).complete).toBe(false);
    expect((await waitsAmong([receiptOf(1, [], ['aa']), cut], 1)).complete).toBe(false);
    const huge = Array.from({ length: 1_000 }, (_, i) => receiptOf(i, new Array(256).fill('bb'), []));
    expect((await waitsAmong([...huge, receiptOf(1_000, ['aa'], [])])).complete).toBe(false);
  });
});
