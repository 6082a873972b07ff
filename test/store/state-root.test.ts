import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leavesOf, proofOf, rootOf, stateRootOf } from '../../scripts/state-root/reference.mjs';
import { type Vectors, vectors } from '../../scripts/state-root/vectors.mjs';
import { WarpshrewError } from '../../src/errors/errors.js';
import { decodeProof, encodeProof } from '../../src/store/proof/format.js';
import { proofFromJson, proofToJson } from '../../src/store/proof/json.js';
import { refutationOf, type Trusted } from '../../src/store/proof/key-proof.js';
import { combinedRoot } from '../../src/store/tree/tree-hash.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';

const published = JSON.parse(readFileSync(join(ROOT, 'fixtures/vectors/state-root.json'), 'utf8')) as Vectors;
const pairsOf = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([key, value]) => [fromHex(key), fromHex(value)] as const);

/** Why a proof in its binary form is refused; null: it is not. */
function refused(bytes: Uint8Array, trusted?: Trusted): string | null {
  try {
    return refutationOf(decodeProof(bytes), trusted)?.code ?? null;
  } catch (error) {
    if (error instanceof WarpshrewError) return error.code;
    throw error;
  }
}

describe('the published vectors of the state root', () => {
  it('are what the definition gives (if not: node scripts/state-root/vectors.mjs)', () => {
    expect(published).toEqual(vectors());
  });

  it('have the root of the whole state', () => {
    const { standard, lane, state } = published.state;
    expect(toHex(combinedRoot(fromHex(standard), fromHex(lane)))).toBe(state);
    expect(toHex(stateRootOf(fromHex(standard), fromHex(lane)))).toBe(state);
  });

  it.each(published.proofs)('$set: the proof that $about is the same in both forms, and is verified', (vector) => {
    const proof = proofFromJson(vector.json);
    expect(toHex(encodeProof(proof))).toBe(vector.binary);
    expect(decodeProof(fromHex(vector.binary))).toEqual(proof);
    expect(proofToJson(proof)).toEqual(vector.json);
    expect(refutationOf(proof)).toBeUndefined();
    const { pairs, root } = published.roots.find(({ name }) => name === vector.set) ?? { pairs: [], root: '' };
    expect(toHex(rootOf(leavesOf(pairsOf(pairs))))).toBe(root);
    expect(vector.json.root).toBe(`0x${root}`);
    const own = proofOf(leavesOf(pairsOf(pairs)), proof.key);
    expect(own.siblings.map(toHex)).toEqual(proof.proof.siblings.map(toHex));
    expect(verifyProof(fromHex(root), proof.key, proof.value, own)).toBe(true);
  });

  it.each(published.refused)(
    'one bit of $what changed: $code, and $trusting to who knows height and root',
    (vector) => {
      const bytes = fromHex(vector.binary);
      const { height, stateRoot } = published.proofs[6].json;
      expect(refused(bytes)).toBe(vector.code);
      expect(refused(bytes, { height, root: fromHex(stateRoot) })).toBe(vector.trusting);
    },
  );
});
