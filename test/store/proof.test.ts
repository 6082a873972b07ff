import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { H } from '../../scripts/state-root/reference.mjs';
import { InputError } from '../../src/errors/errors.js';
import { readProof } from '../../src/store/proof/file.js';
import { decodeProof, encodeProof } from '../../src/store/proof/format.js';
import { proofFromJson, proofToJson } from '../../src/store/proof/json.js';
import { type KeyProof, refutationOf, rootOfProof, stateRootOfProof } from '../../src/store/proof/key-proof.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { bytesEqual, concatBytes, toHex } from '../../src/util/bytes.js';
import { bytes, generator } from './helpers.js';
import { randomProof, randomState } from './proofs.js';

/** More of them: bench/proofs.mjs. */
const PROOFS = 2_000;
const CHANGED = 50;
const PROOFS_A_STATE = 50;

/** `count` proofs of random states of up to `most` pairs. */
function* proofs(count: number, most: number, seed: number): Generator<KeyProof, void, void> {
  const random = generator(seed);
  for (let i = 0, state = randomState(random, most); i < count; i++) {
    if (i % PROOFS_A_STATE === 0) state = randomState(random, most);
    yield randomProof(state, random);
  }
}

/** What is left of a proof in its binary form with its checksum made anew; undefined if it is refused as no proof. */
function decoded(body: Uint8Array): KeyProof | undefined {
  try {
    return decodeProof(concatBytes(body, H(body)));
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** The members of a proof as they would be written: hex may lack its `0x` and have capitals, and -0 is 0. */
function prefixed(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const texts = Object.entries(json).map(([name, of]) => {
    if (of === 0) return [name, 0];
    if (typeof of !== 'string' || name === 'format' || name === 'namespace') return [name, of];
    const text = of.toLowerCase();
    return [name, text.startsWith('0x') ? text : `0x${text}`];
  });
  return Object.fromEntries(texts);
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
  return '';
};

describe('proofs of random states', () => {
  it(`${PROOFS} of present and of absent keys are verified after both encodings, and show nothing else`, () => {
    let present = 0;
    let last: KeyProof | undefined;
    for (const proof of proofs(PROOFS, 300, 1)) {
      const { key, value } = proof;
      const root = rootOfProof(proof);
      if (value !== undefined) present++;
      expect(refutationOf(proof, { root, height: proof.height, key, namespace: proof.namespace })).toBeUndefined();
      expect(refutationOf(proof, { root: stateRootOfProof(proof) })).toBeUndefined();
      const encoded = encodeProof(proof);
      expect(toHex(encodeProof(decodeProof(encoded)))).toBe(toHex(encoded));
      const json = JSON.stringify(proofToJson(proof));
      expect(JSON.stringify(proofToJson(decodeProof(encoded)))).toBe(json);
      expect(toHex(encodeProof(proofFromJson(JSON.parse(json))))).toBe(toHex(encoded));
      // The opposite, and another value.
      expect(verifyProof(root, key, value === undefined ? bytes('1') : undefined, proof.proof)).toBe(false);
      expect(verifyProof(root, key, bytes('another value'), proof.proof)).toBe(false);
      // Another key, another height.
      const otherKey = concatBytes(key, bytes('!'));
      if (value !== undefined) expect(verifyProof(root, otherKey, value, proof.proof)).toBe(false);
      expect(refutationOf(proof, { key: otherKey })?.code).toBe('PROOF_OTHER_KEY');
      const height = (proof.height + 1) % 2 ** 32;
      expect(refutationOf(proof, { height })?.code).toBe('PROOF_OTHER_HEIGHT');
      // The proof of one state under the root of another.
      if (last !== undefined && !bytesEqual(rootOfProof(last), root)) {
        expect(verifyProof(rootOfProof(last), key, value, proof.proof)).toBe(false);
        expect(refutationOf(proof, { root: rootOfProof(last) })?.code).toBe('PROOF_OTHER_ROOT');
      }
      last = proof;
    }
    expect(present).toBeGreaterThan(PROOFS / 4);
    expect(present).toBeLessThan((PROOFS * 3) / 4);
  });

  it(`each single changed bit of ${CHANGED} proofs is refused, with and without a checksum made for it`, () => {
    let wellFormed = 0;
    const accepted: string[] = [];
    for (const proof of proofs(CHANGED, 12, 2)) {
      const encoded = encodeProof(proof);
      const { key, namespace, height } = proof;
      const trusted = { root: stateRootOfProof(proof), height, key, namespace };
      for (let bit = 0; bit < encoded.length * 8; bit++) {
        const changed = encoded.slice();
        changed[bit >> 3] ^= 1 << (bit & 7);
        if (!codeOf(() => decodeProof(changed)).startsWith('PROOF_')) accepted.push(`bit ${bit} of ${toHex(encoded)}`);
        const body = changed.subarray(0, -32);
        const known = bit >> 3 < body.length ? decoded(body) : undefined;
        if (known === undefined) continue;
        wellFormed++;
        if (refutationOf(known) !== undefined) continue;
        if (refutationOf(known, trusted) === undefined || !isTrueToo(known, proof)) {
          accepted.push(`bit ${bit} of ${toHex(encoded)} with its checksum`);
        }
      }
    }
    // A list of all would take minutes to show.
    expect(accepted.slice(0, 3)).toEqual([]);
    expect(wellFormed).toBeGreaterThan(CHANGED * 300);
  });
});

/**
 * Whether a changed proof may hold to who trusts nothing: it is of another height, of another root of the other
 * namespace, or of another absent key that is as far.
 */
function isTrueToo(changed: KeyProof, { namespace, standardRoot, laneRoot, key, value, proof }: KeyProof): boolean {
  const sameKey = bytesEqual(changed.key, key);
  return (
    bytesEqual(rootOfProof(changed), namespace === 'S' ? standardRoot : laneRoot) &&
    changed.namespace === namespace &&
    bytesEqual(changed.value, value) &&
    (sameKey || value === undefined) &&
    changed.proof.siblings.every((hash, i) => bytesEqual(hash, proof.siblings[i]))
  );
}

describe('the small verifier', () => {
  const [proof] = [...proofs(40, 60, 3)].filter(({ value, proof: { siblings } }) => value && siblings.length > 2);
  const { key, value } = proof;
  const root = rootOfProof(proof);
  const { siblings, leaf } = proof.proof;

  it('refuses hashes and paths of another length, and a way longer than a path', () => {
    const zeros = new Uint8Array(32);
    expect(verifyProof(root, key, value, proof.proof)).toBe(true);
    for (const length of [0, 31, 33]) {
      const cut = siblings.map((hash, i) => (i === 0 ? new Uint8Array(length) : hash));
      expect(verifyProof(root, key, value, { leaf, siblings: cut })).toBe(false);
      const bad = { path: zeros.subarray(0, 31), valueHash: new Uint8Array(length) };
      expect(verifyProof(root, key, undefined, { siblings: [], leaf: bad })).toBe(false);
    }
    for (const length of [0, 30, 32]) {
      expect(
        verifyProof(root, key, undefined, { siblings: [], leaf: { path: new Uint8Array(length), valueHash: zeros } }),
      ).toBe(false);
    }
    expect(verifyProof(root, key, value, { leaf, siblings: Array.from({ length: 249 }, () => zeros) })).toBe(false);
    expect(verifyProof(root.subarray(1), key, value, proof.proof)).toBe(false);
  });

  it('refuses a way longer than a path under a root made for it, and takes one as long', () => {
    const zeros = new Uint8Array(32);
    const path = H(key).subarray(0, 31);
    const leaf = { path, valueHash: H(bytes('v')) };
    for (const length of [248, 249]) {
      let made = H(leaf.path, leaf.valueHash);
      for (let depth = length - 1; depth >= 0; depth--) {
        // What follows the last bit is read as 0.
        const isRight = ((path[depth >> 3] >> (7 - (depth & 7))) & 1) === 1;
        made = isRight ? H(zeros, made) : H(made, zeros);
      }
      const way = Array.from({ length }, () => zeros);
      expect(verifyProof(made, key, bytes('v'), { leaf, siblings: way })).toBe(length === 248);
    }
  });

  it('answers false to proofs of any shape, and never throws', () => {
    const octets = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 70 }));
    const path31 = fc.oneof(fc.constant(H(key).subarray(0, 31)), fc.uint8Array({ maxLength: 40 }));
    const anyLeaf = fc.option(fc.record({ path: path31, valueHash: octets }), { nil: undefined });
    fc.assert(
      fc.property(
        octets,
        fc.option(octets, { nil: undefined }),
        fc.array(octets, { maxLength: 260 }),
        anyLeaf,
        (of, claimed, way, end) => {
          expect(verifyProof(of, key, claimed, { siblings: way, leaf: end })).toBe(false);
          // A true proof with parts of others.
          expect(verifyProof(root, key, claimed, { siblings: [...siblings.slice(1), ...way], leaf })).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes no node for a leaf: the path and value hash of a made-up leaf cannot be the halves of a node', () => {
    // 63 bytes hash otherwise than the same with one more.
    const node = concatBytes(new Uint8Array(31).fill(1), new Uint8Array(33).fill(2));
    expect(H(node)).not.toEqual(H(node.subarray(0, 63)));
  });

  it('shows no absence by the leaf of a key elsewhere, under a root made for it', () => {
    const path = H(key).subarray(0, 31);
    const elsewhere = path.map((byte, i) => (i === 0 ? byte ^ 0x80 : byte));
    const stranger = { path: elsewhere, valueHash: new Uint8Array(32) };
    const zeros = new Uint8Array(32);
    const hash = H(elsewhere, zeros);
    const made = (path[0] & 0x80) === 0 ? H(hash, zeros) : H(zeros, hash);
    expect(verifyProof(made, key, undefined, { siblings: [zeros], leaf: stranger })).toBe(false);
    expect(verifyProof(H(path, zeros), key, undefined, { siblings: [], leaf: { path, valueHash: zeros } })).toBe(false);
  });
});

describe('what is no proof is refused by its code, and never breaks the reader', () => {
  const sample = [...proofs(60, 40, 4)];
  const anyProof = fc.constantFrom(...sample);

  it('cut at every byte, followed by others, or with another beginning', () => {
    for (const proof of sample.slice(0, 20)) {
      const encoded = encodeProof(proof);
      for (let length = 0; length < encoded.length; length++) {
        expect(codeOf(() => readProof(encoded.subarray(0, length)))).toBe(
          length < 4 ? 'PROOF_MALFORMED' : 'PROOF_TRUNCATED',
        );
      }
      expect(codeOf(() => decodeProof(concatBytes(encoded, Uint8Array.of(0))))).toBe('PROOF_TRAILING_BYTES');
      expect(codeOf(() => readProof(concatBytes(Uint8Array.of(0), encoded)))).toBe('PROOF_MALFORMED');
      expect(decodeProof(encoded)).toEqual(readProof(encoded));
    }
  });

  it('lengths beyond the file, a way beyond a path and empty siblings marked as full: no room is made for them', () => {
    const [proof] = sample.filter(({ value, key }) => value === undefined && key.length > 0);
    const body = encodeProof({ ...proof, proof: { siblings: [], leaf: undefined } }).slice(0, -32);
    const end = 78 + proof.key.length;
    const set = (at: number, ...octets: number[]) => {
      const changed = body.slice();
      changed.set(octets, at);
      return concatBytes(changed, H(changed));
    };
    expect(codeOf(() => decodeProof(set(74, 255, 255, 255, 255)))).toBe('PROOF_TRUNCATED');
    expect(codeOf(() => decodeProof(set(end + 1, 249)))).toBe('PROOF_MALFORMED');
    expect(codeOf(() => decodeProof(set(end + 1, 248)))).toBe('PROOF_TRUNCATED');
    const full = concatBytes(body.subarray(0, end + 1), Uint8Array.of(1, 0x80), new Uint8Array(32));
    expect(codeOf(() => decodeProof(concatBytes(full, H(full))))).toBe('PROOF_MALFORMED');
  });

  it('random bytes, alone and after a true beginning', () => {
    const beginning = encodeProof(sample[0]).subarray(0, 6);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat({ max: 6 }), (noise, kept) => {
        const input = concatBytes(beginning.subarray(0, kept), noise);
        expect(codeOf(() => readProof(input))).toMatch(/^PROOF_/);
        // What decodes after its checksum was made has one encoding.
        const known = decoded(input);
        if (known !== undefined) expect(toHex(encodeProof(known).subarray(0, -32))).toBe(toHex(input));
      }),
      { numRuns: 3_000 },
    );
  });

  it('true proofs with bytes exchanged, taken out and put in: what decodes has one encoding', () => {
    const edit = fc.tuple(fc.nat({ max: 1_000 }), fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(anyProof, fc.array(edit, { minLength: 1, maxLength: 4 }), (proof, edits) => {
        let body: Uint8Array = encodeProof(proof).slice(0, -32);
        for (const [place, removed, put] of edits) {
          const at = place % (body.length + 1);
          body = concatBytes(body.subarray(0, at), put, body.subarray(Math.min(at + removed, body.length)));
        }
        const known = decoded(body);
        if (known === undefined) return;
        expect(toHex(encodeProof(known))).toBe(toHex(concatBytes(body, H(body))));
        // A proof of anything else than the state has is refused.
        if (bytesEqual(known.key, proof.key) && known.namespace === proof.namespace) {
          const isSame =
            bytesEqual(known.value, proof.value) && (known.value === undefined) === (proof.value === undefined);
          if (!isSame) expect(refutationOf(known, { root: rootOfProof(proof) })).toBeDefined();
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('JSON whose members stand in the place of methods', () => {
    const json: Record<string, unknown> = { ...proofToJson(fc.sample(anyProof, { seed: 1, numRuns: 1 })[0]) };
    for (const name of Object.keys(json)) {
      const put = { toString: false, valueOf: false, toJSON: false, length: 1 };
      expect(codeOf(() => proofFromJson({ ...json, [name]: put }))).toMatch(/^PROOF_/);
    }
  });

  it('JSON of any kind, and true proofs with any member exchanged or left out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(codeOf(() => proofFromJson(json))).toMatch(/^PROOF_/);
      }),
      { numRuns: 1_000 },
    );
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('0x', '0x0', '00', '0xzz', '0xAB', `0x${'00'.repeat(32)}`, -0, -1, 1.5, 2 ** 32, ''),
    );
    fc.assert(
      fc.property(anyProof, fc.nat(), odd, fc.boolean(), (proof, which, put, isLeftOut) => {
        const json: Record<string, unknown> = { ...proofToJson(proof) };
        const names = Object.keys(json);
        const name = names[which % names.length];
        if (isLeftOut) delete json[name];
        else json[name] = put;
        const read = (): KeyProof => readProof(bytes(JSON.stringify({ jsonrpc: '2.0', id: 1, result: json })));
        if (codeOf(read) !== '') return;
        // What is read is what was written, and is about this key or of another one that is absent, too.
        const known = read();
        expect(proofToJson(known)).toEqual(prefixed(json));
        if (refutationOf(known, { root: stateRootOfProof(proof) }) === undefined) {
          expect(known.value?.length).toBe(proof.value?.length);
          if (known.value !== undefined) expect(toHex(known.key)).toBe(toHex(proof.key));
        }
      }),
      { numRuns: 3_000 },
    );
    expect(codeOf(() => proofFromJson({ ...proofToJson(sample[0]), more: 1 }))).toBe('PROOF_MALFORMED');
  });
});
