import { describe, expect, it, vi } from 'vitest';
import { type Leaf, leavesOf, proofOf, rootOf, stateRootOf } from '../../scripts/state-root/reference.mjs';
import { refutationOf } from '../../src/store/proof/key-proof.js';
import { proveKey } from '../../src/store/proof/prove-key.js';
import { Store } from '../../src/store/store.js';
import { StateTree } from '../../src/store/tree/state-tree.js';
import { type StateProof, verifyProof } from '../../src/store/tree/verify-proof.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import { block, bytes, generator, OPTIONS } from './helpers.js';

const HISTORIES = 1_000;
const STEPS = 6;
const PROOFS_A_STATE = 2;

type Pairs = ReadonlyMap<string, Uint8Array>;
type Random = ReturnType<typeof generator>;

const randomBytes = (random: Random, most: number): Uint8Array =>
  Uint8Array.from({ length: random(most + 1) }, () => random(256));
/** Few of them, so that they are written again, deleted and revived. */
const randomKey = (random: Random): string =>
  random(3) === 0 ? toBinaryString(randomBytes(random, 2)) : `key ${random(20)}`;

function written(before: Pairs, writes: ReadonlyMap<string, Uint8Array | undefined>): Pairs {
  const after = new Map(before);
  for (const [key, value] of writes) {
    if (value === undefined) after.delete(key);
    else after.set(key, value);
  }
  return after;
}

/** Of each set of pairs, made once. */
const trees = new WeakMap<Pairs, { leaves: Leaf[]; root: Uint8Array }>();

function treeOf(pairs: Pairs): { leaves: Leaf[]; root: Uint8Array } {
  const known = trees.get(pairs);
  if (known !== undefined) return known;
  const leaves = leavesOf([...pairs].map(([key, value]) => [fromBinaryString(key), value]));
  const tree = { leaves, root: rootOf(leaves) };
  trees.set(pairs, tree);
  return tree;
}

/** The state of both namespaces after each block, block 0 first; the reference sees nothing else of a history. */
type States = { S: Pairs; P: Pairs }[];

/**
 * Compares the roots at the tip, and proofs at it and below it, with those of the whole sets of pairs. Returns how many
 * show a value.
 */
function compare(store: Store, states: States, random: Random): number {
  const tip = states.length - 1;
  expect(store.roots(tip)).toEqual(rootsOf(states[tip]).hex);
  let present = 0;
  for (let i = 0; i < PROOFS_A_STATE; i++) {
    const height = i === 0 ? tip : random(states.length);
    const ns = random(2) === 0 ? 'S' : 'P';
    const pairs = states[height][ns];
    const known = [...pairs.keys()];
    const key = known.length > 0 && random(2) === 0 ? known[random(known.length)] : randomKey(random);
    const proof = proveKey(store, ns, fromBinaryString(key), height);
    const own = proofOf(treeOf(pairs).leaves, proof.key);
    expect(hexOf(proof.proof)).toEqual(hexOf(own));
    const { hex, ...roots } = rootsOf(states[height]);
    expect(verifyProof(roots[ns], proof.key, pairs.get(key), proof.proof)).toBe(true);
    expect(refutationOf(proof, { root: fromHex(hex.state), height })).toBeUndefined();
    if (pairs.has(key)) present++;
  }
  return present;
}

const hexOf = ({ siblings, leaf }: StateProof): (string | undefined)[] =>
  [...siblings, leaf?.path, leaf?.valueHash].map((bytes) => bytes && toHex(bytes));

function rootsOf({ S, P }: States[number]) {
  const [standard, lane] = [treeOf(S).root, treeOf(P).root];
  const state = toHex(stateRootOf(standard, lane));
  return { S: standard, P: lane, hex: { standard: toHex(standard), lane: toHex(lane), state } };
}

/** A block of random writes, or a rollback of some blocks: tells which. */
function step(store: Store, states: States, random: Random): 'block' | 'rollback' {
  if (states.length > 1 && random(4) === 0) {
    const to = random(states.length - 1);
    states.length = to + 1;
    store.rollback(to);
    return 'rollback';
  }
  const writes = <T>(value: () => T) => new Map(Array.from({ length: random(11) }, () => [randomKey(random), value()]));
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

describe('heights below the tip', () => {
  const one = (height: number, standard: Record<string, string>) => block(height, standard);
  const proved = (store: Store, height: number): unknown => {
    const { value } = proveKey(store, 'S', bytes('key'), height);
    return value && new TextDecoder().decode(value);
  };
  const refused = (store: Store, height: number) => {
    try {
      proveKey(store, 'S', bytes('key'), height);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('are proved while their undo data is kept; the error names those that can be', () => {
    const store = Store.over(new MemoryDatabase(new Disk()), { ...OPTIONS, keepUndo: 3 }, 'memory');
    for (let height = 5; height < 12; height++)
      store.commitBlock(one(height, { key: `${height}`, [`${height}`]: 'x' }));
    for (const height of [8, 11, 9, 10, 8]) expect(proved(store, height)).toBe(`${height}`);
    expect(refused(store, 7)).toMatchObject({ code: 'STORE_NOT_PROVABLE', facts: { height: 7, from: 8, tip: 11 } });
    for (const height of [4, 12]) expect(refused(store, height)).toMatchObject({ code: 'USAGE_HEIGHT_NOT_INDEXED' });
    // The tree is what it was.
    store.commitBlock(one(12, { key: '12' }));
    expect(proved(store, 12)).toBe('12');
    store.rollback(9);
    expect(proved(store, 9)).toBe('9');
  });

  it('are proved across 10,000 changed keys, and no more', () => {
    const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
    const many = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${from + i}`, 'x']));
    store.commitBlock(one(0, { key: '0' }));
    store.commitBlock(one(1, many(0, 10_000)));
    expect(proved(store, 0)).toBe('0');
    // Keys count once, and those of the other namespace do not.
    store.commitBlock(block(2, many(0, 100), many(0, 100)));
    expect(proved(store, 0)).toBe('0');
    store.commitBlock(one(3, { another: 'x' }));
    expect(refused(store, 0)).toMatchObject({ code: 'STORE_NOT_PROVABLE', facts: { height: 0, from: 1, tip: 3 } });
    expect(proved(store, 1)).toBe('0');
  });

  it('after a proof that failed half-way the tree is loaded again', () => {
    const database = new MemoryDatabase(new Disk());
    const store = Store.over(database, OPTIONS, 'memory');
    for (let height = 0; height < 3; height++) store.commitBlock(one(height, { key: `${height}`, [`${height}`]: 'x' }));
    const update = vi.spyOn(StateTree.prototype, 'prove').mockImplementationOnce(() => {
      throw new Error('half-way');
    });
    expect(refused(store, 1)).toMatchObject({ message: 'half-way' });
    update.mockRestore();
    expect(proved(store, 2)).toBe('2');
    expect(proved(store, 1)).toBe('1');
    store.commitBlock(one(3, { key: '3' }));
    expect(proved(store, 3)).toBe('3');
  });
});
