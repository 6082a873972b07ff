import { expect, it } from 'vitest';
import { historyKey } from '../../src/store/keys.js';
import { latestRow } from '../../src/store/rows.js';
import { Store } from '../../src/store/store.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { block, bytes, OPTIONS } from './helpers.js';

/** A store that counts its writes. */
function counting(): { store: Store; writes: () => number } {
  let writes = 0;
  const database = new MemoryDatabase(new Disk(), () => {
    writes++;
    return 'written';
  });
  return { store: Store.over(database, OPTIONS, 'memory'), writes: () => writes };
}

it('a block, with its tip, undo data and receipts, is one write; so is each block that is undone', () => {
  const { store, writes } = counting();
  for (let height = 0; height < 3; height++) {
    const before = writes();
    store.commitBlock(block(height, { a: `${height}` }, { b: `${height}` }));
    expect(writes() - before).toBe(1);
  }
  const before = writes();
  store.rollback(0);
  expect(writes() - before).toBe(2);
  expect(store.tip()?.height).toBe(0);
});

it('a rollback that would not give the root of the block before is refused, and nothing is changed', () => {
  const database = new MemoryDatabase(new Disk());
  const store = Store.over(database, OPTIONS, 'memory');
  store.commitBlock(block(0, { a: 'first' }));
  store.commitBlock(block(1, { a: 'second' }));
  const damage = database.batch();
  damage.put('history', historyKey('S', bytes('a'), 1), latestRow(0, bytes('other')));
  damage.write();
  const before = store.rawContent();
  expect(() => store.rollback(0)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  expect(store.rawContent()).toEqual(before);
  expect(store.tip()?.height).toBe(1);
});
