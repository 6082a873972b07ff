// The indexer's own WebAssembly: hashes of blocks, of the state tree and of what contracts ask for.
import { inFile } from './in-file.mjs';

const TREE = 'test/store/state-tree.test.ts';
const VERIFY = 'test/bitcoin/verify.test.ts';
const blocks = inFile('wasm/native/block-hash.ts', 'test/bitcoin/offsets.test.ts', VERIFY);
const messages = inFile('wasm/native/messages.ts', TREE);
const changes = inFile('wasm/native/tree-changes.ts', TREE);
const tree = inFile('wasm/native/state-tree.ts', TREE);
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
  changes('leaf-untagged', 'store<u8>(message, 1);', 'store<u8>(message, 0);', 'leaves are hashed as nodes are'),
  changes(
    'low-nibble-first',
    'return (depth & 1) != 0 ? byte & 15 : byte >> 4;',
    'return (depth & 1) == 0 ? byte & 15 : byte >> 4;',
    'new pages of the tree lie by the swapped nibbles of a path',
  ),
  tree(
    'empty-root-stays',
    'if (rootStood) addRow(depth, pathOf(page), 0, 0);',
    '',
    'a tree without a leaf keeps the row of its root',
  ),
  guestHash(
    'guest-padding-too-short',
    'const fits = left < 56;',
    'const fits = left <= 56;',
    'a message of 56 bytes has no room for its end mark',
  ),
];
