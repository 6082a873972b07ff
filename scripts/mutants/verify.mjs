// Stored blocks that are run once more.
import { inFile } from './in-file.mjs';

const TEST = 'test/verify/verify.test.ts';
const chain = inFile('src/verify/verify-chain.ts', TEST);
const compare = inFile('src/verify/compare-block.ts', TEST);
const again = inFile('src/verify/run-again.ts', TEST);

export const VERIFY = [
  chain(
    'work-filter-ignored',
    'height % filter.divisor === filter.remainder;',
    'height % filter.divisor < filter.divisor;',
    'each of several that share the work does all of it',
  ),
  compare(
    'stored-value-not-compared',
    'if (!has || !bytesEqual(left[ns].get(name), value)) {',
    'if (!has) {',
    'a stored value may be any, if running the block changes its key',
  ),
  compare(
    'receipts-not-compared',
    '?? differentReceipt(again.receipts, [...receipts])',
    '?? (again.receipts.length < 0 ? differentReceipt([], [...receipts]) : undefined)',
    'a receipt may be missing',
  ),
  again(
    'unchanged-write-counts',
    'if (!bytesEqual(value, earlier[i])) changes.set(key, value);',
    'changes.set(key, value);\n      void [earlier, i];',
    'a write that changes nothing is taken for a change that is not stored',
  ),
  again(
    'state-of-the-tip',
    '{ reader: new HeightState(store, before) }',
    '{ reader: new HeightState(store, store.tip()?.height ?? before) }',
    'a block is run again on the newest state',
  ),
];
