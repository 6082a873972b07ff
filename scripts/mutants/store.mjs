// The store: commits, history, undo, tree, keys.
import { inFile } from './in-file.mjs';

const STORE_TESTS = ['test/store/store.test.ts', 'test/store/opening.test.ts', 'test/store/undo.test.ts'];
const store = inFile('src/store/store.ts', ...STORE_TESTS);
const reader = inFile('src/store/reader.ts', ...STORE_TESTS);
const keys = inFile('src/store/keys.ts', ...STORE_TESTS);
const put = inFile('src/store/put-versions.ts', ...STORE_TESTS);
const tree = inFile('src/store/tree/state-tree.ts', 'test/store/tree-rows.test.ts');
const loadTree = inFile('src/store/tree/load-tree.ts', 'test/store/tree-rows.test.ts');
const memory = inFile('src/store/tree/tree-memory.ts', 'test/store/state-tree.test.ts');
const rows = inFile('src/store/tree/tree-rows.ts', 'test/store/tree-rows.test.ts');

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
  tree(
    'sweep-marks-too-much',
    'cleanNext: header.sweepNext };',
    'cleanNext: height + 1 };',
    'rows that a sweep wrote early count as those of its end',
  ),
  tree(
    'undone-rows-wait',
    'this.#writeRow(place.bits, place.prefix, emit);',
    '',
    'what an undone block wrote stays in the stored rows',
  ),
  tree(
    'undone-height-stays',
    'const least = (next: number): number => Math.min(next, height);',
    'const least = (next: number): number => next;',
    'after an undone block the header is ahead of the tip',
  ),
  tree(
    'coarse-row-stays',
    'emit(rowKey(this.#namespace, oldBits, prefix), undefined);',
    '',
    'a row that was split stays beside its parts',
  ),
  tree(
    'unlimited-lag',
    'while (height + 1 - header.cleanNext > limits.behind)',
    'while (height + 1 - header.cleanNext > limits.behind + 1)',
    'rows are further behind than undo data reaches',
  ),
  loadTree(
    'catch-up-misses-tip',
    'for (let height = from; height <= origin.tip; height++) {',
    'for (let height = from; height < origin.tip; height++) {',
    'a loaded tree lacks the changes of the last block',
  ),
  loadTree(
    'root-not-compared',
    'return tree !== undefined && bytesEqual(tree.root(), origin.root) ? tree : undefined;',
    'return tree;',
    'rows that give another root than the recorded one are taken',
  ),
  loadTree(
    'spilt-tree-unbounded',
    'if (writer !== undefined && tree.bytes > limits.bytes) tree.spill(origin.tip, writer);',
    '',
    'a tree that is made from the state takes any amount of memory',
  ),
  memory(
    'long-values-not-hashed',
    'bytes.set(longValue ? valueHashOf(value) : value, end);',
    'bytes.set(longValue ? pathOf(value) : value, end);',
    'leaves with long values have another hash',
  ),
  memory(
    'existed-of-one-piece',
    'done += count;',
    '',
    'of a large batch only the last writes are told whether their keys existed',
  ),
  rows(
    'header-with-free-bits',
    ' && (cursor > 0 || oldBits === newBits)',
    '',
    'a damaged header has the memory of a huge tree allocated',
  ),
];
