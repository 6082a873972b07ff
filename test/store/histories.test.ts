import { expect, it } from 'vitest';
import { leavesOf, proofOf, rootOf, stateRootOf } from '../../scripts/state-root/reference.mjs';
import { refutationOf } from '../../src/store/proof/key-proof.js';
import { proveKey } from '../../src/store/proof/prove-key.js';
import { Store } from '../../src/store/store.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import { block, generator, OPTIONS } from './helpers.js';

/** By hand: WARPSHREW_HISTORIES=10000 npx vitest run test/store/histories.test.ts */
const HISTORIES = Number(process.env.WARPSHREW_HISTORIES ?? 1_000);
const STEPS = 6;
const PROOFS_A_STATE = 2;

type Pairs = ReadonlyMap<string, Uint8Array>;
type Random = ReturnType<typeof generator>;

const randomBytes = (random: Random, most: number): Uint8Array =>
  Uint8Array.from({ length: random(most + 1) }, () => random(256));
/** Few of them, so that they are written again, deleted and revived. */
const randomKey = (random: Random): string =>
  random(3) === 0 ? toBinaryString(randomBytes(random, 2)) : `key ${random(40)}`;

function written(before: Pairs, writes: ReadonlyMap<string, Uint8Array | undefined>): Pairs {
  const after = new Map(before);
  for (const [key, value] of writes) {
    if (value === undefined) after.delete(key);
    else after.set(key, value);
  }
  return after;
}

const leavesOfPairs = (pairs: Pairs) => leavesOf([...pairs].map(([key, value]) => [fromBinaryString(key), value]));

/** The state of both namespaces after each block, block 0 first; the reference sees nothing else of a history. */
type States = { S: Pairs; P: Pairs }[];

/** Compares the roots and some proofs at the tip with those of the whole sets of pairs. Returns how many show a value. */
function compare(store: Store, states: States, random: Random): number {
  const state = states[states.length - 1];
  const leaves = { S: leavesOfPairs(state.S), P: leavesOfPairs(state.P) };
  const [standard, lane] = [rootOf(leaves.S), rootOf(leaves.P)];
  const roots = { standard: toHex(standard), lane: toHex(lane), state: toHex(stateRootOf(standard, lane)) };
  expect(store.roots(states.length - 1)).toEqual(roots);
  let present = 0;
  for (let i = 0; i < PROOFS_A_STATE; i++) {
    const ns = random(2) === 0 ? 'S' : 'P';
    const known = [...state[ns].keys()];
    const key = known.length > 0 && random(2) === 0 ? known[random(known.length)] : randomKey(random);
    const value = state[ns].get(key);
    const proof = proveKey(store, ns, fromBinaryString(key));
    const own = proofOf(leaves[ns], proof.key);
    const plain = ({ siblings, leaf }: typeof own) =>
      [siblings, leaf?.path, leaf?.valueHash].flat().map((b) => b && toHex(b));
    expect(plain(proof.proof)).toEqual(plain(own));
    expect(verifyProof(ns === 'S' ? standard : lane, proof.key, value, own)).toBe(true);
    expect(refutationOf(proof, { root: fromHex(roots.state), height: states.length - 1 })).toBeUndefined();
    if (value !== undefined) present++;
  }
  return present;
}

/** A block of random writes, or a rollback of some blocks: tells which. */
function step(store: Store, states: States, random: Random): 'block' | 'rollback' {
  if (states.length > 1 && random(4) === 0) {
    const to = random(states.length - 1);
    states.length = to + 1;
    store.rollback(to);
    return 'rollback';
  }
  const writes = <T>(value: () => T) => new Map(Array.from({ length: random(20) }, () => [randomKey(random), value()]));
  const standardWrites = writes(() => randomBytes(random, 3));
  const laneWrites = writes(() => (random(3) === 0 ? undefined : randomBytes(random, 3)));
  const before = states[states.length - 1] ?? { S: new Map(), P: new Map() };
  store.commitBlock({ ...block(states.length), standardWrites, laneWrites });
  states.push({ S: written(before.S, standardWrites), P: written(before.P, laneWrites) });
  return 'block';
}

it(`${HISTORIES} random histories with rollbacks have the roots and proofs of the definition`, async () => {
  let present = 0;
  let proofs = 0;
  for (let seed = 0; seed < HISTORIES; seed++) {
    const random = generator(seed);
    const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
    const states: States = [];
    for (let i = 0; i < STEPS; i++) {
      const done = step(store, states, random);
      if (done === 'block' && i < STEPS - 1) continue;
      present += compare(store, states, random);
      proofs += PROOFS_A_STATE;
    }
    await store.close();
  }
  expect(present).toBeGreaterThan(proofs / 4);
  expect(present).toBeLessThan((proofs * 3) / 4);
});
