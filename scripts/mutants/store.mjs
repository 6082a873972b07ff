// The store: commits, history, undo, keys.
import { inFile } from './in-file.mjs';

const STORE_TESTS = [
  'test/store/store.test.ts',
  'test/store/opening.test.ts',
  'test/store/undo.test.ts',
  'test/store/history.test.ts',
];
const store = inFile('src/store/store.ts', ...STORE_TESTS);
const reader = inFile('src/store/reader.ts', ...STORE_TESTS);
const entries = inFile('src/store/entries.ts', ...STORE_TESTS);
const keys = inFile('src/store/keys.ts', ...STORE_TESTS);
const put = inFile('src/store/commit-versions.ts', ...STORE_TESTS);
const sorted = inFile('src/store/sorted-writes.ts', ...STORE_TESTS);
const receiptWrites = inFile('src/store/receipt-writes.ts', ...STORE_TESTS);
const closing =
  'await this.trees.close();\n        await this.#receipts.close();\n' +
  '        await this.#rows.close();\n        await this.rocks.close();';
const order = inFile('src/store/block-order.ts', ...STORE_TESTS);
const undo = inFile('src/store/undo-versions.ts', ...STORE_TESTS);
const keeping = inFile('src/store/keeping.ts', ...STORE_TESTS);
const touched = inFile('src/store/touched.ts', 'test/store/touched.test.ts');
const rocks = inFile('src/store/rocks.ts', 'test/store/rocks.test.ts');

const FINAL = { tests: ['test/store/final.test.ts'] };
const storeIndexer = inFile('src/follow/store-indexer.ts', 'test/follow/store-indexer.test.ts');

export const STORE = [
  store(
    'final-not-recorded',
    '    if (final) putFinal(batch, height);\n',
    '',
    'nothing says that a block has no undo data',
    FINAL,
  ),
  store(
    'final-undo-stays',
    '    if (final && (pieces.begun || this.#rows.isBegun)) delUndo(this.rocks, batch, height);\n',
    '',
    'a large final block keeps the undo record by which it was written',
    FINAL,
  ),
  reader(
    'rollback-below-final',
    'Math.max(lowest - 1, finalHeight(this.rocks) ?? -1)',
    'lowest - 1',
    'a rollback goes below a block without undo data',
    FINAL,
  ),
  keeping(
    'unreachable-undo-stays',
    "      batch.del('undo', key);\n",
    '',
    'undo data below a final block stays for ever',
    FINAL,
  ),
  keeping(
    'final-unnamed',
    'return this.#kept.history === Number.POSITIVE_INFINITY;',
    'return true;',
    'nothing names the values that are to be dropped, as their blocks are final',
    FINAL,
  ),
  storeIndexer(
    'final-one-more',
    'const final = behind >= keepUndo;',
    'const final = behind >= keepUndo - 1;',
    'a block that a reorg of the greatest depth reaches gets no undo data',
  ),
  rocks('batch-keeps-rows', '      batch._clear();\n', '', 'rows of a discarded batch are written with the next one'),
  undo(
    'undo-keeps-history',
    "    batch?.del('history', keys[i]);\n",
    '',
    'what an undone block replaced stays in the history',
  ),
  undo(
    'undo-deletes',
    "batch?.put('latest', latestKey(ns, key), row);",
    "batch?.del('latest', latestKey(ns, key));",
    'undoing a block deletes what it changed',
  ),
  undo(
    'undo-keeps-first-values',
    "    batch?.del('latest', latestKey(ns, key));\n",
    '',
    'undoing a block leaves the first values of keys',
  ),
  undo(
    'undo-forgets-portion',
    '      end(portion);\n      portion = [];',
    '      portion = [];',
    'undoing a large block restores its last keys only',
    { tests: ['test/store/history.test.ts'] },
  ),
  receiptWrites(
    'undo-keeps-receipts',
    "    rows.del('blocks', new Uint8Array(key));\n",
    '',
    'receipts of an undone block stay',
  ),
  order(
    'undo-root-unchecked',
    'if (before?.roots === undefined || before.roots.state === roots.state) return;',
    'if (before === undefined || height >= 0) return;',
    'a rollback does not check the root that it gives',
    { tests: ['test/store/atomic.test.ts'] },
  ),
  keeping(
    'prune-one-more',
    'Math.min(last, height - this.#kept.undo)',
    'Math.min(last, height - this.#kept.undo + 1)',
    'one block less than asked can be undone',
  ),
  keeping(
    'history-prune-one-more',
    'height - Math.max(this.#kept.undo, this.#kept.history)',
    'height - Math.max(this.#kept.undo, this.#kept.history) + 1',
    'the state of one block less than asked is kept',
  ),
  keeping(
    'history-below-undo',
    'height - Math.max(this.#kept.undo, this.#kept.history)',
    'height - this.#kept.history',
    'values go that undoing needs',
  ),
  keeping(
    'ended-values-stay',
    "      if (present) batch.del('history', historyKey(ns, key, height, keyRoom));\n",
    '',
    'values that are no longer kept stay in the database',
  ),
  keeping(
    'unnamed-values-stay',
    'const unnamed = dropped && this.#leavesUnnamed(from, floor);',
    'const unnamed = dropped && from < 0;',
    'values that no undo data names stay when the history is cut later',
  ),
  keeping(
    'sweep-begins-again',
    'this.#cursor = rows < SWEPT_ROWS || last === undefined ? undefined : new Uint8Array([...last, 0]);',
    'this.#cursor = rows < SWEPT_ROWS || last === undefined ? undefined : new Uint8Array(0);',
    'a sweep never gets beyond its first rows',
  ),
  store(
    'rollback-too-far',
    'if (tip === undefined || tip.height <= toHeight) return;',
    'if (tip === undefined || tip.height < toHeight) return;',
    'a rollback undoes one block too many',
  ),
  order(
    'gap-accepted',
    '(tip && height !== tip.height + 1)',
    '(tip && height <= tip.height)',
    'a block may leave heights out',
  ),
  sorted(
    'long-entry-of-copy',
    'if (this.#copied.isElsewhere(at)) return',
    'if (this.#copied.isElsewhere(at) && index < 0) return',
    'a long value is taken from bytes that were never copied',
    { tests: ['test/store/sorted-writes.test.ts'] },
  ),
  sorted(
    'noop-deletions-stored',
    'if (existed[place] === 1 || writes.read(this.#addresses[place]).valueEnd >= 0) places',
    'places',
    'deleting an absent key leaves a trace',
  ),
  store(
    'tip-written-apart',
    'this.#write(pieces.last(), !options.moreFollow);',
    'this.#putMeta(META_TIP, beU32(height));\n    this.#write(pieces.last(), !options.moreFollow);',
    'the tip is written before its block, in a write of its own',
    { tests: ['test/store/atomic.test.ts'] },
  ),
  store(
    'writes-after-failure',
    'if (this.#failed !== undefined) {',
    'if (this.#failed === null) {',
    'a store goes on after a write that failed',
    { tests: ['test/store/write-failure.test.ts'] },
  ),
  reader(
    'history-newest',
    'if (latest !== undefined && writtenAt(latest) <= height)',
    'if (latest !== undefined)',
    'a historical read gives the newest value',
  ),
  reader(
    'history-before-its-time',
    'return writtenAt(row) <= height ? row : undefined;',
    'return row;',
    'a historical read gives a value that was written later',
  ),
  reader(
    'read-once',
    'if (again !== undefined && writtenAt(again) <= height) return again;',
    '',
    'a read that a rollback overtakes finds nothing',
  ),
  reader(
    'listing-overtaken',
    "if (!bytesEqual(this.rocks.get('meta', META_TIP), tip && beU32(tip.height)) || !this.#isThere(tip)) {",
    'if (tip === null) {',
    'a listing that a rollback overtakes lacks keys',
  ),
  reader(
    'pruned-is-absent',
    'if (height >= lowest || height < 0) return;',
    'if (height >= 0) return;',
    'states that are no longer kept are answered all the same',
  ),
  entries(
    'history-exclusive',
    'if (end > height && writtenAt(value) <= height) yield',
    'if (end >= height && writtenAt(value) <= height) yield',
    'a listing after a block gives what that block replaced',
  ),
  entries(
    'listing-too-new',
    'if (end > height && writtenAt(value) <= height) yield',
    'if (end > height) yield',
    'a listing of an old height gives values that were written later',
  ),
  keys(
    'zero-not-escaped',
    'if (bytes[i] === 0) out[at++] = 0xff;',
    'if (bytes[i] === 0) out[at++] = 0;',
    'keys with zero bytes lie among the versions of others',
  ),
  keys(
    'history-descends',
    'writeBeU32(out, at + 2, height);',
    'writeBeU32(out, at + 2, ~height);',
    'the newest of the values that ended comes first',
  ),
  touched(
    'undo-keys-unsorted',
    '(shared < key.length && rest[0] <= key[shared])',
    '(shared < key.length && rest[0] < key[shared])',
    'an undo record that can be written shorter is taken',
  ),
  touched(
    'undo-record-tail',
    'if (this.#at !== this.#bytes.length)',
    'if (this.#at > this.#bytes.length)',
    'bytes after an undo record are passed over',
  ),
  put(
    'superseded-lost',
    "    rows.put('history', historyKeyAt(ns, bytes, keyStart, keyEnd, height, keyRoom), row);\n",
    '',
    'a value that a block replaces is gone',
  ),
  touched(
    'superseded-as-if-new',
    '(keys.isPresent(end) ? 0 : 1)',
    '1',
    'undo data say of every key that it had no value before',
    { tests: STORE_TESTS },
  ),
  put(
    'superseded-of-first-portion',
    'const { bytes, keyStart, keyEnd } = writes.entry(i);\n      return latestKeyAt',
    'const { bytes, keyStart, keyEnd } = writes.entry(i - from);\n      return latestKeyAt',
    'of a large block the values that its last keys had are replaced by those of its first',
    { tests: ['test/store/history.test.ts'] },
  ),
  keeping(
    'floor-stays',
    'if (lowest !== floor?.height || swept !== floor.swept) putFloor',
    'if (swept !== floor?.swept) putFloor',
    'heights whose values are gone are answered as if they were there',
  ),
  keeping(
    'kept-above-first-block',
    'return firstBlock !== undefined && from > readBeU32(firstBlock[0], 1) + 1;',
    'return firstBlock !== undefined && from > readBeU32(firstBlock[0], 1) + 100;',
    'values that ended before the first undo data stay when the history is cut later',
  ),
  store(
    'refused-block-pruned',
    '      pieces.discard();\n      this.#keeping.forget();',
    '      pieces.discard();',
    'undo data that a refused block would have dropped stay for ever',
    { tests: ['test/store/undo.test.ts'] },
  ),
  store(
    'unread-lock-stays',
    `      } finally {\n        ${closing}\n`,
    `        ${closing}\n      } finally {\n`,
    'a database that cannot be read stays open when its store is closed',
    { tests: ['test/store/damaged-files.test.ts'] },
  ),
  put(
    'deleted-latest-stays',
    "if (valueEnd < 0) rows.del('latest', key);",
    'if (valueEnd < 0) continue;',
    'a deleted key keeps its latest value',
  ),
];
