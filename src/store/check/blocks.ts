import { sha256d } from '../../bitcoin/hash.js';
import { decodeReceipt } from '../../lane/receipt-bytes.js';
import { bytesEqual, fromDisplayHash } from '../../util/bytes.js';
import { readBeU32, txKey } from '../keys.js';
import { pageWith, receiptsOf } from '../receipt-pages.js';
import { decodeBlockRecord, decodePlan } from '../records.js';
import type { Range } from '../rocks.js';
import { checkContractRows, checkNoOtherContractRows } from './contracts.js';
import type { CheckRun } from './run.js';
import { gaps, portions } from './run.js';

/** Offset of the previous hash in a header. */
const PREVIOUS_AT = 4;
/** Pages of receipts, of 16 KiB and more, and rows of the transaction index. */
const PORTION = 200;

const TAG = { block: 0x62, contract: 0x63, plan: 0x70, receipt: 0x72, tx: 0x74 } as const;

/**
 * Column `blocks`: a record, a plan and all receipts for every height from the first block to the tip, and nothing
 * else.
 */
export function checkBlocks(run: CheckRun, genesis: Uint8Array | undefined): void {
  const expected = checkRecords(run, genesis);
  const { receipts, byContract } = checkReceipts(run, expected);
  const indexed = countTxRows(run);
  // Every receipt has its row, so equal counts leave no row without a receipt.
  if (indexed !== receipts) findStrayTxRows(run);
  checkNoOtherContractRows(run, byContract);
  checkTags(run);
}

const range = (tag: number): Range => ({ gte: Uint8Array.of(tag), lt: Uint8Array.of(tag + 1) });

/** Block records and plans; returns the number of receipts by height, where there are some. */
function checkRecords(run: CheckRun, genesis: Uint8Array | undefined): Map<number, number> {
  const receipts = new Map<number, number>();
  const plans = run.rocks.scan('blocks', range(TAG.plan));
  let plan = plans.next();
  let previous: Uint8Array | undefined;
  let seen = false;
  for (const [row, value] of run.rocks.scan('blocks', range(TAG.block))) {
    run.saw('blocks');
    if (row.length !== 5) {
      run.report('CHECK_HEIGHT', 'a block row whose key has a wrong length', { key: row });
      continue;
    }
    const height = readBeU32(row, 1);
    if (!seen) run.first = height;
    else if (height !== run.last + 1) {
      run.report('CHECK_HEIGHT', `no block record from here to ${height - 1}`, { height: run.last + 1 });
      previous = undefined;
    }
    const before = height === 1 && !seen ? genesis : previous;
    seen = true;
    run.last = height;
    previous = checkRecord(run, height, value, before, receipts);
    for (; !plan.done && (plan.value[0].length !== 5 || readBeU32(plan.value[0], 1) < height); plan = plans.next()) {
      run.report('CHECK_PLAN', 'a plan without a block', { key: plan.value[0] });
    }
    if (plan.done || readBeU32(plan.value[0], 1) !== height)
      run.report('CHECK_PLAN', 'no plan of this block', { height });
    else {
      const text = plan.value[1];
      if (!parses(() => decodePlan(text).height === height)) {
        run.report('CHECK_PLAN', 'the plan of this block cannot be read', { height });
      }
      plan = plans.next();
    }
  }
  for (; !plan.done; plan = plans.next()) {
    run.report('CHECK_PLAN', 'a plan without a block', { key: plan.value[0] });
  }
  return receipts;
}

/** Returns the block's hash, if the record can be read. */
function checkRecord(
  run: CheckRun,
  height: number,
  value: Uint8Array,
  before: Uint8Array | undefined,
  receipts: Map<number, number>,
): Uint8Array | undefined {
  if (!parses(() => decodeBlockRecord(height, value) !== undefined)) {
    run.report('CHECK_RECORD', 'the block record cannot be read', { height });
    return undefined;
  }
  const { hash, header, receiptCount } = decodeBlockRecord(height, value);
  if (!bytesEqual(sha256d(header), hash)) {
    run.report('CHECK_HEADER', 'the double SHA-256 of the header is not the hash of the block', { height });
  }
  if (before !== undefined && !bytesEqual(header.subarray(PREVIOUS_AT, PREVIOUS_AT + 32), before)) {
    run.report('CHECK_PREVIOUS', 'the header does not name the block before it', { height });
  }
  if (receiptCount > 0) receipts.set(height, receiptCount);
  return hash;
}

/**
 * Every receipt can be read, belongs to its row and has its row in the transaction index, and its page those in the
 * index by contract; returns how many receipts there are, and how many rows by contract.
 */
function checkReceipts(run: CheckRun, expected: Map<number, number>): { receipts: number; byContract: number } {
  let count = 0;
  let byContract = 0;
  for (const rows of portions(run.rocks.scan('blocks', range(TAG.receipt)), PORTION)) {
    const indexRows: { key: Uint8Array; height: number }[] = [];
    for (const [row, page] of rows) {
      run.saw('blocks');
      const found = receiptsOnPage(row, page);
      if (found === undefined) {
        const height = row.length === 9 ? readBeU32(row, 1) : undefined;
        run.report('CHECK_RECEIPT', 'a receipt that cannot be read or belongs elsewhere', { height, key: row });
        continue;
      }
      const { height, receipts } = found;
      count += receipts.length;
      byContract += checkContractRows(run, [row, page], height);
      expected.set(height, (expected.get(height) ?? 0) - receipts.length);
      for (const { txid, index } of receipts) indexRows.push({ key: txKey(txid, height, index), height });
    }
    const found = run.rocks.getMany(
      'blocks',
      indexRows.map(({ key }) => key),
    );
    indexRows.forEach(({ key, height }, i) => {
      if (found[i] === undefined)
        run.report('CHECK_TX_INDEX', 'a receipt is not in the transaction index', { height, key });
    });
  }
  for (const [height, missing] of expected) {
    if (missing === 0) continue;
    const what = missing > 0 ? `${missing} receipts are missing` : `${-missing} receipts more than the record says`;
    run.report('CHECK_RECEIPT', what, { height });
  }
  return { receipts: count, byContract };
}

interface OnPage {
  readonly height: number;
  /** `txid` in wire order. */
  readonly receipts: readonly { readonly txid: Uint8Array; readonly index: number }[];
}

/** What a page of receipts holds; undefined if it cannot be read, or if its receipts do not follow from its row. */
function receiptsOnPage(row: Uint8Array, page: Uint8Array): OnPage | undefined {
  if (row.length !== 9) return undefined;
  const [height, first] = [readBeU32(row, 1), readBeU32(row, 5)];
  const receipts: { txid: Uint8Array; index: number }[] = [];
  let last = first - 1;
  try {
    for (const bytes of receiptsOf(page, height)) {
      const { height: of, index, txid } = decodeReceipt(bytes);
      const follows = receipts.length === 0 ? index === first : index > last;
      if (of !== height || !follows || txid.length !== 64) return undefined;
      last = index;
      receipts.push({ txid: fromDisplayHash(txid), index });
    }
  } catch {
    return undefined;
  }
  return receipts.length === 0 ? undefined : { height, receipts };
}

function countTxRows(run: CheckRun): number {
  let count = 0;
  for (const _ of run.rocks.scan('blocks', range(TAG.tx))) {
    run.saw('blocks');
    count++;
  }
  return count;
}

function findStrayTxRows(run: CheckRun): void {
  for (const rows of portions(run.rocks.scan('blocks', range(TAG.tx)), PORTION)) {
    const whole = rows.map(([row]) => row).filter((row) => row.length === 41);
    for (const [row] of rows) {
      if (row.length !== 41)
        run.report('CHECK_TX_INDEX', 'a row of the transaction index with a wrong length', { key: row });
    }
    for (const row of whole) {
      const [height, index] = [readBeU32(row, 33), readBeU32(row, 37)];
      const page = pageWith(run.rocks, height, index);
      const found = page && receiptsOnPage(page[0], page[1])?.receipts.find((receipt) => receipt.index === index);
      if (!bytesEqual(found?.txid, row.subarray(1, 33))) {
        run.report('CHECK_TX_INDEX', 'the transaction index names a missing receipt', { height, key: row });
      }
    }
  }
}

/** Reports rows of no known kind. */
function checkTags(run: CheckRun): void {
  for (const range of gaps(Object.values(TAG))) {
    for (const [row] of run.rocks.scan('blocks', range)) {
      run.report('CHECK_RECORD', 'a row of no known kind among the blocks', { key: row });
    }
  }
}

function parses(decode: () => boolean): boolean {
  try {
    return decode();
  } catch {
    return false;
  }
}
