import { expect, it } from 'vitest';
import { storagePrefix } from '../../src/lane/keys.js';
import { list } from '../../src/listing/list.js';
import { PAGE_LIMITS } from '../../src/listing/page.js';
import type { Range, Row } from '../../src/store/database.js';
import { Store } from '../../src/store/store.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { u32Bytes } from '../../src/util/bytes.js';
import { block, OPTIONS } from '../store/helpers.js';

const id = { block: 2n, tx: 1n };

/** Counts the rows that are given. */
class CountingDatabase extends MemoryDatabase {
  rows = 0;

  override *scan(...[column, range]: [Parameters<MemoryDatabase['scan']>[0], Range?]): Generator<Row, void, void> {
    for (const row of super.scan(column, range)) {
      this.rows++;
      yield row;
    }
  }
}

const BLOCKS = 600;

it('a key that every block changes costs a listing of any height a few rows', async () => {
  const database = new CountingDatabase(new Disk());
  const store = Store.over(database, OPTIONS, 'memory');
  const key = (name: string): string => storagePrefix(id) + name;
  for (let height = 0; height < BLOCKS; height++) {
    const changed = ['hot', 'hotter', 'hottest'].map((name) => [key(name), u32Bytes(height)] as const);
    const cold = height === 5 ? [[key('z'), u32Bytes(0)] as const] : [];
    store.commitBlock({ ...block(height), laneWrites: new Map([...changed, ...cold]) });
  }
  for (const height of [0, 6, 300, BLOCKS - 2, BLOCKS - 1]) {
    database.rows = 0;
    const of = { id, prefix: new Uint8Array(0) };
    const { page } = list({ name: 'storage', of, height, hash: undefined, limit: 10, after: undefined }, store);
    expect(page.items.length).toBe(height < 5 ? 3 : 4);
    expect(page.items.slice(0, 3)).toEqual(
      ['hot', 'hotter', 'hottest'].map((name) => ({
        key: `0x${Buffer.from(name).toString('hex')}`,
        ...{ value: `0x${Buffer.from(u32Bytes(height)).toString('hex')}`, bytes: 4, height },
      })),
    );
    expect(database.rows).toBeLessThan(150);
  }
  await store.close();
});

it('a page ends at its bound of what is looked at, read, said and of time, and goes on behind it', async () => {
  const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
  const writes = Array.from({ length: 50 }, (_, n) => [
    storagePrefix(id) + String.fromCharCode(n),
    new Uint8Array(9_000),
  ]);
  store.commitBlock({ ...block(0), laneWrites: new Map(writes as [string, Uint8Array][]) });
  const of = { id, prefix: new Uint8Array(0) };
  const ask = (limits: Partial<typeof PAGE_LIMITS>, after?: Uint8Array) =>
    list(
      { name: 'storage', of, height: 0, hash: undefined, limit: 1_000, after, limits: { ...PAGE_LIMITS, ...limits } },
      store,
    ).page;
  expect(ask({}).items).toHaveLength(50);
  expect(ask({}).next).toBeUndefined();
  expect(ask({ looks: 7 }).items).toHaveLength(7);
  expect(ask({ bytes: 90_000 }).items).toHaveLength(10);
  // 4,096 bytes of each value are shown, in hex.
  expect(ask({ characters: 80_000 }).items).toHaveLength(10);
  expect(ask({ ms: 0 }).items).toHaveLength(1);
  expect(ask({}, ask({ looks: 7 }).next).items).toHaveLength(43);
  await store.close();
});
