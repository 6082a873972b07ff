// The index of outputs and transactions by address.
import { inFile } from './in-file.mjs';

// The first compares with what going through all transactions gives, the second damages rows.
const TESTS = ['test/listing/addresses.test.ts', 'test/store/addresses.test.ts'];
const block = inFile('src/store/address-block.ts', ...TESTS);
const lists = inFile('src/store/address-lists.ts', ...TESTS);
const txids = inFile('src/store/address-txids.ts', ...TESTS);
const writes = inFile('src/store/address-writes.ts', ...TESTS);

export const ADDRESSES = [
  block(
    'address-op-return',
    '(end > start && bytes[start] === OP_RETURN) || ',
    '',
    'outputs that can never be spent are listed',
  ),
  block(
    'address-replaced-stays',
    'this.#spend(name, outpoint, 0, index, NO_INPUT);',
    '',
    'an output stays unspent that a later transaction with its txid replaced',
  ),
  block(
    'address-spent-twice',
    'this.#coins.set(name, undefined);\n    const spender',
    'const spender',
    'an output counts as unspent behind its spending in the same blocks',
  ),
  block(
    'address-long-script',
    ' || end - start > MOST_SCRIPT_BYTES',
    '',
    'outputs with scripts that are too long to run are listed',
  ),
  writes(
    'address-coin-stays',
    "rows.del('addresses', unspentKey(spent[i].outpoint, 0, keyRoom));",
    '',
    'a spent output stays among the unspent ones',
  ),
  writes(
    'address-undone-history',
    "rows.del('addresses', historyRowKey(coin.script, height, spentBy, keyRoom));",
    '',
    'a transaction that was undone stays in the history of what it spent',
  ),
  writes(
    'address-undone-own-spender',
    "if (spentBy !== undefined) rows.del('addresses', historyRowKey(script, height, spentBy, keyRoom));",
    '',
    'a transaction that was undone stays in the history of an output of its own block',
  ),
  writes(
    'address-restored-spent',
    'outputValue(coin.amount, undefined, valueRoom)',
    'outputValue(coin.amount, { height, index: spentBy, vin: 0 }, valueRoom)',
    'an output stays spent whose spending was undone',
  ),
  writes(
    'address-transaction-stays',
    "rows.del('addresses', transactionKey(txids, at, height, index++, keyRoom));",
    '',
    'a transaction that was undone is found by its txid',
  ),
  lists(
    'address-first-of-txid',
    '{ gte, lt, reverse: true }',
    '{ gte, lt }',
    'of several transactions with a txid the first one says whose an output is',
  ),
  lists(
    'address-output-above',
    'transactionKey(txid, 0, to, 0xffffffff)',
    'transactionKey(txid, 0, 0xffffffff, 0xffffffff)',
    'an output is known before the block that creates it',
  ),
  txids(
    'address-first-page',
    'const from = (index % PAGE_TXIDS) * HASH_BYTES;',
    'const from = index * HASH_BYTES;',
    'transactions behind the first page of txids have none',
  ),
  txids(
    'address-page-kept',
    'if (this.#page?.height !== height || this.#page.number !== number) {',
    'if (this.#page?.height !== height) {',
    'the txid is that of the page read before',
  ),
  lists(
    'address-place-again',
    'range = { ...range, gte: concatBytes(at, Uint8Array.of(0)) };',
    'range = { ...range, gte: at };',
    'the row of a cursor is listed twice',
  ),
  lists(
    'address-reverse-above',
    'else if (compareBytes(at, last) <= 0) range = { ...range, lt: at };',
    'else range = { ...range, lt: at };',
    'backwards, a place above the last height lists rows above it',
  ),
];
