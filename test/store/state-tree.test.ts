import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combinedRoot,
  EMPTY_HASH,
  HASH_BYTES,
  leafHash,
  nodeHash,
  PATH_BYTES,
  pathBit,
  pathOf,
  valueHashOf,
} from '../../src/store/tree/tree-hash.js';
import { type PathWrite, TreeMemory, type TreeWrites } from '../../src/store/tree/tree-memory.js';
import { headerKey } from '../../src/store/tree/tree-rows.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import { PackedMap } from '../../src/util/packed-map.js';
import { bytes, generator, name } from './helpers.js';
import { type Leaf, NAMESPACE, randomWrites, rootOfLeaves, rootOfPairs, TreeChain } from './tree-reference.js';

const texts = (...pairs: [string, string][]): TreeWrites => new Map(pairs.map(([k, v]) => [name(k), bytes(v)]));
const loadNothing = (): void => {
  throw new Error('nothing is dropped');
};
describe('published roots', () => {
  const ten = Array.from({ length: 10 }, (_, i): [string, string] => [`key${i}`, `value${i}`]);
  const a1: [string, string] = ['a', '1'];
  const b2: [string, string] = ['b', '2'];
  it.each<[string, [string, string][][], string]>([
    ['a=1', [[a1]], '2fb906d1a4d261c72cf5fb6cacb2360e052be15051efc1713d0fe1bb3a750c1e'],
    ['a=1, b=2', [[a1, b2]], '5f68b58bfb60227585afcfd2d61ac0b4e46104e1dda67b0ed8de1177996a5d06'],
    ['b=2, a=1', [[b2, a1]], '5f68b58bfb60227585afcfd2d61ac0b4e46104e1dda67b0ed8de1177996a5d06'],
    [
      'a=1, b=2, then a=3 in the next block',
      [[a1, b2], [['a', '3']]],
      '0a8419500481fc112d61fc647a0f227f4e33d4ef85f6aac04b32a6b880d3e1b8',
    ],
    ['key0=value0 to key9=value9', [ten], '3b75dc52719c8d914babb56e9d931377aab7b39ecec2c610f6738be808972e08'],
    ['k=""', [[['k', '']]], '662db9d40ea579cbc0907a5219698d7bc7716fb8fc8b111844c499cb08fe4f3f'],
  ])('%s', (_, blocks, root) => {
    const chain = new TreeChain();
    let last = '';
    for (const writes of blocks) last = chain.commit(texts(...writes));
    expect(last).toBe(root);
  });

  it('an empty tree has a root of zeros and no row', () => {
    const chain = new TreeChain();
    expect(chain.commit(new Map())).toBe('00'.repeat(32));
    expect(chain.rows.size).toBe(0);
  });

  it('writes that lie packed give the same tree, long ones and removals too', () => {
    const writes = new Map<string, Uint8Array | undefined>();
    for (let i = 0; i < 3_000; i++) writes.set(`key${i}`, new Uint8Array(i % 100).fill(i));
    for (const length of [4_095, 4_096, 4_097, 20_000]) {
      writes.set('k'.repeat(length), bytes('long key'));
      writes.set(`long value ${length}`, new Uint8Array(length).fill(7));
    }
    const removals = new Map([...writes.keys()].map((key, i) => [key, i % 3 === 0 ? undefined : bytes('then')]));
    const [packed, plain] = [new TreeMemory(), new TreeMemory()];
    for (const portion of [writes, removals, writes]) {
      expect(packed.apply(PackedMap.from(portion), loadNothing)).toEqual(plain.apply(portion, loadNothing));
      expect(toHex(packed.hash())).toBe(toHex(plain.hash()));
    }
  });

  it('the combined root hashes the tag, the standard root and the lane root', () => {
    const preimage = Buffer.concat([Buffer.from('warpshrew/2'), Buffer.alloc(32, 0x11), Buffer.alloc(32, 0x22)]);
    const hash = createHash('blake2s256').update(preimage).digest('hex');
    expect(toHex(combinedRoot(fromHex('11'.repeat(32)), fromHex('22'.repeat(32))))).toBe(hash);
  });
});

describe('hashing', () => {
  it('keys and values of every length around a block, and long ones, are hashed as the definition says', () => {
    const lengths = [0, 1, 31, 32, 62, 63, 64, 65, 127, 128, 129, 192, 193, 1_000, 4_096, 4_097, 20_000];
    const filled = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);
    const map = new Map<string, Uint8Array>();
    lengths.forEach((keyLength, k) => {
      lengths.forEach((valueLength, v) => {
        map.set(toBinaryString(filled(keyLength, k * 100 + v)), filled(valueLength, v));
      });
    });
    const chain = new TreeChain();
    expect(chain.commit(map)).toBe(rootOfPairs(map));
    const changed = new Map([...map].map(([key, value], i) => [key, i % 2 ? value.slice(1) : undefined] as const));
    expect(chain.commit(changed)).toBe(rootOfPairs(chain.state));
  });
});

describe('histories', () => {
  it('1,000 random ones with rollbacks give the root of the definition after every step', () => {
    const random = generator(2);
    for (let history = 0; history < 1_000; history++) {
      const chain = new TreeChain({ blocks: 1 + random(6), behind: 1 + random(12), bytes: Number.POSITIVE_INFINITY });
      for (let step = 2 + random(4); step > 0; step--) {
        const undo = chain.height >= 0 && random(3) === 0;
        const root = undo ? chain.undo() : chain.commit(randomWrites(random, history % 2 ? 60 : 200));
        expect(root).toBe(rootOfPairs(chain.state));
      }
    }
  });

  it('tell of every write whether its key was there', () => {
    const random = generator(5);
    const chain = new TreeChain();
    for (let step = 0; step < 60; step++) {
      const writes = randomWrites(random, 80);
      const expected = [...writes.keys()].map((key) => (chain.state.has(key) ? 1 : 0));
      expect([...chain.tree.update(writes).existed]).toEqual(expected);
      // Again: all of it is there, or gone, by now.
      chain.commit(writes);
      expect([...chain.tree.update(writes).existed]).toEqual(
        [...writes.values()].map((v) => (v === undefined ? 0 : 1)),
      );
    }
  });

  it('the same state by any way has the same proofs and, once written, the same rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = generator(seed);
        const chain = new TreeChain();
        for (let step = 0; step < 6; step++) chain.commit(randomWrites(random, 300));
        for (let step = random(3); step > 0; step--) chain.undo();
        const state = chain.state;
        const once = new TreeChain();
        once.commit(new Map([...state].reverse()));
        for (const key of [...state.keys(), name('none')].filter((_, i) => i % 4 === 0).map(fromBinaryString)) {
          expect(chain.tree.prove(key)).toEqual(once.tree.prove(key));
        }
      }),
      { numRuns: 10 },
    );
  });

  it('a large state equals the definition after one batch and after many', () => {
    const map = new Map(Array.from({ length: 9_000 }, (_, i) => [name(`key ${i}`), bytes(`${i * 7}`)] as const));
    const root = rootOfPairs(map);
    expect(new TreeChain().commit(map)).toBe(root);
    const many = new TreeChain();
    const entries = [...map];
    for (let i = 0; i < entries.length; i += 1_000) many.commit(new Map(entries.slice(i, i + 1_000)));
    expect(toHex(many.tree.root())).toBe(root);
    const removed = new Map(entries.filter((_, i) => i % 3 !== 0).map(([k]) => [k, undefined] as const));
    expect(many.commit(removed)).toBe(rootOfPairs(many.state));
    expect(many.tree.leaves).toBe(many.state.size);
  });

  it('a batch of more changes than are applied at a time gives what many batches give', () => {
    const all = Array.from({ length: 300_000 }, (_, i) => [name(`key ${i}`), bytes(`${i}`)] as const);
    const [once, many] = [new TreeMemory(), new TreeMemory()];
    const existed = once.apply(new Map([...all, ...all.slice(0, 9)]), loadNothing);
    expect(existed.every((byte) => byte === 0)).toBe(true);
    for (let at = 0; at < all.length; at += 60_000) many.apply(new Map(all.slice(at, at + 60_000)), loadNothing);
    expect(toHex(once.hash())).toBe(toHex(many.hash()));
    expect(once.leaves).toBe(all.length);
    expect(once.apply(new Map(all), loadNothing).every((byte) => byte === 1)).toBe(true);
  });

  it('removing every key leaves the root of nothing and no row but the header', () => {
    const chain = new TreeChain({ blocks: 1, behind: 1, bytes: Number.POSITIVE_INFINITY });
    const keys = Array.from({ length: 3_000 }, (_, i) => name(`key ${i}`));
    chain.commit(new Map(keys.map((key) => [key, bytes('x')])));
    expect(chain.rows.size).toBeGreaterThan(2);
    expect(chain.commit(new Map(keys.map((key) => [key, undefined])))).toBe('00'.repeat(32));
    expect([...chain.rows.keys()]).toEqual([toBinaryString(headerKey(NAMESPACE))]);
  });
});

/** A leaf whose path begins with `bits` bits of `base`, then differs; the rest of both is random. */
function nearby(base: Uint8Array, bits: number, random: (n: number) => number): Leaf {
  const path = Uint8Array.from({ length: PATH_BYTES }, () => random(256));
  for (let bit = 0; bit <= Math.min(bits, 247); bit++) {
    const wanted = bit < bits ? pathBit(base, bit) : 1 - pathBit(base, bit);
    const mask = 0x80 >> (bit & 7);
    path[bit >> 3] = wanted ? path[bit >> 3] | mask : path[bit >> 3] & ~mask;
  }
  return { path, valueHash: Uint8Array.from({ length: HASH_BYTES }, () => random(256)) };
}

describe('paths that an adversary chose', () => {
  const asWrites = (leaves: readonly Leaf[]): PathWrite[] => leaves.map(({ path, valueHash }) => [path, valueHash]);
  const removals = (leaves: readonly Leaf[]): PathWrite[] => leaves.map(({ path }) => [path, undefined]);
  const fresh = (leaves: readonly Leaf[]): TreeMemory => {
    const tree = new TreeMemory();
    tree.applyPaths(asWrites(leaves), loadNothing);
    return tree;
  };

  it('share any number of bits, up to all but the last', () => {
    const random = generator(9);
    const base = nearby(new Uint8Array(PATH_BYTES), 0, random);
    for (const shared of [0, 1, 7, 8, 60, 63, 64, 65, 127, 128, 191, 192, 200, 246, 247]) {
      const leaves = [base, nearby(base.path, shared, random), nearby(base.path, shared >> 1, random)];
      const tree = fresh(leaves);
      expect(toHex(tree.hash()), `${shared} bits`).toBe(toHex(rootOfLeaves(leaves)));
      tree.applyPaths(removals(leaves.slice(1, 2)), loadNothing);
      expect(toHex(tree.hash())).toBe(toHex(rootOfLeaves([leaves[0], leaves[2]])));
    }
  });

  it('lie in one bucket by thousands, with others around them', () => {
    const random = generator(10);
    const base = nearby(new Uint8Array(PATH_BYTES), 0, random);
    const crowd = Array.from({ length: 2_000 }, () => nearby(base.path, 20 + random(60), random));
    const others = Array.from({ length: 2_000 }, () => nearby(base.path, random(12), random));
    const tree = fresh(crowd);
    tree.applyPaths(asWrites(others), loadNothing);
    expect(toHex(tree.hash())).toBe(toHex(rootOfLeaves([...crowd, ...others])));
    tree.applyPaths(removals(crowd.slice(0, 1_500)), loadNothing);
    const left = [...crowd.slice(1_500), ...others];
    expect(toHex(tree.hash())).toBe(toHex(rootOfLeaves(left)));
    expect(tree.leaves).toBe(left.length);
  });

  it('stay apart when a crowded bucket is split, and both halves grow and shrink', () => {
    const random = generator(11);
    const base = nearby(new Uint8Array(PATH_BYTES), 0, random);
    const other = nearby(base.path, 5, random);
    const near = (path: Uint8Array, count: number) =>
      Array.from({ length: count }, () => nearby(path, 20 + random(40), random));
    let [left, right] = [near(base.path, 300), near(other.path, 300)];
    const tree = fresh([...left, ...right]);
    for (let round = 0; round < 6; round++) {
      const gone = [...left.slice(0, 20), ...right.slice(0, 10)];
      const more = [near(base.path, 30), near(other.path, 5)];
      tree.applyPaths([...asWrites([...more[0], ...more[1]]), ...removals(gone)], loadNothing);
      left = [...left.slice(20), ...more[0]];
      right = [...right.slice(10), ...more[1]];
      expect(toHex(tree.hash())).toBe(toHex(rootOfLeaves([...left, ...right])));
    }
  });

  it('are proved, all of them, and the places beside them', () => {
    const random = generator(12);
    const base = nearby(new Uint8Array(PATH_BYTES), 0, random);
    const leaves = Array.from({ length: 200 }, (_, i) => nearby(base.path, i < 100 ? 50 + random(150) : 3, random));
    const tree = fresh(leaves);
    const root = toHex(tree.hash());
    const rootFrom = (path: Uint8Array): string => {
      const { siblings, leaf } = tree.prove(path, loadNothing);
      let hash = leaf === undefined ? EMPTY_HASH : leafHash(leaf.path, leaf.valueHash);
      for (let bit = siblings.length - 1; bit >= 0; bit--) {
        hash = pathBit(path, bit) ? nodeHash(siblings[bit], hash) : nodeHash(hash, siblings[bit]);
      }
      return toHex(hash);
    };
    for (const { path, valueHash } of leaves) {
      expect(tree.prove(path, loadNothing).leaf).toEqual({ path, valueHash });
      expect(rootFrom(path)).toBe(root);
      expect(rootFrom(nearby(path, random(248), random).path)).toBe(root);
    }
  });

  it('come twice in one batch: the later write counts', () => {
    const random = generator(14);
    const [a, b] = [nearby(new Uint8Array(PATH_BYTES), 0, random), nearby(new Uint8Array(PATH_BYTES), 0, random)];
    const again = { path: a.path, valueHash: b.valueHash };
    const tree = new TreeMemory();
    tree.applyPaths([...asWrites([a, b]), ...removals([a]), ...asWrites([again])], loadNothing);
    expect(toHex(tree.hash())).toBe(toHex(rootOfLeaves([again, b])));
    expect(tree.leaves).toBe(2);
  });
});

describe('proofs', () => {
  it.each([0, 1, 2, 3, 17, 400])('of %i keys: every present key is proved present, absent ones absent', (count) => {
    const chain = new TreeChain();
    chain.commit(new Map(Array.from({ length: count }, (_, i) => [name(`key ${i}`), bytes(`value ${i}`)] as const)));
    const root = chain.tree.root();
    for (const [key, value] of chain.state) {
      const raw = fromBinaryString(key);
      const proof = chain.tree.prove(raw);
      expect(proof.leaf).toEqual({ path: pathOf(raw), valueHash: valueHashOf(value) });
      expect(verifyProof(root, raw, value, proof)).toBe(true);
      expect(verifyProof(root, raw, undefined, proof)).toBe(false);
    }
    for (let i = 0; i < 100; i++) {
      const raw = bytes(`absent ${i}`);
      expect(verifyProof(root, raw, undefined, chain.tree.prove(raw))).toBe(true);
    }
  });
});
