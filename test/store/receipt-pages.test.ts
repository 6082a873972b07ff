// Receipts in pages: what is read is what was committed, wherever a page ends.
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeReceipt } from '../../src/lane/receipt-bytes.js';
import { ReceiptList } from '../../src/lane/receipt-list.js';
import type { Receipt } from '../../src/lane/types.js';
import { checkStore } from '../../src/store/check/check.js';
import { receiptKey } from '../../src/store/keys.js';
import { pageWith, receiptPages, receiptsOf } from '../../src/store/receipt-pages.js';
import { Rocks } from '../../src/store/rocks.js';
import { Store } from '../../src/store/store.js';
import { expectSame } from '../helpers/same.js';
import { block, OPTIONS, receipt, temporaryFolder } from './helpers.js';

/** Receipts of some positions of block `height`, with data of these lengths. */
const receiptsAt = (height: number, places: readonly (readonly [number, number])[]): Receipt[] =>
  places.map(([index, length]) => {
    const { messages } = receipt(height, index);
    const data = 'ab'.repeat(length);
    return receipt(height, index, { messages: [{ ...messages[0], data, dataBytes: length }] });
  });

describe('pages of receipts', () => {
  it('hold all receipts in their order, and no more bytes than said, but for one that alone is larger', () => {
    const places = fc.uniqueArray(fc.tuple(fc.nat(500), fc.nat(900)), { selector: ([index]) => index, maxLength: 30 });
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 3_000 }), (chosen, pageBytes) => {
        const receipts = receiptsAt(
          4,
          [...chosen].sort(([a], [b]) => a - b),
        );
        const list = new ReceiptList();
        for (const each of receipts) list.add(each);
        for (const given of [receipts, list]) {
          const found: Uint8Array[] = [];
          for (const { first, bytes } of receiptPages({ height: 4, receipts: given }, pageBytes)) {
            const inside = [...receiptsOf(bytes.slice(), 4)];
            expect(first).toBe(receipts[found.length].index);
            expect(inside.length === 1 || bytes.length <= pageBytes).toBe(true);
            found.push(...inside);
          }
          expectSame(found.map(Buffer.from), receipts.map(encodeReceipt).map(Buffer.from));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are found by any position, from any place on, and by txid, and go with their block', async () => {
    const dir = join(temporaryFolder(), 'db');
    const store = await Store.open(dir, OPTIONS);
    const places = Array.from({ length: 300 }, (_, i) => [3 * i + 1, (i * 37) % 400] as const);
    const receipts = receiptsAt(1, places);
    store.commitBlock({ ...block(0), receipts: receiptsAt(0, [[2, 5]]) });
    store.commitBlock({ ...block(1), receipts });
    for (const from of [0, 1, 2, 450, 897, 898, 899]) {
      expectSame(
        [...store.receipts(1, from)],
        receipts.filter(({ index }) => index >= from),
      );
    }
    for (const each of receipts) expectSame(store.receipt(each.txid), each);
    expect(store.receipt(receipt(1, 2).txid)).toBeUndefined();
    store.rollback(0);
    expect(store.receipt(receipts[100].txid)).toBeUndefined();
    expect([...store.receipts(1)]).toEqual([]);
    expect(store.receipt(receipt(0, 2).txid)?.index).toBe(2);
    await store.close();
    const rocks = await Rocks.open(dir, false);
    expect(pageWith(rocks, 1, 1_000)).toBeUndefined();
    expect(pageWith(rocks, 0, 1)).toBeUndefined();
    expect(pageWith(rocks, 0, 2)).toBeDefined();
    await rocks.close();
  });

  it('are accused by the check if one is gone, cut off, empty, out of order or of another block', async () => {
    const dir = join(temporaryFolder(), 'db');
    const store = await Store.open(dir, OPTIONS);
    for (const height of [0, 1]) {
      store.commitBlock({ ...block(height), receipts: [receipt(height, 0), receipt(height, 7)] });
    }
    await store.close();
    const pageOf = (height: number, ...receipts: Receipt[]) => [...receiptPages({ height, receipts })][0].bytes;
    const bad: Record<string, Uint8Array | undefined> = {
      gone: undefined,
      'begins with another than its row says': pageOf(1, receipt(1, 1), receipt(1, 7)),
      'not in block order': pageOf(1, receipt(1, 0), receipt(1, 7), receipt(1, 7)),
      empty: new Uint8Array(0),
      'cut off in a receipt': pageOf(1, receipt(1, 0), receipt(1, 7)).subarray(0, -1),
      'cut off in a length': pageOf(1, receipt(1, 0)).subarray(0, 3),
      'of another block': pageOf(0, receipt(0, 0), receipt(0, 7)),
    };
    for (const [what, page] of Object.entries(bad)) {
      const rocks = await Rocks.open(dir, false);
      const batch = rocks.batch();
      if (page === undefined) batch.del('blocks', receiptKey(1, 0));
      else batch.put('blocks', receiptKey(1, 0), page);
      batch.write();
      await rocks.close();
      const found: string[] = [];
      await checkStore(dir, { violation: ({ code, height }) => found.push(`${code} ${height}`) });
      // The page, unless it is gone; what the block lacks of receipts; and what the index names in vain.
      const expected = ['CHECK_RECEIPT 1', 'CHECK_TX_INDEX 1', 'CHECK_TX_INDEX 1'];
      const isReadable = what.startsWith('begins') || what.startsWith('not') || what.startsWith('of another');
      if (!isReadable) expected.push('CHECK_CONTRACT_INDEX 1');
      expect(found, what).toEqual(page === undefined ? expected : ['CHECK_RECEIPT 1', ...expected]);
    }
  });
});
