import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import type { Violation } from '../../src/store/check/run.js';
import type { ColumnName, Range } from '../../src/store/database.js';
import { historyKey, parseHistoryKey } from '../../src/store/keys.js';
import { Rocks } from '../../src/store/rocks.js';
import { latestRow } from '../../src/store/rows.js';
import { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { block, bytes, OPTIONS, temporaryFolder, text } from './helpers.js';

const pruned = expect.objectContaining({ code: 'STORE_HISTORY_PRUNED' });
const EMPTY = new Uint8Array(0);

/** Calls `between` before the history is first read. */
class Interrupted extends MemoryDatabase {
  between: (() => void) | undefined;

  override first(column: ColumnName, range: Range) {
    this.#interrupt(column);
    return super.first(column, range);
  }

  override *scan(column: ColumnName, range?: Range) {
    this.#interrupt(column);
    yield* super.scan(column, range);
  }

  #interrupt(column: ColumnName): void {
    const { between } = this;
    if (column !== 'history' || between === undefined) return;
    this.between = undefined;
    between();
  }
}

function inMemory(options: Partial<StoreOptions> = {}) {
  const database = new Interrupted(new Disk());
  return { database, store: Store.over(database, { ...OPTIONS, ...options }, 'memory') };
}

/** Rows of `history`, decoded. */
function historyRows(store: Store): string[] {
  return [...store.rowsOf('history')].map(([row, value]) => {
    const { key, end } = parseHistoryKey(row);
    return `${text(row.subarray(0, 1))} ${text(key)} to ${end}: ${toHex(value)}`;
  });
}

describe('the history', () => {
  it('holds what a block replaced or deleted, with the height of its writing, and nothing else', () => {
    const { store } = inMemory();
    store.commitBlock(block(3, { a: '1', b: '1' }, { x: '1', y: '1' }));
    expect(historyRows(store)).toEqual([]);
    store.commitBlock(block(5 - 1, { a: '2' }, { x: null, none: null }));
    store.commitBlock(block(5, { a: '2' }, { x: '3' }));
    const row = (height: number, value: string): string => toHex(latestRow(height, bytes(value)));
    expect(historyRows(store)).toEqual([
      `P x to 4: ${row(3, '1')}`,
      `S a to 4: ${row(3, '1')}`,
      `S a to 5: ${row(4, '2')}`,
    ]);
  });

  it('of an index that only adds keys is empty, and so its undo data hold the keys alone', () => {
    const { store } = inMemory();
    for (let height = 0; height < 5; height++) store.commitBlock(block(height, { [`k${height}`]: 'v' }));
    expect([...store.rowsOf('history')]).toEqual([]);
    expect([...store.rowsOf('undo')].map(([, value]) => toHex(value))).toEqual(
      Array.from({ length: 5 }, (_, height) => `0101026b3${height}00`),
    );
    expect([...store.entriesAt('S', EMPTY, 2)].map(([key]) => text(key))).toEqual(['k0', 'k1', 'k2']);
  });

  it('of a block with more keys than are read at a time is complete, whatever of them had a value', () => {
    const { store } = inMemory();
    const values = (value: string, every: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 9_000 / every }, (_, i) => [`k${i * every}`, `${value} k${i * every}`]));
    store.commitBlock(block(0, values('old', 2)));
    store.commitBlock(block(1, values('new', 1)));
    expect(historyRows(store)).toHaveLength(4_500);
    const at = (height: number): (string | undefined)[] =>
      ['k0', 'k1', 'k4098', 'k8998', 'k8999'].map((key) => text(store.getAt('S', bytes(key), height)));
    expect(at(0)).toEqual(['old k0', undefined, 'old k4098', 'old k8998', undefined]);
    expect(at(1)).toEqual(['new k0', 'new k1', 'new k4098', 'new k8998', 'new k8999']);
    store.rollback(0);
    expect(historyRows(store)).toEqual([]);
    expect([...store.entriesAt('S', EMPTY)]).toHaveLength(4_500);
    expect(at(1)).toEqual(at(0));
  });

  it('damaged so that a value that a block replaced is gone makes a rollback fail before it changes anything', () => {
    const { store, database } = inMemory();
    store.commitBlock(block(0, { a: '1' }));
    store.commitBlock(block(1, { a: '2' }));
    const damage = database.batch();
    damage.del('history', historyKey('S', bytes('a'), 1));
    damage.write();
    const before = store.rawContent();
    expect(() => store.rollback(0)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(store.rawContent()).toEqual(before);
  });
});

describe('a read of an old height', () => {
  const CHANGES: readonly [what: string, change: (store: Store) => void][] = [
    ['a commit that replaces the value', (store) => void store.commitBlock(block(3, { a: '3' }, { a: '3', b: '3' }))],
    ['a commit that deletes the value', (store) => void store.commitBlock(block(3, {}, { a: null }))],
    ['a rollback of the block that replaced it', (store) => store.rollback(1)],
    ['a rollback of two blocks', (store) => store.rollback(0)],
    [
      'a rollback and another branch',
      (store) => {
        store.rollback(0);
        store.commitBlock(block(1, { a: 'x' }, { a: 'x' }));
      },
    ],
  ];
  function changed() {
    const made = inMemory();
    made.store.commitBlock(block(0, { a: '0' }, { a: '0', b: '0' }));
    made.store.commitBlock(block(1, { c: '1' }, { c: '1' }));
    made.store.commitBlock(block(2, { a: '2' }, { a: '2', b: null }));
    return made;
  }

  it.each(CHANGES)('gives the value of that height with %s between its two reads', (_, change) => {
    for (const ns of ['S', 'P'] as const) {
      const { database, store } = changed();
      database.between = () => change(store);
      expect(text(store.getAt(ns, bytes('a'), 0))).toBe('0');
      expect(database.between).toBeUndefined();
    }
    const { database, store } = changed();
    database.between = () => change(store);
    expect(text(store.getAt('P', bytes('b'), 0))).toBe('0');
  });

  it.each(CHANGES)('lists that height with %s between the beginnings of its two scans', (_, change) => {
    for (const ns of ['S', 'P'] as const) {
      const { database, store } = changed();
      database.between = () => change(store);
      const found = [...store.entriesAt(ns, EMPTY, 0)].map(([key, value]) => `${text(key)}=${text(value)}`);
      expect(found).toEqual(ns === 'S' ? ['a=0'] : ['a=0', 'b=0']);
      expect(database.between).toBeUndefined();
    }
  });
});

describe('keeping the states of some blocks only', () => {
  /** Blocks up to `to` that all write `a`. */
  function index(store: Store, to: number): void {
    for (let height = (store.tip()?.height ?? -1) + 1; height <= to; height++) {
      store.commitBlock(
        block(height, { a: `${height}`, [`k${height}`]: '' }, { a: height % 3 === 0 ? null : `${height}` }),
      );
    }
  }

  it('refuses lower heights, whatever is asked, and says which is the lowest', () => {
    const { store } = inMemory({ history: 4, keepUndo: 2 });
    index(store, 4);
    expect(store.lowestHistory()).toBe(0);
    expect(text(store.getAt('S', bytes('a'), 0))).toBe('0');
    index(store, 10);
    expect(store.lowestHistory()).toBe(6);
    for (const height of [6, 7, 8, 9, 10, 11]) {
      expect(text(store.getAt('S', bytes('a'), height))).toBe(`${Math.min(10, height)}`);
      expect([...store.entriesAt('P', EMPTY, height)]).toHaveLength(height % 3 === 0 ? 0 : 1);
      store.assertKept(height);
    }
    for (const height of [0, 3, 5]) {
      expect(() => store.getAt('S', bytes('a'), height)).toThrow(pruned);
      expect(() => store.getAt('P', bytes('a'), height)).toThrow(pruned);
      expect(() => store.entriesAt('S', EMPTY, height).next()).toThrow(pruned);
      expect(() => store.assertKept(height)).toThrow(
        expect.objectContaining({ facts: { height, lowest: 6 }, hint: expect.stringContaining('--history') }),
      );
    }
    expect(historyRows(store).filter((row) => row.startsWith('S'))).toHaveLength(4);
  });

  it('keeps what undoing needs all the same', () => {
    const { store } = inMemory({ history: 1, keepUndo: 5 });
    index(store, 20);
    expect(store.lowestHistory()).toBe(15);
    expect(store.lowestRollback()).toBe(15);
    store.rollback(15);
    expect(text(store.getLatest('S', bytes('a')))).toBe('15');
    expect(store.lowestHistory()).toBe(15);
    index(store, 18);
    expect(store.lowestHistory()).toBe(15);
    expect(text(store.getAt('S', bytes('a'), 15))).toBe('15');
  });

  it('may begin late: rows that no undo data name any more are swept, however many there are', async () => {
    const dir = join(temporaryFolder(), 'db');
    const many = Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`m${i}`, 'x']));
    const opened = async (options: Partial<StoreOptions>, to: number): Promise<number> => {
      const store = await Store.open(dir, { ...OPTIONS, ...options });
      if (store.tip() === undefined) for (let height = 0; height < 4; height++) store.commitBlock(block(height, many));
      index(store, to);
      const rows = [...store.rowsOf('history')].length;
      await store.close();
      const found: Violation[] = [];
      await checkStore(dir, { violation: (violation) => found.push(violation) });
      expect(found).toEqual([]);
      return rows;
    };
    const all = await opened({ keepUndo: 2 }, 9);
    expect(all).toBeGreaterThan(18_000);
    // A commit looks through 10,000 rows.
    expect(await opened({ keepUndo: 2, history: 3 }, 10)).toBeGreaterThan(5_000);
    // As long as it is full, nothing goes; the next time it begins again.
    expect(await opened({ keepUndo: 2 }, 11)).toBeGreaterThan(5_000);
    expect(await opened({ keepUndo: 2, history: 3 }, 14)).toBeLessThan(10);
    const rocks = await Rocks.open(dir, false);
    expect(toHex(rocks.get('meta', bytes('history')) ?? EMPTY)).toBe(toHex(fromHex('0000000b01')));
    await rocks.close();
  });

  it('sweeps on where it was, beyond rows that are kept', () => {
    const disk = new Disk();
    const open = (options: Partial<StoreOptions>): Store =>
      Store.over(new MemoryDatabase(disk), { ...OPTIONS, keepUndo: 1, ...options }, 'memory');
    const full = open({});
    for (let height = 0; height < 5; height++) full.commitBlock(block(height, { z: `${height}` }));
    const many = Object.fromEntries(Array.from({ length: 10_500 }, (_, i) => [`m${i}`, 'x']));
    full.commitBlock(block(5, many));
    full.commitBlock(block(6));
    const zRows = (store: Store): number => historyRows(store).filter((row) => row.startsWith('S z')).length;
    expect(zRows(full)).toBe(4);
    const cut = open({ history: 3 });
    cut.commitBlock(block(7, many));
    for (let height = 8; height < 10; height++) cut.commitBlock(block(height));
    expect(cut.lowestHistory()).toBe(6);
    expect(zRows(cut)).toBe(4);
    cut.commitBlock(block(10));
    expect(zRows(cut)).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('of %s blocks is refused', async (history) => {
    const dir = join(temporaryFolder(), 'db');
    await expect(Store.open(dir, { ...OPTIONS, history })).rejects.toMatchObject({ code: 'USAGE_HISTORY' });
  });
});
