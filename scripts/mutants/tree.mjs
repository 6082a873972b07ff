// The state tree: its memory, rows, sweeps, hashing and loading.
import { inFile } from './in-file.mjs';

const tree = inFile('src/store/tree/state-tree.ts', 'test/store/tree-rows.test.ts');
const loadTree = inFile('src/store/tree/load-tree.ts', 'test/store/tree-rows.test.ts');
const memory = inFile('src/store/tree/tree-memory.ts', 'test/store/state-tree.test.ts');
const hasher = inFile('src/store/tree/tree-hasher.ts', 'test/store/tree-hasher.test.ts');
const sideJob = inFile('src/util/side-job.ts', 'test/store/tree-hasher.test.ts');
const rows = inFile('src/store/tree/tree-rows.ts', 'test/store/tree-rows.test.ts');
const sweep = inFile('src/store/tree/sweep.ts', 'test/store/sweep.test.ts');

const FINAL = { tests: ['test/store/final.test.ts'] };
const origin = inFile('src/store/tree-origin.ts', ...FINAL.tests);

export const TREE = [
  sweep(
    'sweep-outlasts-undo',
    'if (loses) return',
    'if (loses && keepUndo < 0) return',
    'a sweep of P outlasts the undo data',
  ),
  sweep(
    'sweep-long-for-nothing',
    'if (written * FEW_BLOCKS <= rows) return',
    'if (written < 0) return',
    'a sweep is long where rows hardly change twice',
  ),
  loadTree(
    'final-not-looked-for',
    'if (from <= origin.final || (from <= origin.tip && origin.touched(from) === undefined)) {',
    'if (from < 0) {',
    'a tree is made again where a block without undo data came after its rows',
    FINAL,
  ),
  origin(
    'final-deletions-missed',
    "      if (ns === 'P') yield* deletedFrom(rocks, range, from);\n",
    '',
    'deletions of final blocks are not found when a tree is loaded',
    FINAL,
  ),
  hasher(
    'hashed-parts-not-joined',
    '    for (const tree of trees) tree.takeBack();',
    '',
    'what threads have hashed of a tree is not joined to its root',
  ),
  sideJob(
    'stale-job-hashed',
    'if (posted.number === Atomics.load(control, JOB)) return',
    'return',
    'the hashing thread hashes trees that were given up instead of those that are wanted',
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
    'emit(rowKey(this.#namespace, oldBits, prefix), undefined);\n      const [from, to]',
    'const [from, to]',
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
