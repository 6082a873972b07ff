import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageBuilder } from '../../src/store/check/page-builder.js';
import { StateTree } from '../../src/store/tree/state-tree.js';
import { combinedRoot, EMPTY_HASH, leafHash, nodeHash, pathBit } from '../../src/store/tree/tree-hash.js';
import type { TreeSource } from '../../src/store/tree/tree-updater.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { compareBytes, fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { bytes, generator, name } from './helpers.js';

/** A tree over a map that stands for the column. */
class MemoryTree implements TreeSource {
  readonly rows = new Map<string, Uint8Array>();
  readonly tree = new StateTree(this, 0x53);

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.rows.get(toBinaryString(key)));
  }

  apply(writes: Iterable<readonly [string, Uint8Array | undefined]>): string {
    const rows = new Map<string, Uint8Array | undefined>();
    const root = this.tree.update(new Map(writes), (key, value) => {
      expect(rows.has(toBinaryString(key)), 'no row is written twice').toBe(false);
      rows.set(toBinaryString(key), value?.slice());
    });
    for (const [key, value] of rows) {
      if (value === undefined) this.rows.delete(key);
      else this.rows.set(key, value);
    }
    expect(toHex(this.tree.root())).toBe(toHex(root));
    return toHex(root);
  }
}

/** The definition, straight from the map: split by bits until a leaf is alone. */
function naiveRoot(map: ReadonlyMap<string, Uint8Array>): string {
  const leaves = [...map].map(([key, value]) => {
    const raw = fromBinaryString(key);
    return { path: sha256(raw), hash: leafHash(raw, sha256(value)) };
  });
  const subtree = (inside: typeof leaves, depth: number): Uint8Array => {
    if (inside.length === 0) return EMPTY_HASH;
    if (inside.length === 1) return inside[0].hash;
    const side = (bit: number) =>
      subtree(
        inside.filter(({ path }) => pathBit(path, depth) === bit),
        depth + 1,
      );
    return nodeHash(side(0), side(1));
  };
  return toHex(subtree(leaves, 0));
}

const texts = (...pairs: [string, string][]): [string, Uint8Array][] => pairs.map(([k, v]) => [name(k), bytes(v)]);

describe('published roots', () => {
  const ten = Array.from({ length: 10 }, (_, i): [string, string] => [`key${i}`, `value${i}`]);
  it.each<[string, [string, string][][], string]>([
    ['a=1', [[['a', '1']]], '544fea44bf7d2c17fbbe042af7c3f37f45f58724dd71b5d7d571853d821f62ce'],
    [
      'a=1, b=2',
      [
        [
          ['a', '1'],
          ['b', '2'],
        ],
      ],
      'b461a8aff9e02509a4b0cf1cc25b40feadd470fff79a0a1c4488018de1a7b36a',
    ],
    [
      'b=2, a=1',
      [
        [
          ['b', '2'],
          ['a', '1'],
        ],
      ],
      'b461a8aff9e02509a4b0cf1cc25b40feadd470fff79a0a1c4488018de1a7b36a',
    ],
    [
      'a=1, b=2, then a=3 in the next block',
      [
        [
          ['a', '1'],
          ['b', '2'],
        ],
        [['a', '3']],
      ],
      '4224788988df5d4a388499e8f58c53b0f99986597beafcadaf018ec36d2dca20',
    ],
    ['key0=value0 to key9=value9', [ten], 'c711f87cabb2546f1f48642ae97e3888fcc689d6afeb3ac7e685ef604e1510e5'],
    ['k=""', [[['k', '']]], '2e1379ade8ec48adaf730808a2d5b1726809fae9012890fc237e622bc15dac3d'],
  ])('%s', (_, blocks, root) => {
    const tree = new MemoryTree();
    let last = '';
    for (const writes of blocks) last = tree.apply(texts(...writes));
    expect(last).toBe(root);
  });

  it('an empty tree has a root of zeros', () => {
    expect(toHex(new MemoryTree().tree.root())).toBe('00'.repeat(32));
    expect(new MemoryTree().apply([])).toBe('00'.repeat(32));
  });

  it('the combined root hashes the tag, the standard root and the lane root', () => {
    const [a, b] = [fromHex('11'.repeat(32)), fromHex('22'.repeat(32))];
    const preimage = Buffer.concat([Buffer.from('warpshrew/1'), a, b]);
    expect(toHex(combinedRoot(a, b))).toBe(toHex(sha256(preimage)));
  });
});

const key = fc.oneof(
  fc.nat({ max: 60 }).map((n) => name(`k${n}`)),
  fc.uint8Array({ maxLength: 6 }).map(toBinaryString),
);
const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }));
const batches = fc.array(fc.array(change, { maxLength: 40 }), { minLength: 1, maxLength: 8 });

describe('SHA-256', () => {
  it('of every length around the block boundaries equals that of node:crypto', () => {
    for (let length = 0; length < 700; length++) {
      const input = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
      expect(toHex(sha256(input))).toBe(createHash('sha256').update(input).digest('hex'));
    }
  });
});

describe('batches', () => {
  it('any sequence of batches with deletions gives the root, and the stored pages, of the remaining map', () => {
    fc.assert(
      fc.property(batches, (blocks) => {
        const tree = new MemoryTree();
        const map = new Map<string, Uint8Array>();
        for (const changes of blocks) {
          const writes = new Map(changes);
          for (const [k, v] of writes) {
            if (v === undefined) map.delete(k);
            else map.set(k, v);
          }
          expect(tree.apply(writes)).toBe(naiveRoot(map));
        }
        const rebuilt = new MemoryTree();
        rebuilt.apply([...map].reverse());
        expect(new Map([...tree.rows].sort())).toEqual(new Map([...rebuilt.rows].sort()));
      }),
      { numRuns: 200 },
    );
  });

  it('a large tree equals the definition after one batch and after many', () => {
    const random = generator(7);
    const map = new Map<string, Uint8Array>();
    for (let i = 0; i < 6_000; i++) map.set(name(`key ${i}`), bytes(`${random(1e9)}`));
    const once = new MemoryTree();
    expect(once.apply(map)).toBe(naiveRoot(map));
    const many = new MemoryTree();
    const entries = [...map];
    for (let i = 0; i < entries.length; i += 500) many.apply(entries.slice(i, i + 500));
    expect(many.rows).toEqual(new Map([...once.rows].map(([k, v]) => [k, v])));
    const removed = entries.filter((_, i) => i % 3 !== 0).map(([k]) => [k, undefined] as const);
    for (const [k] of removed) map.delete(k);
    expect(many.apply(removed)).toBe(naiveRoot(map));
  });

  it('keys and values of every length around a block, and long ones, are hashed as the definition says', () => {
    const lengths = [0, 1, 22, 23, 31, 32, 54, 55, 56, 63, 64, 65, 119, 120, 511, 512, 513, 5_000];
    const filled = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);
    const map = new Map<string, Uint8Array>();
    lengths.forEach((keyLength, k) => {
      lengths.forEach((valueLength, v) => {
        map.set(toBinaryString(filled(keyLength, k * 100 + v)), filled(valueLength, v));
      });
    });
    const tree = new MemoryTree();
    expect(tree.apply(map)).toBe(naiveRoot(map));
    const changed = [...map].map(([key, value], i) => [key, i % 2 ? value.slice(1) : undefined] as const);
    for (const [key, value] of changed) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
    }
    expect(tree.apply(changed)).toBe(naiveRoot(map));
  });

  it('a batch that is too large for one piece gives the pages that a walk over its leaves gives', () => {
    const map = new Map(Array.from({ length: 70_000 }, (_, i) => [name(`key ${i}`), bytes(`${i}`)] as const));
    const tree = new MemoryTree();
    tree.apply([...map].slice(0, 50_000));
    const more = Array.from({ length: 40_000 }, (_, i) => [name(`more ${i}`), bytes('x')] as const);
    tree.apply([...map, ...more].slice(30_000));
    // What is left of many pages is one leaf, which moves up.
    const root = tree.apply(more.map(([key]) => [key, undefined] as const));
    const leaves = [...map].map(([key, value]) => {
      const raw = fromBinaryString(key);
      return { keyHash: sha256(raw), hash: leafHash(raw, sha256(value)) };
    });
    leaves.sort((a, b) => compareBytes(a.keyHash, b.keyHash));
    const pages = new Map<string, string>();
    const builder = new PageBuilder(0x53, (key, page) => pages.set(toHex(key), toHex(page)));
    for (const { keyHash, hash } of leaves) builder.add(keyHash, hash);
    expect(toHex(builder.end())).toBe(root);
    const isPage = ([key]: [string, Uint8Array]) => key.charCodeAt(0) === 0x53;
    const stored = [...tree.rows].filter(isPage).map(([k, v]) => [toHex(fromBinaryString(k)), toHex(v)] as const);
    expect(stored.length).toBe(pages.size);
    expect(stored.filter(([key, page]) => pages.get(key) !== page)).toEqual([]);
    expect(tree.rows.size - stored.length).toBe(map.size);
  });

  it('a page that cannot be read, or is not there, is an error, and the next batch is as any other', () => {
    const tree = new MemoryTree();
    const map = new Map(Array.from({ length: 200 }, (_, i) => [name(`key ${i}`), bytes(`${i}`)] as const));
    tree.apply(map);
    const again = (): unknown => tree.tree.update(map, () => undefined);
    for (const [row, depth] of [
      ['\x53\x00', 0],
      ['\x53\x01\x30', 1],
    ] as const) {
      const page = tree.rows.get(row);
      if (page === undefined) throw new Error('there is no such page');
      // Leaves and children in one place, one byte less, nothing but the maps.
      for (const spoilt of [page.map((byte, i) => (i < 4 ? 0xff : byte)), page.slice(0, -1), page.slice(0, 3)]) {
        tree.rows.set(row, spoilt);
        expect(again).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT', facts: { depth } }));
      }
      tree.rows.delete(row);
      if (depth > 0) expect(again).toThrow(expect.objectContaining({ code: 'INTERNAL', facts: { depth } }));
      tree.rows.set(row, page);
    }
    expect(tree.apply(map)).toBe(naiveRoot(map));
  });

  it('removing every key leaves no row', () => {
    const tree = new MemoryTree();
    const keys = Array.from({ length: 300 }, (_, i) => name(`key ${i}`));
    tree.apply(keys.map((k) => [k, bytes('x')] as const));
    expect(tree.apply(keys.map((k) => [k, undefined] as const))).toBe('00'.repeat(32));
    expect(tree.rows.size).toBe(0);
  });
});

describe('proofs', () => {
  const build = (count: number) => {
    const tree = new MemoryTree();
    const map = new Map(Array.from({ length: count }, (_, i) => [name(`key ${i}`), bytes(`value ${i}`)] as const));
    tree.apply(map);
    const prove = (k: Uint8Array) => tree.tree.prove(k, (other) => map.get(toBinaryString(other)));
    return { tree, map, prove, root: tree.tree.root() };
  };

  it.each([0, 1, 2, 3, 17, 400])('of %i keys: every present key is proved present, absent ones absent', (count) => {
    const { map, prove, root } = build(count);
    for (const [k, value] of map) {
      const raw = fromBinaryString(k);
      const proof = prove(raw);
      expect(verifyProof(root, raw, value, proof)).toBe(true);
      expect(verifyProof(root, raw, undefined, proof)).toBe(false);
      expect(verifyProof(root, raw, bytes('other'), proof)).toBe(false);
    }
    for (let i = 0; i < 100; i++) {
      const raw = bytes(`absent ${i}`);
      const proof = prove(raw);
      expect(verifyProof(root, raw, undefined, proof)).toBe(true);
      expect(verifyProof(root, raw, bytes('value 0'), proof)).toBe(false);
    }
  });

  it('a proof of one key says nothing of another, under another root, or when altered', () => {
    const { prove, root } = build(50);
    const key0 = bytes('key 0');
    const proof = prove(key0);
    expect(verifyProof(root, bytes('key 1'), bytes('value 0'), proof)).toBe(false);
    expect(verifyProof(root, bytes('key 1'), undefined, proof)).toBe(false);
    expect(verifyProof(EMPTY_HASH, key0, bytes('value 0'), proof)).toBe(false);
    for (let i = 0; i < proof.siblings.length; i++) {
      const siblings = proof.siblings.map((hash, at) => (at === i ? sha256(hash) : hash));
      expect(verifyProof(root, key0, bytes('value 0'), { ...proof, siblings })).toBe(false);
    }
    expect(verifyProof(root, key0, bytes('value 0'), { ...proof, siblings: proof.siblings.slice(1) })).toBe(false);
    const long = Array.from({ length: 257 }, () => EMPTY_HASH);
    expect(verifyProof(root, key0, bytes('value 0'), { ...proof, siblings: long })).toBe(false);
  });

  it('a leaf that does not belong on the path proves nothing, even under a root that was made for it', () => {
    const absent = bytes('key');
    const bit = pathBit(sha256(absent), 0);
    const stranger = [...'abcdefgh'].map(bytes).find((other) => pathBit(sha256(other), 0) !== bit);
    if (stranger === undefined) throw new Error('no such key');
    const leaf = { key: stranger, valueHash: sha256(bytes('1')) };
    const hash = leafHash(leaf.key, leaf.valueHash);
    const root = bit === 0 ? nodeHash(hash, EMPTY_HASH) : nodeHash(EMPTY_HASH, hash);
    expect(verifyProof(root, absent, undefined, { siblings: [EMPTY_HASH], leaf })).toBe(false);
  });
});
