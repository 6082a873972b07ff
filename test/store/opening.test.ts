import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Rocks } from '../../src/store/rocks.js';
import { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/types.js';
import { block, bytes, OPTIONS, temporaryFolder, withStore } from './helpers.js';

/** Makes the database in `dir` one that was created with these values. */
async function recordAs(dir: string, changed: Record<string, number>): Promise<void> {
  const recorded = { ...(await Store.inspect(dir)), ...changed };
  const rocks = await Rocks.open(dir, false);
  const batch = rocks.batch();
  batch.put('meta', bytes('identity'), bytes(JSON.stringify(recorded)));
  batch.write();
  await rocks.close();
}

describe('opening', () => {
  const other: [keyof StoreOptions, StoreOptions, string][] = [
    ['network', { ...OPTIONS, network: 'mainnet' }, 'STORE_NETWORK_MISMATCH'],
    ['laneStartHeight', { ...OPTIONS, laneStartHeight: 5 }, 'STORE_LANE_START_MISMATCH'],
    ['dependent', { ...OPTIONS, dependent: 'reject' }, 'STORE_DEPENDENT_MISMATCH'],
    ['moduleHash', { ...OPTIONS, moduleHash: '00'.repeat(32) }, 'STORE_MODULE_MISMATCH'],
  ];
  it.each(other)('with another %s is refused', async (_, options, code) => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0)), dir);
    await expect(Store.open(dir, options)).rejects.toMatchObject({ code });
    await withStore(() => {}, dir);
  });

  it.each([
    ['schema', 'STORE_SCHEMA_MISMATCH'],
    ['rules', 'STORE_RULES_MISMATCH'],
  ])('a store of another %s version is refused', async (field, code) => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0)), dir);
    await recordAs(dir, { [field]: 99 });
    await expect(Store.open(dir, OPTIONS)).rejects.toMatchObject({ code });
    await expect(Store.openRecorded(dir)).rejects.toMatchObject({ code });
  });

  it('a store of lane rules version 1 is refused, and the error names the way to a new one', async () => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0)), dir);
    await recordAs(dir, { rules: 1 });
    const refused = { code: 'STORE_RULES_MISMATCH', facts: { path: dir, recorded: '1', wanted: '2' } };
    for (const open of [() => Store.open(dir, OPTIONS), () => Store.openRecorded(dir, { readOnly: true })]) {
      await expect(open()).rejects.toMatchObject(refused);
      await expect(open()).rejects.toMatchObject({ hint: expect.stringMatching(/new folder.*snapshot/s) });
    }
    expect((await Store.inspect(dir)).rules).toBe(1);
  });

  it('a store of layout 1 is refused untouched, and the error names the commands that make a new one', async () => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0)), dir);
    await recordAs(dir, { schema: 1 });
    const refused = { code: 'STORE_SCHEMA_MISMATCH', facts: { path: dir, recorded: '1', wanted: '6' } };
    for (const open of [() => Store.open(dir, OPTIONS), () => Store.openRecorded(dir, { readOnly: true })]) {
      await expect(open()).rejects.toMatchObject(refused);
      await expect(open()).rejects.toMatchObject({
        hint: expect.stringMatching(/snapshot restore --from.*index --db-path/s),
      });
    }
    expect((await Store.inspect(dir)).schema).toBe(1);
  });

  it('a second time while open is refused as locked, and the first goes on', () =>
    withStore(async (store, dir) => {
      await expect(Store.open(dir, OPTIONS)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
      await expect(Store.inspect(dir)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
      store.commitBlock(block(0));
    }));

  it('where no folder can be made is refused as unwritable', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'x');
    await expect(Store.open(join(file, 'db'), OPTIONS)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    await expect(Store.open(file, OPTIONS)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
  });

  it('a missing store for reading is refused and not created', async () => {
    const dir = join(temporaryFolder(), 'none');
    await expect(Store.open(dir, { ...OPTIONS, readOnly: true })).rejects.toMatchObject({ code: 'STORE_MISSING' });
    await expect(Store.inspect(dir)).rejects.toMatchObject({ code: 'STORE_MISSING' });
    await withStore(() => {}, dir);
  });

  it('for reading only refuses writes', async () => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0)), dir);
    const store = await Store.openRecorded(dir, { readOnly: true });
    expect(() => store.commitBlock(block(1))).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
    expect(() => store.rollback(-1)).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
    await store.close();
    expect(() => store.tip()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
  });

  it('inspect gives what the store was created with', async () => {
    const dir = temporaryFolder();
    const store = await Store.open(dir, { ...OPTIONS, laneStartHeight: 12, dependent: 'reject' });
    store.commitBlock(block(0));
    await store.close();
    expect(await Store.inspect(dir)).toEqual({
      schema: 6,
      rules: 2,
      network: 'regtest',
      laneStartHeight: 12,
      dependent: 'reject',
      moduleHash: OPTIONS.moduleHash,
    });
  });
});
