// Proofs: the small verifier, their two encodings, what is trusted, and how a store makes them.
import { inFile } from './in-file.mjs';

const TEST = 'test/store/proof.test.ts';
const verify = inFile('src/store/tree/verify-proof.ts', TEST);
const format = inFile('src/store/proof/format.ts', TEST);
const json = inFile('src/store/proof/json.ts', TEST);
const keyProof = inFile('src/store/proof/key-proof.ts', TEST);
const prove = inFile('src/store/proof/prove-key.ts', 'test/store/proof-damage.test.ts');
const trees = inFile('src/store/trees.ts', 'test/store/histories.test.ts');

export const PROOF = [
  verify(
    'absent-by-any-leaf',
    'for (let at = 0; at < depth; at++) if (bit(leaf.path, at) !== bit(path, at)) return false;',
    '',
    'a leaf that hangs elsewhere shows that a key is absent',
  ),
  verify(
    'absent-though-present',
    'if (value === undefined ? own !== undefined : own',
    'if (value === undefined ? false : own',
    'the own leaf of a key shows that it is absent',
  ),
  verify(
    'any-value-proved',
    ' || !equal(own.valueHash, hash(value))) return false;',
    ') return false;',
    'the proof of one value shows any other',
  ),
  verify(
    'way-beyond-path',
    'if (depth > 8 * PATH_BYTES || siblings.some',
    'if (siblings.some',
    'a way may go on where the path has no bits',
  ),
  format(
    'proof-damage-unseen',
    'if (!bytesEqual(checksum, valueHashOf(bytes.subarray(0, checked)))) {',
    'if (checksum.length === 0) {',
    'a proof that was damaged on the way is read',
  ),
  format(
    'proof-map-tail',
    'if (unused > 0 && (map[map.length - 1] & ((1 << unused) - 1)) !== 0) {',
    'if (unused > 8) {',
    'one proof has several encodings',
  ),
  format(
    'proof-tail-ignored',
    'if (from.at !== bytes.length) {',
    'if (from.at > bytes.length) {',
    'bytes may follow a proof',
  ),
  json(
    'proof-roots-apart',
    'if (!bytesEqual(bytesOf(fields[name], name, HASH_BYTES), root)) throw',
    'if (bytesOf(fields[name], name, HASH_BYTES).length === 0) throw',
    'the roots that a proof in JSON shows need not be those that it is verified under',
  ),
  keyProof(
    'proof-of-other-height',
    'if (trusted.height !== undefined && trusted.height !== height) {',
    'if (trusted.height !== undefined && trusted.height < 0) {',
    'the proof of another height than the one asked for is taken',
  ),
  keyProof(
    'proof-of-other-key',
    'if (trusted.key !== undefined && !bytesEqual(trusted.key, key)) {',
    'if (trusted.key !== undefined && trusted.key.length !== key.length) {',
    'the proof of another key than the one asked for is taken',
  ),
  prove(
    'false-proof-given',
    'if (refutation === undefined) return proof;',
    'if (refutation === undefined || refutation.code) return proof;',
    'a store gives proofs that do not hold',
  ),
  trees(
    'tree-stays-in-the-past',
    '      tree.update(now);\n      return proof;',
    '      return proof;',
    'the proof of an old height leaves the tree in its state',
  ),
];
