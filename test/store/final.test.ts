import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { beU32, META_FINAL } from '../../src/store/keys.js';
import { createSnapshot } from '../../src/store/snapshot/create.js';
import { restoreSnapshot } from '../../src/store/snapshot/restore.js';
import { Store } from '../../src/store/store.js';
import { treesAreStored } from '../../src/store/tree-origin.js';
import type { BlockCommit, Namespace, StoreOptions } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { Killed, MemoryDatabase, type WriteFate } from '../../src/testing/sim/memory-database.js';
import { toHex } from '../../src/util/bytes.js';
import { block, bytes, generator, OPTIONS, randomBlock, temporaryFolder } from './helpers.js';

const tooDeep = expect.objectContaining({ code: 'STORE_ROLLBACK_TOO_DEEP' });

function opened(disk: Disk, options: Partial<StoreOptions> = {}, fate: () => WriteFate = () => 'written') {
  const remade: Namespace[] = [];
  const all = { ...OPTIONS, ...options, onTreeRemade: (ns: Namespace) => void remade.push(ns) };
  return { store: Store.over(new MemoryDatabase(disk, fate), all, 'test'), remade };
}

const finalRow = `meta ${toHex(META_FINAL)}`;

/** The rows but those by which final blocks may differ: undo data, and what is said of them. */
function stateOf(store: Store): Map<string, string> {
  return new Map([...store.rawContent()].filter(([row]) => !row.startsWith('undo') && row !== finalRow));
}

const undoOf = (store: Store): string[] => [...store.rowsOf('undo')].map(([key]) => toHex(key));

/** Writes that leave no receipts, so that blocks can be stored together. */
function grouped(height: number, random: (n: number) => number): BlockCommit {
  const { standardWrites } = randomBlock(height, random);
  return { ...block(height), receipts: [], standardWrites };
}

describe('final blocks', () => {
  it('leave the rows and roots of others, whatever comes before and after, and trees that load', () => {
    let crashes = 0;
    // So many keys that the stored rows of the trees are behind.
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`key ${i}`, 'v']));
    for (let seed = 0; seed < 30; seed++) {
      const random = generator(seed);
      const keepUndo = 2 + random(40);
      const [disk, twin] = [new Disk(), new Disk()];
      const one = opened(twin, { keepUndo: 1_000 });
      let { store, remade } = opened(disk, { keepUndo });
      let newestFinal = -1;
      for (const of of [store, one.store]) of.commitBlock(block(0, many, many));
      for (let step = 0; step < 25; step++) {
        const next = (store.tip()?.height ?? -1) + 1;
        const final = random(3) > 0;
        const what = random(6);
        if (what === 0) {
          // As after a crash: only what was written is there.
          const [pieces, parts] = [random(3) === 0 && { pieceBytes: 300 }, random(3) === 0 && { partKeys: 4 }];
          ({ store, remade } = opened(disk, { keepUndo, ...pieces, ...parts }));
          crashes++;
        } else if (what === 1) {
          const to = Math.max(store.lowestRollback(), next - 1 - random(8), 0);
          for (const of of [store, one.store]) of.rollback(to);
        } else if (what === 2) {
          const blocks = Array.from({ length: 1 + random(6) }, (_, i) => grouped(next + i, random));
          for (const commit of blocks) one.store.commitBlock(commit);
          store.commitBlocks(blocks, { final });
          // One root is recorded of them.
          const without = store.roots(next) === undefined ? next : undefined;
          expect(without === undefined).toBe(blocks.length === 1);
          if (final) newestFinal = next + blocks.length - 1;
        } else {
          const commit = randomBlock(next, random);
          one.store.commitBlock(commit);
          expect(store.commitBlock(commit, { final })).toEqual(one.store.roots(next));
          if (final) newestFinal = next;
        }
        const tip = store.tip()?.height ?? -1;
        expect(store.lowestRollback()).toBeGreaterThanOrEqual(Math.min(newestFinal, tip));
        expect(treesAreStored(new MemoryDatabase(disk), tip, store.roots(tip))).toBe(true);
        expect(remade).toEqual([]);
      }
      const rows = stateOf(store);
      const others = stateOf(one.store);
      // Records of blocks that were stored together differ by their roots.
      expect([...rows].filter(([row, value]) => !row.startsWith('blocks 62') && others.get(row) !== value)).toEqual([]);
      expect([...rows.keys()].sort()).toEqual([...others.keys()].sort());
    }
    expect(crashes).toBeGreaterThan(60);
  });

  it('have no undo data, and a rollback to below one is refused untouched', () => {
    const { store } = opened(new Disk(), { keepUndo: 5 });
    for (let height = 0; height < 20; height++) store.commitBlock(block(height, { a: `${height}` }), { final: true });
    expect(undoOf(store)).toEqual([]);
    expect(store.lowestRollback()).toBe(19);
    for (let height = 20; height < 23; height++) store.commitBlock(block(height, { a: `${height}` }));
    expect(undoOf(store)).toEqual([20, 21, 22].map((height) => toHex(beU32(height))));
    expect(store.lowestRollback()).toBe(19);
    const before = store.rawContent();
    expect(() => store.rollback(18)).toThrow(tooDeep);
    expect(store.rawContent()).toEqual(before);
    expect(() => store.proveAt('S', bytes('a'), 18)).toThrow(expect.objectContaining({ code: 'STORE_NOT_PROVABLE' }));
    store.rollback(19);
    expect(store.getLatest('S', bytes('a'))).toEqual(bytes('19'));
    expect(() => store.rollback(18)).toThrow(tooDeep);
    expect(store.getAt('S', bytes('a'), 7)).toEqual(bytes('7'));
  });

  it('make undo data below them useless, which is dropped bit by bit and never taken for more', () => {
    const disk = new Disk();
    const { store } = opened(disk, { keepUndo: 1_000 });
    for (let height = 0; height < 450; height++) store.commitBlock(block(height, { a: `${height}` }));
    expect(store.lowestRollback()).toBe(-1);
    store.commitBlock(block(450, { a: '450' }), { final: true });
    expect(store.lowestRollback()).toBe(450);
    expect(undoOf(store).length).toBe(250);
    const again = opened(disk, { keepUndo: 1_000 }).store;
    again.commitBlock(block(451, { a: '451' }));
    expect(again.lowestRollback()).toBe(450);
    expect(undoOf(again).length).toBe(51);
    again.commitBlock(block(452, { a: '452' }));
    expect(undoOf(again)).toEqual([451, 452].map((height) => toHex(beU32(height))));
  });

  it('have undo data where the states of some blocks only are kept, as that names what goes later', () => {
    const disk = new Disk();
    const limited = opened(disk, { keepUndo: 3, history: 6 }).store;
    for (let height = 0; height < 20; height++) limited.commitBlock(block(height, { a: `${height}` }), { final: true });
    expect(limited.lowestRollback()).toBe(13);
    expect(limited.lowestHistory()).toBe(13);
    const full = opened(disk, { keepUndo: 3 }).store;
    for (let height = 20; height < 40; height++) full.commitBlock(block(height, { a: `${height}` }), { final: true });
    expect(full.getAt('S', bytes('a'), 13)).toEqual(bytes('13'));
    const again = opened(disk, { keepUndo: 3, history: 6 }).store;
    for (let height = 40; height < 60; height++) again.commitBlock(block(height, { a: `${height}` }));
    expect(again.lowestHistory()).toBe(53);
    // What ended in the time of the final blocks is gone, too, though nothing named it.
    expect([...again.rowsOf('history')]).toHaveLength(6);
  });

  it('that are too large for one write are there whole or not at all after a crash at any of them', () => {
    const disk = new Disk();
    const first = opened(disk).store;
    for (let height = 0; height < 3; height++) first.commitBlock(randomBlock(height, generator(height)));
    const values = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key ${2 * i}`, `value ${i}`]));
    const large = {
      ...randomBlock(3, generator(17)),
      ...block(3, values, { ...values, 'key 1': null, 'key 4': null }),
    };
    const straight = opened(new Disk(disk)).store;
    straight.commitBlock(large, { final: true });
    const [before, after] = [stateOf(first), stateOf(straight)];
    expect(undoOf(straight)).toEqual([]);
    let kills = 0;
    for (let at = 0; ; at++) {
      for (const fate of ['killed-before', 'killed-after'] as const) {
        const copy = new Disk(disk);
        let writes = 0;
        const dying = opened(copy, { pieceBytes: 200 }, () => (writes++ === at ? fate : 'written')).store;
        try {
          dying.commitBlock(large, { final: true });
          expect(kills).toBeGreaterThan(20);
          expect(stateOf(dying)).toEqual(after);
          expect(undoOf(dying).filter((key) => key.startsWith('00000003'))).toEqual([]);
          return;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          kills++;
        }
        const { store } = opened(copy);
        const whole = store.tip()?.height === 3;
        expect(stateOf(store)).toEqual(whole ? after : before);
        expect(store.lowestRollback()).toBe(whole ? 3 : -1);
        if (whole) continue;
        store.commitBlock(large, { final: true });
        expect(stateOf(store)).toEqual(after);
      }
    }
  });

  it('a kill between the last of them and the first with undo data, then the deepest reorg', () => {
    for (const lost of [0, 1, 3]) {
      const disk = new Disk();
      const { store } = opened(disk, { keepUndo: 8 });
      const commit = (to: Store, branch: number, height: number, final: boolean): void => {
        to.commitBlock(randomBlock(height, generator(1_000 * branch + height)), { final, moreFollow: true });
      };
      for (let height = 0; height <= 60; height++) commit(store, 0, height, true);
      // The process is gone; with the machine, what it wrote last may be, too.
      disk.lose(lost);
      const next = opened(disk, { keepUndo: 8 });
      expect(next.store.tip()?.height).toBe(60 - lost);
      for (let height = 61 - lost; height <= 68; height++) commit(next.store, 0, height, height <= 60);
      expect(next.store.lowestRollback()).toBe(60);
      next.store.rollback(60);
      for (let height = 61; height <= 70; height++) commit(next.store, 1, height, false);
      expect(next.remade).toEqual([]);
      const straight = opened(new Disk(), { keepUndo: 1_000 }).store;
      for (let height = 0; height <= 70; height++) commit(straight, height <= 60 ? 0 : 1, height, false);
      expect(stateOf(next.store)).toEqual(stateOf(straight));
    }
  });

  it('check, and so does what a snapshot of them restores, which can be rolled back as far', async () => {
    const dir = temporaryFolder();
    const store = await Store.open(dir, { ...OPTIONS, keepUndo: 8 });
    for (let height = 0; height < 30; height++) {
      store.commitBlock(randomBlock(height, generator(height)), { final: height > 4 && height < 25 });
    }
    await store.close();
    const file = join(temporaryFolder(), 'snapshot');
    await createSnapshot(dir, file);
    const restored = join(temporaryFolder(), 'restored');
    await restoreSnapshot(file, restored);
    for (const folder of [dir, restored]) {
      const found: string[] = [];
      await checkStore(folder, { violation: ({ detail }) => found.push(detail) });
      expect(found).toEqual([]);
      const again = await Store.open(folder, { ...OPTIONS, keepUndo: 8 });
      expect(again.lowestRollback()).toBe(24);
      expect(() => again.rollback(23)).toThrow(tooDeep);
      again.rollback(24);
      await again.close();
    }
  });
});
