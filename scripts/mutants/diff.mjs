// The first height and key in which two indexes differ.
import { inFile } from './in-file.mjs';

const heights = inFile('src/diff/heights.ts', 'test/diff/heights.test.ts');
const proofs = inFile('src/diff/proofs.ts', 'test/diff/proofs.test.ts');
const states = inFile('src/diff/states.ts', 'test/cli/diff.test.ts');
const server = inFile('src/diff/server-side.ts', 'test/cli/diff.test.ts');

export const DIFF = [
  heights(
    'diff-no-root-is-same',
    "return { kind: a.roots === undefined || b.roots === undefined ? 'unknown' : 'same' };",
    "return { kind: 'same' };",
    'a block without a root counts as the same',
  ),
  heights('diff-fork-unseen', 'a.hash !== b.hash || ', '', 'another block with the same root counts as the same'),
  proofs(
    'diff-leaf-beside-lost',
    'return this.#parts === depth ? hashOf(this.#leaf) : EMPTY_HASH;',
    'return EMPTY_HASH;',
    'the leaf below the end of a way is not seen beside it',
  ),
  proofs(
    'diff-leaf-anywhere',
    'return this.#parts >= depth ? this.#leaf : undefined;',
    'return this.#leaf;',
    'a leaf that left the way stands at its end',
  ),
  states(
    'diff-only-own-keys',
    'const key = mine?.[0] ?? theirs?.[0];',
    'const key = mine?.[0];',
    'a key that only the second database has is not seen',
  ),
  server(
    'diff-roots-believed',
    'if (toHex(combinedRoot(fromHex(roots.standard), fromHex(roots.lane))) !== roots.state) {',
    'if (roots.state === undefined) {',
    'a server may tell roots that do not belong together',
  ),
  server(
    'diff-proof-believed',
    'if (refutation !== undefined) throw',
    'if (refutation === undefined && proof === undefined) throw',
    'a proof of a server that proves nothing is believed',
  ),
];
