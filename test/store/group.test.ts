import { expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit, StoreOptions } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { Killed, MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { block as blockWith, bytes, generator, OPTIONS, receipt, temporaryFolder } from './helpers.js';

type Random = ReturnType<typeof generator>;

/** A block without lane transactions. */
const block = (height: number, standard: Readonly<Record<string, string>> = {}): BlockCommit => ({
  ...blockWith(height, standard),
  receipts: [],
});

/** Writes of few keys, so that blocks of a group write the same ones; a value may be empty. */
function grouped(height: number, random: Random): BlockCommit {
  const keys = Array.from({ length: random(12) }, () => `${'k'.repeat(random(3))}${random(9)}`);
  return block(height, Object.fromEntries(keys.map((key) => [key, 'v'.repeat(random(4)) + (random(2) ? height : '')])));
}

/** A block that must be stored alone. */
function alone(height: number, random: Random): BlockCommit {
  const { standardWrites } = grouped(height, random);
  const laneWrites = new Map([[`p${random(4)}`, random(3) === 0 ? undefined : bytes(`${height}`)]]);
  return { ...block(height), standardWrites, laneWrites, receipts: [receipt(height, 0)] };
}

const FLAGS_AT = 180;
const HAS_NO_ROOTS = 2;

/** The content as it would be without the roots that `other` has none of. */
function withRootsOf(other: ReadonlyMap<string, string>, content: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    [...content].map(([row, value]) => {
      const there = other.get(row);
      if (!row.startsWith('blocks 62') || there === undefined || (fromHex(there)[FLAGS_AT] & HAS_NO_ROOTS) === 0) {
        return [row, value];
      }
      const record = fromHex(value);
      record.fill(0, 112, 176);
      record[FLAGS_AT] |= HAS_NO_ROOTS;
      return [row, toHex(record)];
    }),
  );
}

interface Pair {
  readonly one: Store;
  readonly together: Store;
  readonly remade: string[];
}

function opened(disks: readonly Disk[], options: Partial<StoreOptions>): Pair {
  const remade: string[] = [];
  const [one, together] = disks.map((disk) =>
    Store.over(new MemoryDatabase(disk), { ...OPTIONS, ...options, onTreeRemade: (ns) => remade.push(ns) }, 'memory'),
  );
  return { one, together, remade };
}

function commitOne(store: Store, blocks: readonly BlockCommit[]): void {
  for (const commit of blocks) store.commitBlock(commit);
}

it('blocks that are stored together leave the rows, states and roots of blocks that are stored one by one', () => {
  let groups = 0;
  for (let seed = 0; seed < 150; seed++) {
    const random = generator(seed);
    const options = { keepUndo: 9 + random(20), ...(random(2) === 0 && { history: 1 + random(20) }) };
    const disks = [new Disk(), new Disk()];
    let pair = opened(disks, options);
    for (let step = 0; step < 12; step++) {
      const { one, together } = pair;
      const next = (one.tip()?.height ?? -1) + 1;
      const what = random(8);
      if (what === 0 && next > 1) {
        const to = Math.max(one.lowestRollback(), next - 1 - random(6));
        expect(together.lowestRollback()).toBe(one.lowestRollback());
        for (const store of [one, together]) store.rollback(to);
      } else if (what === 1) {
        const last = alone(next, random);
        for (const store of [one, together]) store.commitBlock(last);
      } else if (what === 2) {
        // As after a crash: nothing that is only in memory stays.
        pair = opened(disks, options);
        continue;
      } else {
        const blocks = Array.from({ length: 1 + random(9) }, (_, i) => grouped(next + i, random));
        commitOne(one, blocks);
        expect(together.commitBlocks(blocks)).toEqual(one.roots(next + blocks.length - 1));
        groups++;
      }
      const tip = one.tip()?.height ?? -1;
      expect(together.tip()).toEqual(one.tip());
      expect(together.roots(tip)).toEqual(one.roots(tip));
      const content = together.rawContent();
      expect(content).toEqual(withRootsOf(content, one.rawContent()));
    }
    expect(pair.remade).toEqual([]);
  }
  expect(groups).toBeGreaterThan(600);
});

it('only the last of blocks that are stored together has roots, and an undone one gives them to the one before', () => {
  const { one, together } = opened([new Disk(), new Disk()], {});
  const blocks = Array.from({ length: 6 }, (_, height) => block(height, { a: `${height}`, [`b${height}`]: 'new' }));
  commitOne(one, blocks);
  together.commitBlocks(blocks);
  expect(blocks.map(({ height }) => together.roots(height) !== undefined)).toEqual([
    ...[false, false, false, false, false, true],
  ]);
  for (let height = 0; height < 6; height++) {
    expect(together.getAt('S', bytes('a'), height)).toEqual(bytes(`${height}`));
    expect([...together.entriesAt('S', bytes(''), height)]).toEqual([...one.entriesAt('S', bytes(''), height)]);
  }
  for (let height = 4; height >= 0; height--) {
    together.rollback(height);
    expect(together.roots(height)).toEqual(one.roots(height));
  }
});

it('a crash at the write of blocks that are stored together leaves all of them or none', () => {
  for (const fate of ['killed-before', 'killed-after'] as const) {
    const disk = new Disk();
    const first = Store.over(new MemoryDatabase(disk), OPTIONS, 'memory');
    first.commitBlock(block(0, { a: '0' }));
    const database = new MemoryDatabase(disk, () => fate);
    const dying = Store.over(database, OPTIONS, 'memory');
    expect(() => dying.commitBlocks([1, 2, 3].map((height) => block(height, { a: `${height}` })))).toThrow(Killed);
    const store = Store.over(new MemoryDatabase(disk), OPTIONS, 'memory');
    expect(store.tip()?.height).toBe(fate === 'killed-before' ? 0 : 3);
    expect(store.getLatest('S', bytes('a'))).toEqual(bytes(fate === 'killed-before' ? '0' : '3'));
  }
});

it('a database with blocks that were stored together is sound', async () => {
  const dir = temporaryFolder();
  const random = generator(5);
  const store = await Store.open(dir, { ...OPTIONS, keepUndo: 30 });
  try {
    for (let height = 0; height < 40; height += 8) {
      store.commitBlocks(Array.from({ length: 7 }, (_, i) => grouped(height + i, random)));
      store.commitBlock(alone(height + 7, random));
    }
    store.rollback(33);
  } finally {
    await store.close();
  }
  const found: string[] = [];
  await checkStore(dir, { violation: ({ detail }) => found.push(detail) });
  expect(found).toEqual([]);
});

it('refuses to store a block of lane transactions with others, blocks in another order, and none', () => {
  const { together } = opened([new Disk(), new Disk()], {});
  const random = generator(1);
  expect(() => together.commitBlocks([grouped(0, random), alone(1, random)])).toThrow(/stored alone/);
  expect(() => together.commitBlocks([grouped(0, random), grouped(2, random)])).toThrow(
    expect.objectContaining({ code: 'STORE_NOT_NEXT' }),
  );
  expect(() => together.commitBlocks([])).toThrow(/no blocks/);
  expect(together.tip()).toBeUndefined();
  expect(together.rawContent().size).toBe(0);
});
