import { expect, it } from 'vitest';
import { latestKey } from '../../src/store/keys.js';
import { proveKey } from '../../src/store/proof/prove-key.js';
import { latestRow } from '../../src/store/rows.js';
import { Store } from '../../src/store/store.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { block, bytes, OPTIONS } from './helpers.js';

it('a value that changed behind the tree is never proved: neither at the tip nor below it', () => {
  const database = new MemoryDatabase(new Disk());
  const store = Store.over(database, OPTIONS, 'memory');
  store.commitBlock(block(0, { a: 'first' }));
  store.commitBlock(block(1, { b: 'second' }));
  expect(proveKey(store, 'S', bytes('a')).value).toEqual(bytes('first'));
  const damage = database.batch();
  damage.put('latest', latestKey('S', bytes('a')), latestRow(0, bytes('other')));
  damage.write();
  const refused = expect.objectContaining({ code: 'STORE_CORRUPT' });
  expect(() => proveKey(store, 'S', bytes('a'))).toThrow(refused);
  expect(() => proveKey(store, 'S', bytes('a'), 0)).toThrow(refused);
  expect(proveKey(store, 'S', bytes('b'), 0).value).toBeUndefined();
});
