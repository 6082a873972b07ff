// The indexer's own WebAssembly: hashes of blocks, of the state tree and of what contracts ask for.
import { inFile } from './in-file.mjs';

const TREE = 'test/store/state-tree.test.ts';
const VERIFY = 'test/bitcoin/verify.test.ts';
const blocks = inFile('wasm/native/block-hash.ts', 'test/bitcoin/offsets.test.ts', VERIFY);
const messages = inFile('wasm/native/messages.ts', VERIFY, 'test/bitcoin/offsets.test.ts');
const blake2s = inFile('wasm/native/blake2s.ts', TREE);
const treeMessages = inFile('wasm/native/tree-messages.ts', TREE);
const changes = inFile('wasm/native/tree-changes.ts', TREE);
const buckets = inFile('wasm/native/tree-buckets.ts', TREE, 'test/store/tree-rows.test.ts');
const merge = inFile('wasm/native/tree-merge.ts', TREE);
const nodes = inFile('wasm/native/tree-nodes.ts', TREE);
const besideNodes = inFile('wasm/native/tree-nodes.ts', 'test/store/tree-parts.test.ts');
const parts = inFile('wasm/native/tree-parts.ts', 'test/store/tree-parts.test.ts');
const proof = inFile('wasm/native/tree-proof.ts', TREE);
const guestHash = inFile('wasm/native/guest-sha256.ts', 'test/program/guest-memory.test.ts');

export const NATIVE = [
  blocks(
    'merkle-repetition-unseen',
    'if (same(pair, pair + 32)) mutated = 1;',
    '',
    'two equal neighbours of a merkle tree are not reported',
  ),
  blocks(
    'merkle-odd-other',
    'hashes + (<usize>(count - 1) << 5), 32)',
    'hashes + (<usize>(count - 2) << 5), 32)',
    'an odd level of a merkle tree repeats its second to last hash',
  ),
  messages(
    'padding-too-short',
    '((length + 9 + 63) & ~63)',
    '((length + 8 + 63) & ~63)',
    'the end mark of a message of 55 bytes lies in its length',
  ),
  blake2s(
    'last-block-unmarked',
    'let v14 = v128.xor(i32x4.splat(IV6), v128.load(at, LASTS));',
    'let v14 = i32x4.splat(IV6);',
    'the last block of a message is compressed as any other',
  ),
  treeMessages(
    'full-block-not-last',
    'if (left > 64) {',
    'if (left >= 64) {',
    'a message of whole blocks ends with an empty one',
  ),
  changes(
    'ties-unsorted',
    'if (load<u64>(before) == number) {',
    'if (false) {',
    'paths that share their first 64 bits stay in the order of the writes',
  ),
  buckets(
    'split-blocks-mixed',
    'if (count <= EXACT || low == 0 || low == count) {',
    'if (true) {',
    'half of a large block is given back as a whole one',
  ),
  buckets(
    'row-order-unchecked',
    'if (at > row && memory.compare(at - STORED, at, PATH) >= 0) return false;',
    '',
    'a row whose leaves are out of order is taken',
  ),
  merge(
    'same-value-again',
    'if (!existed || sameValue(entry, change)) return true;',
    'if (true) return true;',
    'a lone change of a value is forgotten',
  ),
  nodes(
    'next-depth-too-early',
    'store<u32>(cell, 0, WAITING);\n    // The next depth reads these.\n    endBlocks();',
    'store<u32>(cell, 0, WAITING);',
    'nodes are hashed before their children',
  ),
  nodes(
    'lone-leaf-hashed',
    'if (kind > LONE) hashBlock(left, right, out);',
    'if (kind > EMPTY) hashBlock(left, right, out);',
    'a leaf that is alone does not move up',
  ),
  besideNodes(
    'room-not-cleared',
    'memory.fill(scratch, 0, SCRATCH_BYTES);',
    '',
    'a thread takes what lay where it has its room for nodes that wait',
  ),
  nodes(
    'upper-levels-too-few',
    'for (let level = <i32>below - 1; level >= <i32>top; level--) {',
    'for (let level = <i32>below - 1; level > <i32>top; level--) {',
    'the topmost node of a part, and the root, keep their old hashes',
  ),
  parts(
    'parts-cut-unevenly',
    'while (to < dirtyCount && load<u32>(list + (<usize>to << 2)) >> (bits - depth) == prefix) to++;',
    'while (to < dirtyCount && load<u32>(list + (<usize>to << 2)) >> (bits - depth) <= prefix + 2) to++;',
    'a part is hashed with its neighbours, whose tops are not joined',
  ),
  parts(
    'part-without-room-lost',
    'if (load<u32>(part, 12) == 0) hashPart(part);',
    '',
    'a bucket for which no thread has room keeps its old hash',
  ),
  parts(
    'parts-joined-halfway',
    'hashUpper(list, parts, load<u32>(SHARED, DEPTH), 0);',
    'hashUpper(list, parts, load<u32>(SHARED, DEPTH), 1);',
    'the halves of a tree that threads have hashed are not joined',
  ),
  parts(
    'hashed-buckets-stay-listed',
    'unlist(list, number);',
    '',
    'a bucket that was hashed once is never hashed again',
  ),
  proof(
    'proof-sibling-wrong',
    'prefixOf(path, level + 1) ^ 1)',
    'prefixOf(path, level + 1))',
    'a proof holds the own half instead of the other',
  ),
  guestHash(
    'guest-padding-too-short',
    'const fits = left < 56;',
    'const fits = left <= 56;',
    'a message of 56 bytes has no room for its end mark',
  ),
];
