import { sha256d } from '../../bitcoin/hash.js';
import { decodeReceipt } from '../../lane/receipt-bytes.js';
import { bytesEqual, fromDisplayHash } from '../../util/bytes.js';
import { readBeU32, receiptKey, txKey } from '../keys.js';
import { decodeBlockRecord, decodePlan } from '../records.js';
import type { Range } from '../rocks.js';
import type { CheckRun } from './run.js';
import { gaps, portions } from './run.js';

/** Offset of the previous hash in a header. */
const PREVIOUS_AT = 4;
/** Receipts are a few hundred bytes each, 64 KiB of returned data at most. */
const PORTION = 200;

const TAG = { block: 0x62, plan: 0x70, receipt: 0x72, tx: 0x74 } as const;

/**
 * Column `blocks`: a record, a plan and all receipts for every height from the first block to the tip, and nothing
 * else.
 */
export function checkBlocks(run: CheckRun, genesis: Uint8Array | undefined): void {
  const expected = checkRecords(run, genesis);
  const receipts = checkReceipts(run, expected);
  const indexed = countTxRows(run);
  // Every receipt has its row, so equal counts leave no row without a receipt.
  if (indexed !== receipts) findStrayTxRows(run);
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
 * Every receipt can be read, belongs to its row and has its row in the transaction index; returns how many there are.
 */
function checkReceipts(run: CheckRun, expected: Map<number, number>): number {
  let count = 0;
  for (const rows of portions(run.rocks.scan('blocks', range(TAG.receipt)), PORTION)) {
    const indexRows: { key: Uint8Array; height: number; row: Uint8Array }[] = [];
    for (const [row, value] of rows) {
      run.saw('blocks');
      count++;
      const height = row.length === 9 ? readBeU32(row, 1) : undefined;
      const index = row.length === 9 ? readBeU32(row, 5) : undefined;
      const txid = receiptTxid(value, height, index);
      if (height === undefined || index === undefined || txid === undefined) {
        run.report('CHECK_RECEIPT', 'a receipt that cannot be read or belongs elsewhere', { height, key: row });
        continue;
      }
      expected.set(height, (expected.get(height) ?? 0) - 1);
      indexRows.push({ key: txKey(txid, height, index), height, row });
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
  return count;
}

function receiptTxid(value: Uint8Array, height: number | undefined, index: number | undefined): Uint8Array | undefined {
  try {
    const receipt = decodeReceipt(value);
    if (receipt.height !== height || receipt.index !== index) return undefined;
    const txid = fromDisplayHash(receipt.txid);
    return txid.length === 32 ? txid : undefined;
  } catch {
    return undefined;
  }
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
    const receipts = run.rocks.getMany(
      'blocks',
      whole.map((row) => receiptKey(readBeU32(row, 33), readBeU32(row, 37))),
    );
    whole.forEach((row, i) => {
      const [height, index] = [readBeU32(row, 33), readBeU32(row, 37)];
      const txid = receipts[i] && receiptTxid(receipts[i], height, index);
      if (!bytesEqual(txid, row.subarray(1, 33))) {
        run.report('CHECK_TX_INDEX', 'the transaction index names a missing receipt', { height, key: row });
      }
    });
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
