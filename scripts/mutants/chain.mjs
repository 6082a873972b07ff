// Following the chain, and block bytes.
import { inFile } from './in-file.mjs';

const FOLLOWER = ['follower', 'follower-errors', 'reorgs'].map((name) => `test/follow/${name}.test.ts`);
const follower = inFile('src/follow/follower.ts', ...FOLLOWER, 'test/follow/out-of-turn.test.ts');
const fork = inFile('src/follow/fork-point.ts', ...FOLLOWER);
const verify = inFile('src/bitcoin/verify-block.ts', 'test/bitcoin/verify.test.ts', 'test/bitcoin/edges.test.ts');
const parse = inFile('src/bitcoin/parse-transaction.ts', 'test/bitcoin/parse.test.ts', 'test/bitcoin/edges.test.ts');

export const CHAIN = [
  fork(
    'fork-one-high',
    "return (await compare(source, indexer, below)) === true ? { kind: 'at', height: below } : { kind: 'unsettled' };",
    "return { kind: 'at', height: above };",
    'the fork point is one too high: a block of the old chain stays',
  ),
  fork(
    'fork-unconfirmed',
    "if ((await compare(source, indexer, above)) !== false) return { kind: 'unsettled' };",
    '',
    'a chain that changes while the fork is looked for is not noticed',
  ),
  fork(
    'fork-steps-past',
    'if (found) below = middle;\n    else above = middle;',
    'if (found) below = middle;\n    else above = middle - 1;',
    'the search for the fork goes past it',
  ),
  follower(
    'rollback-one-short',
    'while (height > to && !this.#stopped) {',
    'while (height > to + 1 && !this.#stopped) {',
    'one block of the old chain is not undone',
  ),
  follower(
    'rollback-too-deep',
    'if (to < lowest) {',
    'if (to < lowest - 1) {',
    'a reorg one block deeper than the undo data is tried',
  ),
  follower(
    'tip-not-compared',
    'if (!bytesEqual(ours, theirs)) {',
    'if (!bytesEqual(ours, theirs) && node.height > tip.height) {',
    'a reorg to a chain of the same height is not seen',
  ),
  follower(
    'out-of-turn',
    "if (block.height !== next || block.height > to) throw new Unsettled('the node served a block out of order');",
    '',
    'a block out of order is indexed',
  ),
  follower(
    'exit-late',
    'tip.height + 1 >= (this.#options.exitAt',
    'tip.height >= (this.#options.exitAt',
    'one block more than --exit-at is indexed',
  ),
  verify('target-exclusive', '<= target;', '< target;', 'a header hash of exactly the target is refused'),
  verify(
    'repeated-transactions',
    'if (mutated || !bytesEqual(root, expected)) {',
    'if (!bytesEqual(root, expected)) {',
    'transactions repeated under the same merkle root are accepted',
  ),
  verify(
    'first-commitment',
    'coinbase.outputs.findLast(',
    'coinbase.outputs.find(',
    'the first commitment of the coinbase counts, not the last',
  ),
  parse(
    'txid-over-witness',
    'const txid = layout.segwit\n',
    'const txid = layout.segwit && inputs.length > 1\n',
    'the txid of a segwit transaction with one input covers its witness',
  ),
];
