import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leavesOf, proofOf, rootOf } from '../../scripts/state-root/reference.mjs';
import { firstDifferentLeaf } from '../../src/diff/proofs.js';
import { type KeyProof, refutationOf } from '../../src/store/proof/key-proof.js';
import { pathOf, valueHashOf } from '../../src/store/tree/tree-hash.js';
import { compareBytes, toHex, u32Bytes } from '../../src/util/bytes.js';

type State = ReadonlyMap<number, number>;

const keyOf = (number: number): Uint8Array => u32Bytes(number);
const valueBytes = (number: number): Uint8Array => u32Bytes(number);

/** Proofs of a state, from the definition; each is verified. */
function proverOf(state: State): (key: Uint8Array) => KeyProof {
  const leaves = leavesOf([...state].map(([key, value]) => [keyOf(key), valueBytes(value)]));
  const root = rootOf(leaves);
  return (key) => {
    const known = [...state].find(([other]) => toHex(keyOf(other)) === toHex(key));
    const proof: KeyProof = {
      namespace: 'S',
      height: 0,
      standardRoot: root,
      laneRoot: new Uint8Array(32),
      key,
      value: known && valueBytes(known[1]),
      proof: proofOf(leaves, key),
    };
    expect(refutationOf(proof)).toBeUndefined();
    return proof;
  };
}

/** What the first differing leaf is, by looking at every key. */
function expectedOf(a: State, b: State): unknown {
  const keys = [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
  const [first] = keys.sort((x, y) => compareBytes(pathOf(keyOf(x)), pathOf(keyOf(y))));
  if (first === undefined) return undefined;
  const held = (state: State): string | undefined => {
    const value = state.get(first);
    return value === undefined ? undefined : toHex(valueHashOf(valueBytes(value)));
  };
  return { path: toHex(pathOf(keyOf(first))), held: [held(a), held(b)] };
}

async function foundIn(a: State, b: State): Promise<{ found: unknown; asked: number }> {
  const [left, right] = [proverOf(a), proverOf(b)];
  let asked = 0;
  const found = await firstDifferentLeaf(
    async (key) => {
      asked++;
      return [left(key), right(key)];
    },
    () => undefined,
  );
  const hashes = found?.leaves.map((leaf) => leaf && toHex(leaf.valueHash));
  return { found: found && { path: toHex(found.path), held: hashes }, asked };
}

test('of random pairs of states the first leaf is found that differs', async () => {
  const state = fc.array(fc.tuple(fc.nat(200), fc.nat(3)), { maxLength: 80 }).map((pairs) => new Map(pairs));
  const changes = fc.array(fc.tuple(fc.nat(200), fc.option(fc.nat(3), { nil: undefined })), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(state, changes, async (a, changed) => {
      const b = new Map(a);
      for (const [key, value] of changed) {
        if (value === undefined) b.delete(key);
        else b.set(key, value);
      }
      expect((await foundIn(a, b)).found).toEqual(expectedOf(a, b));
    }),
    { numRuns: 300, endOnFailure: true },
  );
});

test.each([
  ['nothing', new Map(), new Map()],
  ['nothing against one key', new Map(), new Map([[7, 1]])],
  ['one key against another', new Map([[8, 1]]), new Map([[7, 1]])],
  ['one key with two values', new Map([[8, 1]]), new Map([[8, 2]])],
  ['one key against many', new Map([[8, 1]]), new Map(Array.from({ length: 64 }, (_, i) => [i, 1] as const))],
])('%s', async (_, a: State, b: State) => {
  expect((await foundIn(a, b)).found).toEqual(expectedOf(a, b));
  expect((await foundIn(b, a)).found).toEqual(expectedOf(b, a));
});

test('one key of 2,000 is found with few proofs', async () => {
  const a = new Map<number, number>(Array.from({ length: 2_000 }, (_, i) => [i, 1]));
  for (const key of [3, 999, 5_000]) {
    const { found, asked } = await foundIn(a, new Map(a).set(key, 2));
    expect(found).toEqual(expectedOf(a, new Map(a).set(key, 2)));
    // Each goes at least one level down.
    expect(asked).toBeLessThanOrEqual(20);
  }
});
