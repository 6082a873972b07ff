import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import type { Violation } from '../../src/store/check/run.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit, StoreOptions } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromBinaryString, toBinaryString, toHex } from '../../src/util/bytes.js';
import { block, generator, headerAt, OPTIONS, randomBlock, temporaryFolder } from './helpers.js';

async function withStore<T>(use: (store: Store) => T, dir = temporaryFolder(), options: Partial<StoreOptions> = {}) {
  const store = await Store.open(dir, { ...OPTIONS, ...options });
  try {
    return use(store);
  } finally {
    await store.close();
  }
}

const pruned = expect.objectContaining({ code: 'STORE_HISTORY_PRUNED' });
const tooDeep = expect.objectContaining({ code: 'STORE_ROLLBACK_TOO_DEEP' });

describe('keeping undo data', () => {
  it('a hundred blocks are kept if nothing is said, and a deeper rollback touches nothing', () =>
    withStore((store) => {
      for (let height = 0; height <= 104; height++) store.commitBlock(block(height, { a: `${height}` }));
      expect(store.lowestRollback()).toBe(4);
      const before = store.rawContent();
      expect([...before.keys()].filter((row) => row.startsWith('undo'))).toHaveLength(100);
      expect(() => store.rollback(3)).toThrow(tooDeep);
      expect(() => store.rollback(3)).toThrow(
        expect.objectContaining({ facts: { to: 3, lowest: 4, tip: 104 }, hint: expect.stringContaining('snapshot') }),
      );
      expect(store.rawContent()).toEqual(before);
      store.rollback(4);
      expect(store.tip()?.height).toBe(4);
      expect(store.lowestRollback()).toBe(4);
      expect(() => store.rollback(3)).toThrow(tooDeep);
      store.commitBlock(block(5));
      expect(store.lowestRollback()).toBe(4);
    }));

  it('what a block that fails would have dropped goes with the next one', () => {
    const database = new MemoryDatabase(new Disk());
    const store = Store.over(database, { ...OPTIONS, keepUndo: 2 }, 'memory');
    for (let height = 0; height < 6; height++) store.commitBlock(block(height, { a: `${height}` }));
    const batch = database.batch.bind(database);
    database.batch = () => {
      const put = (column: string): void => {
        // The last row.
        if (column === 'meta') throw new Error('no room');
      };
      return Object.create(batch(), { put: { value: put } });
    };
    expect(() => store.commitBlock(block(6))).toThrow('no room');
    database.batch = batch;
    expect(store.lowestRollback()).toBe(3);
    for (let height = 6; height < 9; height++) store.commitBlock(block(height, { a: `${height}` }));
    expect(store.lowestRollback()).toBe(6);
    expect([...store.rowsOf('undo')]).toHaveLength(2);
  });

  it('the record of a block of very many keys lies in several rows, which a rollback and pruning take', async () => {
    const many = (height: number): BlockCommit => {
      const keys = Array.from({ length: 40_000 }, (_, i) => `${i % 7} ${i * height} ${'k'.repeat(40)}`);
      return block(height, Object.fromEntries(keys.map((key) => [key, 'v'])), { a: `${height}`, [`b${height}`]: 'b' });
    };
    const dir = temporaryFolder();
    const rows = (store: Store): number => [...store.rowsOf('undo')].length;
    await withStore(
      (store) => {
        for (let height = 0; height < 3; height++) store.commitBlock(block(height, { [`0 0 ${'k'.repeat(40)}`]: 'v' }));
        const before = store.rawContent();
        store.commitBlock(many(3));
        expect(rows(store)).toBeGreaterThan(4);
        store.rollback(2);
        expect(store.rawContent()).toEqual(before);
        store.commitBlock(many(3));
      },
      dir,
      { keepUndo: 4 },
    );
    const violations: Violation[] = [];
    await checkStore(dir, { violation: (violation) => violations.push(violation) });
    expect(violations).toEqual([]);
    await withStore(
      (store) => {
        for (let height = 4; height < 8; height++) store.commitBlock(block(height, { a: `${height}` }));
        expect(rows(store)).toBe(4);
      },
      dir,
      { keepUndo: 4 },
    );
  });

  it('an empty store reaches -1, a store from a later height the height below it', () =>
    withStore((store) => {
      expect(store.lowestRollback()).toBe(-1);
      store.rollback(-1);
      store.commitBlock(block(7));
      expect(store.lowestRollback()).toBe(6);
      expect(() => store.rollback(5)).toThrow(tooDeep);
      store.rollback(6);
      expect(store.tip()).toBeUndefined();
      expect(store.lowestRollback()).toBe(-1);
    }));

  it('the setting may change at every opening', async () => {
    const dir = temporaryFolder();
    const run = (keepUndo: number, to: number) =>
      withStore(
        (store) => {
          for (let height = (store.tip()?.height ?? -1) + 1; height <= to; height++) store.commitBlock(block(height));
          return store.lowestRollback();
        },
        dir,
        { keepUndo },
      );
    expect(await run(Number.MAX_SAFE_INTEGER, 19)).toBe(-1);
    expect(await run(3, 19)).toBe(-1);
    expect(await run(3, 20)).toBe(17);
    expect(await run(6, 21)).toBe(17);
    expect(await run(6, 24)).toBe(18);
    expect(await run(Number.POSITIVE_INFINITY, 30)).toBe(18);
    expect(await run(1, 31)).toBe(30);
  });

  it.each([0, -1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY])('%s is refused and no store made', async (keepUndo) => {
    const dir = join(temporaryFolder(), 'db');
    await expect(Store.open(dir, { ...OPTIONS, keepUndo })).rejects.toMatchObject({ code: 'USAGE_KEEP_UNDO' });
    await expect(Store.openRecorded(dir, { keepUndo })).rejects.toMatchObject({ code: 'USAGE_KEEP_UNDO' });
    await expect(Store.inspect(dir)).rejects.toMatchObject({ code: 'STORE_MISSING' });
  });
});

/** What a store should hold: the writes of every block, and the heights whose undo data and states are there. */
class Model {
  readonly blocks: BlockCommit[] = [];
  lowestUndo = 0;
  /** Lowest height whose state is whole. */
  floor = 0;

  commit(commit: BlockCommit, keepUndo: number, history: 'full' | number): void {
    this.blocks.push(commit);
    const lowest = commit.height - Math.max(keepUndo, history === 'full' ? 0 : history);
    if (history !== 'full' && lowest >= this.lowestUndo) this.floor = lowest;
    this.lowestUndo = Math.max(this.lowestUndo, lowest + 1);
  }

  get lowest(): number {
    return this.blocks.length === 0 ? -1 : Math.min(this.lowestUndo - 1, this.blocks.length - 1);
  }

  rollback(to: number): void {
    this.blocks.length = to + 1;
    this.lowestUndo = this.blocks.length === 0 ? 0 : Math.min(this.lowestUndo, this.blocks.length);
  }

  /** All keys that a block wrote or deleted. */
  names(ns: 'S' | 'P'): Set<string> {
    return new Set(
      this.blocks.flatMap(({ standardWrites, laneWrites }) => [...(ns === 'S' ? standardWrites : laneWrites).keys()]),
    );
  }

  at(ns: 'S' | 'P', height: number): Map<string, Uint8Array> {
    const state = new Map<string, Uint8Array>();
    for (const { standardWrites, laneWrites } of this.blocks.slice(0, height + 1)) {
      for (const [key, value] of ns === 'S' ? standardWrites : laneWrites) {
        if (value === undefined) state.delete(key);
        else state.set(key, value);
      }
    }
    return state;
  }
}

function expectState(store: Store, model: Model, height: number): void {
  for (const ns of ['S', 'P'] as const) {
    const expected = model.at(ns, height);
    if (height < model.floor) {
      expect(() => [...store.entriesAt(ns, new Uint8Array(0), height)]).toThrow(pruned);
      continue;
    }
    for (const prefix of ['', 'key 1', 'key', '\0', 'none']) {
      const names = [...expected.keys()].filter((key) => key.startsWith(prefix)).sort();
      const found = [...store.entriesAt(ns, fromBinaryString(prefix), height)];
      expect(found.map(([key]) => toBinaryString(key))).toEqual(names);
      expect(found.map(([, value]) => value)).toEqual(names.map((name) => expected.get(name)));
    }
    for (const name of model.names(ns)) {
      expect(store.getAt(ns, fromBinaryString(name), height)).toEqual(expected.get(name));
    }
  }
}

describe('commits and rollbacks with pruning', () => {
  it.each([1, 2, 3, 4])('agree with a plain model and leave a store that checks (seed %i)', async (seed) => {
    const dir = temporaryFolder();
    const random = generator(seed);
    const model = new Model();
    for (let opening = 0; opening < 8; opening++) {
      const keepUndo = [1, 2, 5, 9, 1e12][random(5)];
      const history = [1, 3, 6, 12, 'full' as const, 'full' as const][random(6)];
      await withStore(
        (store) => {
          for (let step = 0; step < 15; step++) {
            expect(store.lowestRollback()).toBe(model.lowest);
            if (model.blocks.length > 0 && random(4) === 0) {
              const to = model.blocks.length - 2 - random(Math.min(6, model.blocks.length));
              if (to < model.lowest) expect(() => store.rollback(to)).toThrow(tooDeep);
              else {
                store.rollback(to);
                model.rollback(to);
              }
            } else {
              const commit = randomBlock(model.blocks.length, random);
              store.commitBlock(commit);
              model.commit(commit, keepUndo, history);
            }
            expect(store.tip()?.height ?? -1).toBe(model.blocks.length - 1);
          }
          expectState(store, model, model.blocks.length - 1);
          for (const height of new Set([0, model.floor, model.floor - 1, random(50), random(50)])) {
            if (height >= 0 && height < model.blocks.length) expectState(store, model, height);
          }
          expect(store.lowestHistory()).toBe(model.floor);
        },
        dir,
        { keepUndo, history },
      );
      const violations: Violation[] = [];
      await checkStore(dir, { violation: (violation) => violations.push(violation) });
      expect(violations).toEqual([]);
    }
  });
});

describe('the chain and the label', () => {
  it('the genesis hash is set once and checked', () =>
    withStore((store) => {
      const { hash } = headerAt(0);
      expect(store.genesis()).toBeUndefined();
      store.recordGenesis(hash);
      store.recordGenesis(hash);
      expect(toHex(store.genesis() ?? new Uint8Array(0))).toBe(toHex(hash));
      const other = expect.objectContaining({ code: 'STORE_OTHER_CHAIN' });
      expect(() => store.recordGenesis(headerAt(1).hash)).toThrow(other);
      expect(store.genesis()).toEqual(hash);
    }));

  it("a genesis hash that is not that of the store's own block 0 is refused", () =>
    withStore((store) => {
      store.commitBlock(block(0));
      expect(() => store.recordGenesis(headerAt(1).hash)).toThrow(
        expect.objectContaining({ code: 'STORE_OTHER_CHAIN' }),
      );
      expect(store.genesis()).toBeUndefined();
      store.recordGenesis(headerAt(0).hash);
    }));

  it('the label given last stays; none that a terminal would act on is taken', async () => {
    const dir = temporaryFolder();
    await withStore((store) => expect(store.label()).toBeUndefined(), dir);
    const first = (store: Store): void => {
      expect(store.label()).toBe('erste');
      store.commitBlock(block(0));
    };
    await withStore(first, dir, { label: 'erste' });
    await withStore((store) => expect(store.label()).toBe('erste'), dir);
    await withStore((store) => expect(store.label()).toBe('zweite'), dir, { label: 'zweite' });
    for (const label of ['', 'a\nb', '\x1b[31m', 'x'.repeat(201)]) {
      await expect(Store.open(dir, { ...OPTIONS, label })).rejects.toMatchObject({ code: 'USAGE_LABEL' });
    }
  });
});
