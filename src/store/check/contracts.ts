import { bytesEqual } from '../../util/bytes.js';
import { CONTRACT_KEY_BYTES, contractRows } from '../contract-rows.js';
import type { Row } from '../database.js';
import { readBeU32, receiptKey } from '../keys.js';
import type { CheckRun } from './run.js';

/** The rows of the index by contract that follow from a page of receipts which can be read are there; their number. */
export function checkContractRows(run: CheckRun, [row, page]: Row, height: number): number {
  const rows = contractRows(page, height, readBeU32(row, 5));
  const found = run.rocks.getMany(
    'blocks',
    rows.map(([key]) => key),
  );
  rows.forEach(([key, value], i) => {
    if (!bytesEqual(found[i], value))
      run.report('CHECK_CONTRACT_INDEX', 'a receipt is not in the index of its contract', { height, key });
  });
  return rows.length;
}

/** No rows but those that follow from pages of receipts, of which there are `expected`. */
export function checkNoOtherContractRows(run: CheckRun, expected: number): void {
  const range = { gte: Uint8Array.of(0x63), lt: Uint8Array.of(0x64) };
  let count = 0;
  for (const _ of run.rocks.scan('blocks', range)) {
    run.saw('blocks');
    count++;
  }
  if (count === expected) return;
  for (const [key] of run.rocks.scan('blocks', range)) {
    if (key.length === CONTRACT_KEY_BYTES && isNamed(run, key)) continue;
    const height = key.length === CONTRACT_KEY_BYTES ? readBeU32(key, 33) : undefined;
    run.report('CHECK_CONTRACT_INDEX', 'the index of a contract names a missing receipt', { height, key });
  }
}

/** Whether the page that a row is of names its contract. */
function isNamed(run: CheckRun, key: Uint8Array): boolean {
  const [height, first] = [readBeU32(key, 33), readBeU32(key, 37)];
  const page = run.rocks.get('blocks', receiptKey(height, first));
  try {
    return page !== undefined && contractRows(page, height, first).some(([row]) => bytesEqual(row, key));
  } catch {
    return false;
  }
}
