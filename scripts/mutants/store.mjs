// The store: commits, history, undo, tree, keys.
import { inFile } from './in-file.mjs';

const STORE_TESTS = ['test/store/store.test.ts', 'test/store/opening.test.ts', 'test/store/undo.test.ts'];
const store = inFile('src/store/store.ts', ...STORE_TESTS);
const reader = inFile('src/store/reader.ts', ...STORE_TESTS);
const keys = inFile('src/store/keys.ts', ...STORE_TESTS);
const put = inFile('src/store/put-versions.ts', ...STORE_TESTS);
const page = inFile('src/store/tree/tree-page.ts', 'test/store/state-tree.test.ts');
const tree = inFile('src/store/tree/state-tree.ts', 'test/store/state-tree.test.ts');
const updater = inFile('src/store/tree/tree-updater.ts', 'test/store/state-tree.test.ts');

export const STORE = [
  store(
    'undo-keeps-history',
    "    batch.del('history', historyKey(ns, key, height));\n",
    '',
    'an undone block stays in the history',
  ),
  store(
    'undo-deletes',
    'if (row === undefined || row[1][0] === 0) {',
    'if (row !== undefined || height >= 0) {',
    'undoing a block deletes what it changed',
  ),
  store(
    'undo-restores-deleted',
    'if (row === undefined || row[1][0] === 0) {',
    'if (row === undefined) {',
    'undoing a block brings deleted keys back as empty ones',
  ),
  store(
    'undo-own-version',
    "this.rocks.first('history', historyRange(ns, key, height - 1));",
    "this.rocks.first('history', historyRange(ns, key, height));",
    'undoing a block restores its own values',
  ),
  store('undo-keeps-receipts', '      this.#dropReceipts(batch, height);\n', '', 'receipts of an undone block stay'),
  store(
    'undo-root-unchecked',
    'if (before !== undefined && before.roots.state !== roots.state) {',
    'if (before === undefined && height < 0) {',
    'a rollback does not check the root that it gives',
    { tests: ['test/store/atomic.test.ts'] },
  ),
  store(
    'prune-one-more',
    'Math.min(height - this.#keepUndo, from + PRUNED_A_BLOCK - 1)',
    'Math.min(height - this.#keepUndo + 1, from + PRUNED_A_BLOCK - 1)',
    'one block less than asked can be undone',
  ),
  store(
    'rollback-too-far',
    'if (tip === undefined || tip.height <= toHeight) return;',
    'if (tip === undefined || tip.height < toHeight) return;',
    'a rollback undoes one block too many',
  ),
  store(
    'gap-accepted',
    '(tip && height !== tip.height + 1)',
    '(tip && height <= tip.height)',
    'a block may leave heights out',
  ),
  store(
    'noop-deletions-stored',
    'if (present[i] === undefined) kept.delete(key);',
    '',
    'deleting an absent key leaves a trace',
  ),
  store(
    'tip-written-apart',
    'this.#write(batch, !moreFollow);',
    'this.putMeta(META_TIP, beU32(block.height));\n    this.#write(batch, !moreFollow);',
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
    'readBeU32(latest, 0) <= height) return latestValue(latest);',
    'readBeU32(latest, 0) >= 0) return latestValue(latest);',
    'a historical read gives the newest value',
  ),
  reader(
    'history-exclusive',
    'if (written > height) continue;',
    'if (written >= height) continue;',
    'a listing after a block leaves out what that block wrote',
  ),
  reader(
    'listing-repeats',
    'if (done !== undefined && sameHistoryKey(done, row)) continue;',
    '',
    'a listing of an old height gives old versions, too',
  ),
  keys(
    'zero-not-escaped',
    'if (byte === 0) out[at++] = 0xff;',
    'if (byte === 0) out[at++] = 0;',
    'keys with zero bytes lie among the versions of others',
  ),
  keys(
    'history-ascends',
    'writeBeU32(out, at + 2, ~height);',
    'writeBeU32(out, at + 2, height);',
    'the oldest version comes first',
  ),
  put(
    'deleted-latest-stays',
    "if (value === undefined) batch.del('latest', latestKey(ns, key, keyRoom));",
    'if (value === undefined) continue;',
    'a deleted key keeps its latest value',
  ),
  page(
    'nibble-order',
    'return depth & 1 ? byte & 15 : byte >> 4;',
    'return depth & 1 ? byte >> 4 : byte & 15;',
    'the nibbles of a path are swapped',
  ),
  page(
    'lone-child-lifted',
    'if (count === 1 && (!child || to - from === 1)) return leaf;',
    'if (count === 1) return leaf;',
    'a page below counts as a leaf',
  ),
  tree(
    'proof-sibling-wrong',
    'siblings.push(new Uint8Array(rangeHash(page, middle, to)));',
    'siblings.push(new Uint8Array(rangeHash(page, from, middle)));',
    'a proof holds the own half instead of the other',
  ),
  tree(
    'piece-forgets',
    'root = updateTree(rows, this.#namespace, piece,',
    'root = updateTree(this.#source, this.#namespace, piece,',
    'the second portion of a large batch does not see the first',
  ),
  updater(
    'long-values-not-hashed',
    'if (value !== undefined) memory.set(leafHash(raw, sha256(value)), table + word * 4 + 32);',
    'if (value !== undefined) memory.set(sha256(value), table + word * 4 + 32);',
    'leaves with long values have another hash',
  ),
];
