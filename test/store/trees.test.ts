import { describe, expect, it } from 'vitest';
import { Store } from '../../src/store/store.js';
import { headerKey } from '../../src/store/tree/tree-rows.js';
import type { BlockCommit, Namespace, StoreOptions } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromBinaryString } from '../../src/util/bytes.js';
import { block, generator, name, OPTIONS, randomBlock } from './helpers.js';
import { rootOfPairs } from './tree-reference.js';

/** A store on a disk, and the trees that it had to make from the state. A process that dies leaves the disk. */
function opened(disk: Disk, options: Partial<StoreOptions> = {}): { store: Store; remade: Namespace[] } {
  const remade: Namespace[] = [];
  const database = new MemoryDatabase(disk);
  const store = Store.over(database, { ...OPTIONS, ...options, onTreeRemade: (ns) => remade.push(ns) }, 'test');
  return { store, remade };
}

function rootsOfState(store: Store): { standard: string; lane: string } {
  const root = (ns: Namespace): string =>
    rootOfPairs(new Map([...store.entriesAt(ns, new Uint8Array(0))].map(([key, value]) => [text(key), value])));
  return { standard: root('S'), lane: root('P') };
}

const text = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

/** A block that adds many keys to both namespaces. */
function largeBlock(height: number, count: number): BlockCommit {
  const writes = new Map(Array.from({ length: count }, (_, i) => [name(`${height} ${i}`), new Uint8Array(8)] as const));
  return { ...block(height), standardWrites: writes, laneWrites: writes };
}

describe('the trees of a store', () => {
  it.each([1, 2, 5, 100])('are those of the state in every life, with undo data for %i blocks', (keepUndo) => {
    const random = generator(keepUndo);
    const disk = new Disk();
    for (let life = 0; life < 12; life++) {
      const { store, remade } = opened(disk, { keepUndo });
      for (let step = random(9); step > 0; step--) {
        const tip = store.tip()?.height ?? -1;
        if (random(4) === 0) store.rollback(Math.max(store.lowestRollback(), tip - 1 - random(3)));
        else store.commitBlock(random(4) === 0 ? largeBlock(tip + 1, 200) : randomBlock(tip + 1, random));
      }
      const tip = store.tip();
      if (tip !== undefined) expect(store.roots(tip.height)).toMatchObject(rootsOfState(store));
      expect(remade).toEqual([]);
    }
  });

  it('fit into little memory', () => {
    const random = generator(8);
    const disk = new Disk();
    const { store } = opened(disk, { treeBytes: 200_000 });
    store.commitBlock(largeBlock(0, 3_000));
    for (let height = 1; height < 12; height++) {
      if (random(4) === 0) store.rollback(height - 2);
      store.commitBlock(randomBlock((store.tip()?.height ?? -1) + 1, random));
    }
    expect(store.roots(store.tip()?.height ?? -1)).toMatchObject(rootsOfState(store));
    expect(store.treeBytes).toBeLessThan(260_000);
    const again = opened(disk, { treeBytes: 200_000 });
    expect(again.store.commitBlock(block((store.tip()?.height ?? -1) + 1))).toBeDefined();
    expect(again.remade).toEqual([]);
  });

  it('are made from the state where their rows are lost, once, and said so', async () => {
    const disk = new Disk();
    const first = opened(disk);
    const roots = first.store.commitBlock(largeBlock(0, 500));
    await first.store.close();
    disk.apply([{ column: 'tree', name: 'S\xff', key: headerKey(0x53), value: undefined }]);
    const second = opened(disk);
    expect(second.store.commitBlock(block(1))).toEqual(roots);
    expect(second.remade).toEqual(['S']);
    const third = opened(disk);
    expect(third.store.commitBlock(block(2))).toEqual(roots);
    expect(third.remade).toEqual([]);
  });

  it('that do not give the recorded root even when made from the state are an error', () => {
    const disk = new Disk();
    opened(disk).store.commitBlock(block(0, { a: '1' }));
    const row = disk.get('latest', fromBinaryString('Sa'));
    if (row === undefined) throw new Error('there is no value');
    const changed = row.map((byte, i) => (i === row.length - 1 ? byte ^ 1 : byte));
    disk.apply([
      { column: 'latest', name: 'Sa', key: fromBinaryString('Sa'), value: changed },
      { column: 'tree', name: 'S\xff', key: headerKey(0x53), value: undefined },
    ]);
    const { store } = opened(disk);
    expect(() => store.commitBlock(block(1, { b: '1' }))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(store.tip()?.height).toBe(0);
  });

  it('forget a block whose roots were refused', () => {
    const { store, remade } = opened(new Disk());
    store.commitBlock(largeBlock(0, 300));
    const refuse = () => {
      throw new Error('refused');
    };
    expect(() => store.commitBlock(largeBlock(1, 300), { check: refuse })).toThrow('refused');
    store.commitBlock(block(1, { x: '1' }));
    expect(store.roots(1)).toMatchObject(rootsOfState(store));
    expect(remade).toEqual([]);
  });

  it('are not loaded by who only reads', async () => {
    const disk = new Disk();
    opened(disk).store.commitBlock(largeBlock(0, 300));
    const { store } = opened(disk);
    expect(store.getLatest('S', fromBinaryString('0 1'))).toBeDefined();
    await store.close();
    expect(store.treeBytes).toBe(0);
  });
});
