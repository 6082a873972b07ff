/** Random states with proofs made from the definition. */
import { type Leaf, leavesOf, proofOf, rootOf } from '../../scripts/state-root/reference.mjs';
import type { KeyProof } from '../../src/store/proof/key-proof.js';
import type { generator } from './helpers.js';

type Random = ReturnType<typeof generator>;

export interface RandomState {
  readonly pairs: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
  readonly leaves: readonly Leaf[];
  readonly root: Uint8Array;
}

const randomBytes = (random: Random, most: number): Uint8Array =>
  Uint8Array.from({ length: random(most + 1) }, () => random(256));

export function randomState(random: Random, most: number): RandomState {
  const pairs = new Map(
    Array.from({ length: random(most + 1) }, () => {
      const key = randomBytes(random, 12);
      return [key.join(), [key, randomBytes(random, 40)]] as const;
    }),
  );
  const leaves = leavesOf([...pairs.values()].map(([key, value]) => [key, value] as const));
  return { pairs: [...pairs.values()].map(([key, value]) => [key, value] as const), leaves, root: rootOf(leaves) };
}

/** The proof of a key of the state, or of one that is most likely absent. */
export function randomProof({ pairs, leaves, root }: RandomState, random: Random): KeyProof {
  const known = pairs.length > 0 && random(2) === 0 ? pairs[random(pairs.length)] : undefined;
  const key = known?.[0] ?? randomBytes(random, 12);
  const namespace = random(2) === 0 ? 'S' : 'P';
  const other = Uint8Array.from({ length: 32 }, () => random(256));
  const value = (known ?? pairs.find(([of]) => of.join() === key.join()))?.[1];
  return {
    namespace,
    height: random(2 ** 32),
    standardRoot: namespace === 'S' ? root : other,
    laneRoot: namespace === 'S' ? other : root,
    key,
    value,
    proof: proofOf(leaves, key),
  };
}
