/**
 * The receipts of a block in parts of whole pages, which several threads take from one list: whoever is free takes the
 * next. Each part is written by itself, its pages before what is found by them, before the block counts
 * (receipts-beside.ts).
 */
import type { EncodedReceipts } from '../lane/types.js';
import type { Database } from './database.js';
import { Portions, type WriteBatch } from './portions.js';
import { pageRanges } from './receipt-pages.js';
import { putReceipts } from './receipt-writes.js';

/** A part ends with the page that makes it as many receipts, or bytes, as this. */
const PART_RECEIPTS = 512;
const PART_BYTES = 1 << 19;

/** Receipts in memory that all threads see, one behind the other. */
export interface ReceiptsJob {
  readonly height: number;
  readonly data: Uint8Array;
  /** Where each ends. */
  readonly ends: Uint32Array;
  /** How many receipts there are up to the end of each part. */
  readonly parts: Uint32Array;
  /** One word: the number of the next part. */
  readonly next: Int32Array;
  readonly pieceBytes: number;
}

/** How many of `receipts` there are up to the end of each part. */
export function partsOfReceipts(receipts: EncodedReceipts): number[] {
  const ends: number[] = [];
  let first = 0;
  let bytes = 0;
  for (const page of pageRanges(receipts)) {
    bytes += page.bytes;
    if (page.to - first < PART_RECEIPTS && bytes < PART_BYTES && page.to < receipts.count) continue;
    ends.push(page.to);
    first = page.to;
    bytes = 0;
  }
  return ends;
}

/** Writes parts until none is left; returns the bytes that it wrote. Throws what `write` throws. */
export function writeReceiptParts(database: Database, job: ReceiptsJob, write: WriteBatch): number {
  const { height, parts, next, pieceBytes } = job;
  let bytes = 0;
  const counted: WriteBatch = (batch) => {
    bytes += batch.bytes;
    write(batch);
  };
  for (;;) {
    const part = Atomics.add(next, 0, 1);
    if (part >= parts.length) return bytes;
    const rows = new Portions(database, pieceBytes, counted);
    try {
      putReceipts(rows, { height, receipts: receiptsOfPart(job, part) });
    } catch (error) {
      rows.batch.discard();
      throw error;
    }
    counted(rows.batch);
  }
}

function receiptsOfPart({ data, ends, parts }: ReceiptsJob, part: number): EncodedReceipts {
  const first = part === 0 ? 0 : parts[part - 1];
  return {
    count: parts[part] - first,
    data,
    start: (at) => (first + at === 0 ? 0 : ends[first + at - 1]),
    end: (at) => ends[first + at],
  };
}

/** Nobody takes another part. */
export function endReceiptParts({ next, parts }: ReceiptsJob): void {
  Atomics.store(next, 0, parts.length);
}
