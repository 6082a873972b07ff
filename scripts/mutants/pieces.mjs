// What keeps large blocks bounded in memory and blocks coming: pieces, packed maps, blocks that are read ahead.
import { inFile } from './in-file.mjs';

const PIECES_TEST = 'test/store/pieces.test.ts';
const BESIDE_TEST = 'test/store/receipts-beside.test.ts';
const ROWS_TEST = 'test/store/rows-beside.test.ts';
const pieces = inFile('src/store/pieces.ts', PIECES_TEST);
const undoRows = inFile('src/store/undo-rows.ts', PIECES_TEST);
const store = inFile('src/store/store.ts', PIECES_TEST);
const undoBlock = inFile('src/store/undo-block.ts', PIECES_TEST);
const beside = inFile('src/store/receipts-beside.ts', BESIDE_TEST);
const torn = inFile('src/store/torn.ts', BESIDE_TEST);
const rowsBeside = inFile('src/store/rows-beside.ts', PIECES_TEST);
const rowParts = inFile('src/store/row-parts.ts', PIECES_TEST);
const receiptParts = inFile('src/store/receipt-parts.ts', 'test/store/receipt-parts.test.ts');
const lists = inFile('src/store/lists.ts', BESIDE_TEST);
const group = inFile('src/store/group-rows.ts', 'test/store/group.test.ts');
const reader = inFile('src/store/reader.ts', PIECES_TEST);
const packed = inFile('src/util/packed-map.ts', 'test/util/packed-map.test.ts');
const unstored = inFile('src/standard/unstored-writes.ts', 'test/standard/rows-read.test.ts');
const merged = inFile('src/store/merged-writes.ts', 'test/follow/pipeline.test.ts');
const ahead = inFile('src/pipeline/blocks-ahead.ts', 'test/follow/blocks-ahead.test.ts');

const putUndo = "pieces.put('undo', undoKey(height, number), row);";
const tellPart = 'yield { from, end };';
const writeLast =
  'this.#write(pieces.last(), !options.moreFollow);\n    this.trees.settle();\n    this.#stamp = undefined;';
const storeTrees = 'if (isLarge) this.trees.storeAfter(height);';

const page = inFile('src/store/receipt-pages.ts', 'test/store/receipt-pages.test.ts');

export const PIECES = [
  receiptParts(
    'receipt-part-inside-page',
    '    ends.push(page.to);\n    first = page.to;',
    '    ends.push(page.to - (page.to < receipts.count ? 1 : 0));\n    first = page.to;',
    'a part of receipts ends inside of a page',
  ),
  receiptParts(
    'receipt-part-without-first',
    'const first = part === 0 ? 0 : parts[part - 1];',
    'const first = part < 1 ? 0 : parts[part - 1] + 1;',
    'the first receipt of a part is not written',
  ),
  inFile('src/store/receipt-writes.ts', 'test/store/receipt-parts.test.ts')(
    'receipt-page-written-last',
    "    rows.put('blocks', receiptKey(height, first), bytes);\n    // Behind",
    "    if (receipts.count === 1) rows.put('blocks', receiptKey(height, first), bytes);\n    // Behind",
    'rows that are found by a page are written without it',
  ),
  unstored(
    'row-read-of-older-block',
    'rows?.add(key, height, value, 0);',
    'rows?.add(key, height - 1, value, 0);',
    'a row that a block replaces counts as written a block too early',
  ),
  merged(
    'row-of-last-version',
    'const place = this.#order[this.#starts[key]];',
    'const place = this.#order[this.#starts[key + 1] - 1];',
    'of blocks that are stored together the last one says what was there before all of them',
  ),
  pieces(
    'piece-not-marked',
    'if (!this.#begun) putUnfinished(this.#batch, this.#height);',
    '',
    'the first piece does not say that its block is unfinished',
  ),
  pieces(
    'piece-mark-stays',
    "if (this.#begun) this.#batch.del('meta', META_UNFINISHED);",
    '',
    'a block that was written in pieces counts as unfinished for ever',
  ),
  pieces(
    'torn-receipts-stay',
    '    delReceipts(database, pieces, height);\n',
    '',
    'receipts of a block that a crash left unfinished stay',
  ),
  beside(
    'failed-thread-forgotten',
    'return { isBegun, failure };',
    'return { isBegun, failure: failure && undefined };',
    'a block is taken back, and the next one written, while a thread may still write rows of it',
  ),
  beside(
    'receipts-not-announced',
    'announceReceipts(batch, height);',
    'void announceReceipts;',
    'receipts are written before their block, and nothing tells an opening after a crash',
  ),
  rowsBeside(
    'parts-not-announced',
    'putUnfinished(announced, height);',
    'void putUnfinished;',
    'rows of a block are written in parts, and nothing tells an opening after a crash',
  ),
  rowsBeside(
    'parts-not-named',
    'for (const _ of putUndo(announced, height, writes, pieceBytes / UNDO_PARTS));\n',
    'void [putUndo, UNDO_PARTS];\n',
    'nothing names the keys of a block that is written in parts',
  ),
  rowsBeside(
    'large-parts-forgotten',
    'return this.#isBegun && this.#bytes > this.#options.pieceBytes;',
    'return this.#isBegun && this.#bytes < 0;',
    'the trees of a block that was written in many parts go into one batch',
  ),
  rowsBeside(
    'parts-mark-stays',
    "if (this.#isBegun) batch.del('meta', META_UNFINISHED);",
    'void META_UNFINISHED;',
    'a block that was written in parts counts as unfinished for ever',
  ),
  rowsBeside(
    'parts-forgotten',
    'return { isBegun, failure: this.#threads?.abandon() };',
    'return { isBegun: false, failure: this.#threads?.abandon() };',
    'parts of a block that is refused stay',
    { tests: [ROWS_TEST] },
  ),
  rowsBeside(
    'long-entry-for-threads',
    '(isWhole(shared[ns].copied, from, end) ? parts : own)',
    '(isWhole(shared[ns].copied, from, from) ? parts : own)',
    'other threads write an entry that they cannot see',
    { tests: [ROWS_TEST] },
  ),
  rowParts(
    'part-left-out',
    'const at = PART_NUMBERS * Atomics.add(next, 0, 1);',
    'const at = PART_NUMBERS * Atomics.add(next, 0, 2);',
    'every second part of a block is not written',
  ),
  torn(
    'receipts-before-block-stay',
    '  takeBackReceipts(database, write, pieceBytes);\n',
    '  void takeBackReceipts;\n',
    'receipts that were written before their block stay after a crash',
  ),
  lists(
    'receipts-before-block-seen',
    'const lt = txKey(txid, readBeU32(tip, 0) + 1, 0);',
    'const lt = afterPrefix(txPrefix(txid));\n    void txKey;',
    'a receipt is found by its txid before its block counts',
  ),
  undoRows(
    'undo-record-not-first',
    `${putUndo}\n    ${tellPart}`,
    `${tellPart}\n    ${putUndo}`,
    'pieces are written before the undo record by which they are taken back',
  ),
  group(
    'group-value-between-lost',
    'ended = latestRowAt(height, bytes, valueStart, valueEnd, valueRoom);\n    if',
    'ended ??= latestRowAt(height, bytes, valueStart, valueEnd, valueRoom);\n    if',
    'of blocks that are stored together the history has the value before the first of them several times',
  ),
  group(
    'group-roots-of-all',
    'i === last ? roots : undefined',
    'roots',
    'every block that is stored together with others has the root of the last one',
  ),
  store(
    'torn-block-stays',
    'takeBackTorn(database, (batch) => batch.write(), options.pieceBytes);',
    '',
    'an opening does not take back what a crash left of a block',
  ),
  undoBlock(
    'undone-block-finished',
    '      putUnfinished(batch, height);\n',
    '',
    'a large block that is rolled back is not made unfinished first',
  ),
  store(
    'trees-before-block',
    `${writeLast}\n    ${storeTrees}`,
    `${storeTrees}\n    ${writeLast}`,
    'rows of the trees are stored before the large block that they are of counts',
  ),
  reader(
    'unfinished-receipts-seen',
    'if (this.blockHash(height) === undefined) return;',
    '',
    'receipts of a block are read before it counts',
  ),
  packed(
    'packed-first-value-stays',
    `if (this.#setInPlace(entry, value, valueStart, valueEnd)) return;
      this.#addresses[entry] = this.#append(from, keyStart, keyEnd, value, valueStart, valueEnd);`,
    '',
    'the first value that a key was set to stays in a packed map',
  ),
  packed(
    'packed-order-lost',
    'for (let i = 0; i < this.#count; i++) {\n      if (this.#load(this.#addresses[i]) === DELETED) continue;',
    'for (let i = this.#count - 1; i >= 0; i--) {\n      if (this.#load(this.#addresses[i]) === DELETED) continue;',
    'entries of a packed map do not come in the order in which their keys were set',
  ),
  ahead(
    'writes-since-not-laid-over',
    'return writes === undefined ? held[input] === 1 : writes.get(key) !== undefined;',
    'return held[input] === 1;',
    'what blocks wrote since a block was read ahead is not seen',
  ),
  ahead(
    'oldest-write-since-wins',
    'over.findLast((map)',
    'over.find((map)',
    'of several blocks since a block was read ahead the first one decides',
  ),
  ahead(
    'left-readings-kept',
    '    this.#readings.clear();\n',
    '',
    'what was read ahead on a chain that was left is kept',
  ),
  page(
    'page-of-its-first-receipt-only',
    'lt: afterPrefix(receiptKey(height, index))',
    'lt: receiptKey(height, index)',
    'a receipt that is the first of its page is not found by its txid',
  ),
  page(
    'page-without-a-bound',
    'if (at > from && bytes + length > pageBytes)',
    'if (used > pageBytes)',
    'a page of receipts takes more bytes than said',
  ),
];
