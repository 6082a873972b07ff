import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leavesOf, proofOf, rootOf, stateRootOf } from '../../scripts/state-root/reference.mjs';
import { type Vectors, vectors } from '../../scripts/state-root/vectors.mjs';
import { WarpshrewError } from '../../src/errors/errors.js';
import { decodeProof, encodeProof } from '../../src/store/proof/format.js';
import { type ProofJson, proofFromJson, proofToJson } from '../../src/store/proof/json.js';
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

const page = readFileSync(join(ROOT, 'docs/state-root.md'), 'utf8');
const hasPython = spawnSync('python3', ['--version']).status === 0;

it.skipIf(!hasPython)('the Python of docs/state-root.md verifies the published proofs, and no altered one', () => {
  const program = /^```python\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
  const altered = (json: ProofJson) => [
    // As far as another absent key, that may be absent, too.
    ...(json.value === null ? [] : [{ ...json, key: `${json.key}00` }]),
    { ...json, value: json.value === null ? '0x' : null },
    { ...json, root: `0x${'11'.repeat(32)}` },
    ...json.siblings.map((_, i) => ({ ...json, siblings: json.siblings.with(i, `0x${'11'.repeat(32)}`) })),
  ];
  // Of an empty set every key is absent.
  const [, ...jsons] = published.proofs.map(({ json }) => json);
  const lines = jsons.flatMap((json) => [json, ...altered(json)]).map((json) => JSON.stringify(json));
  const wanted = jsons.flatMap((json) => ['True', ...altered(json).map(() => 'False')]);
  const run = spawnSync('python3', ['-c', program], { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout.trim().split('\n')).toEqual(wanted);
});

it('the small verifier is one file of under 100 lines that imports a hash function and nothing else', () => {
  const source = readFileSync(join(ROOT, 'src/store/tree/verify-proof.ts'), 'utf8');
  expect(source.split('\n').length).toBeLessThan(100);
  expect(source.match(/^import .*$/gm)).toEqual(["import { createHash } from 'node:crypto';"]);
});
