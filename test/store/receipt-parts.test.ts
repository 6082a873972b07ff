import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Receipt } from '../../src/lane/types.js';
import { partsOfReceipts, type ReceiptsJob, writeReceiptParts } from '../../src/store/receipt-parts.js';
import { encodedReceipts } from '../../src/store/receipt-rows.js';
import { announceReceipts, putReceipts } from '../../src/store/receipt-writes.js';
import { Store } from '../../src/store/store.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { toHex } from '../../src/util/bytes.js';
import { block, OPTIONS, receipt } from './helpers.js';

const HEIGHT = 3;

/** Receipts that return so many bytes. */
const receiptsOf = (lengths: readonly number[]): Receipt[] =>
  lengths.map((length, i) => {
    const given = receipt(HEIGHT, 2 * i);
    return { ...given, messages: given.messages.map((message) => ({ ...message, data: '5a'.repeat(length) })) };
  });

/** Enough for several parts: many are short, some long. */
const lengths = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.nat(40) }, fc.integer({ min: 100, max: 1_000 })), {
    minLength: 1,
    maxLength: 40,
  })
  .chain((some) =>
    fc.integer({ min: 1, max: 2_200 }).map((count) => Array.from({ length: count }, (_, i) => some[i % some.length])),
  );

const jobOf = (receipts: readonly Receipt[], pieceBytes: number): ReceiptsJob => {
  const encoded = encodedReceipts({ height: HEIGHT, receipts });
  return {
    height: HEIGHT,
    data: encoded.data,
    ends: Uint32Array.from({ length: encoded.count }, (_, at) => encoded.end(at)),
    parts: Uint32Array.from(partsOfReceipts(encoded)),
    next: new Int32Array(1),
    pieceBytes,
  };
};

const rowsOf = (disk: Disk): string[] => [...disk.scan('blocks', {})].map((row) => row.map(toHex).join(' ')).sort();

it('parts are whole pages, and leave the rows that one writer leaves, whichever is written first', () => {
  let most = 0;
  fc.assert(
    fc.property(lengths, fc.nat(5), (given, first) => {
      const receipts = receiptsOf(given);
      const [whole, inParts] = [new Disk(), new Disk()];
      const batch = new MemoryDatabase(whole).batch();
      putReceipts(batch, { height: HEIGHT, receipts });
      batch.write();
      const database = new MemoryDatabase(inParts);
      const job = jobOf(receipts, 1 << 20);
      most = Math.max(most, job.parts.length);
      const from = Math.min(first, job.parts.length - 1);
      for (const [next, parts] of [[from, job.parts] as const, [0, job.parts.subarray(0, from)] as const]) {
        writeReceiptParts(database, { ...job, parts, next: Int32Array.of(next) }, (part) => part.write());
      }
      expect(rowsOf(inParts)).toEqual(rowsOf(whole));
    }),
    { numRuns: 40 },
  );
  expect(most).toBeGreaterThan(2);
});

it('whichever parts were written of receipts that were announced, an opening leaves none of them', () => {
  fc.assert(
    fc.property(lengths, fc.nat(5), fc.nat(12), (given, first, batches) => {
      const disk = new Disk();
      const store = Store.over(new MemoryDatabase(disk), OPTIONS, 'memory');
      for (let height = 0; height < HEIGHT; height++) store.commitBlock(block(height));
      const before = store.rawContent();
      const database = new MemoryDatabase(disk);
      const announcement = database.batch();
      announceReceipts(announcement, HEIGHT);
      announcement.write();
      const job = { ...jobOf(receiptsOf(given), 4_096), next: Int32Array.of(first) };
      let left = batches;
      const write = (): void =>
        void writeReceiptParts(database, job, (part) => {
          if (left-- === 0) throw new Error('killed');
          part.write();
        });
      try {
        write();
      } catch (error) {
        expect(error).toMatchObject({ message: 'killed' });
      }
      expect(Store.over(new MemoryDatabase(disk), OPTIONS, 'memory').rawContent()).toEqual(before);
    }),
    { numRuns: 40 },
  );
});
