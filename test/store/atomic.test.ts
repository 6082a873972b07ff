import { expect, it } from 'vitest';
import { Disk } from '../../src/follow/sim/disk.js';
import { MemoryDatabase } from '../../src/follow/sim/memory-database.js';
import { Store } from '../../src/store/store.js';
import { block, OPTIONS } from './helpers.js';

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
