import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RocksLevel } from '@nxtedition/rocksdb';
import { describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { MARK_FILE } from '../../src/store/folder.js';
import { Rocks } from '../../src/store/rocks.js';
import { createSnapshot } from '../../src/store/snapshot/create.js';
import { restoreSnapshot } from '../../src/store/snapshot/restore.js';
import { Store } from '../../src/store/store.js';
import { block, bytes, headerAt, OPTIONS, temporaryFolder } from './helpers.js';

/** Columns of a database that was made before folders had a mark. */
const UNMARKED = ['latest', 'history', 'blocks', 'undo', 'tree', 'meta'];

/** Every file of a folder with its hash and the time of its last change. */
function fingerprint(dir: string): string[] {
  return readdirSync(dir)
    .sort()
    .map((file) => {
      const path = join(dir, file);
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${file} ${hash} ${statSync(path).mtimeMs}`;
    });
}

/** A database that another program made with RocksDB: rows on the disk and rows in its log. */
async function foreignDatabase(columns: readonly string[] = []): Promise<string> {
  const dir = join(temporaryFolder(), 'theirs');
  const all = Object.fromEntries(['default', ...columns].map((column) => [column, {}]));
  const db = new RocksLevel(dir, { columns: all, createIfMissing: true });
  await db.open();
  const batch = db.batch();
  batch._put(bytes('tip-height'), bytes('7'), { column: db.columns.default });
  batch._writeSync({ sync: true });
  batch._closeSync();
  await db.close();
  return dir;
}

/** Everything that takes the folder of a database. */
const USERS: Readonly<Record<string, (dir: string) => Promise<unknown>>> = {
  'index and replay': (dir) => Store.open(dir, OPTIONS),
  'opening for reading': (dir) => Store.open(dir, { ...OPTIONS, readOnly: true }),
  'serve, dump, plan and rollback': (dir) => Store.openRecorded(dir),
  'db check': (dir) => checkStore(dir, { violation: () => undefined }),
  'snapshot create': (dir) => createSnapshot(dir, join(dir, '..', 'out')),
};

describe('a folder that is not ours', () => {
  it.each(Object.entries(USERS))('of another program that uses RocksDB is left as it is by %s', async (_, use) => {
    const dir = await foreignDatabase();
    const before = fingerprint(dir);
    await expect(use(dir)).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(fingerprint(dir)).toEqual(before);
    // Its own program opens it still, and finds what it wrote.
    const db = new RocksLevel(dir, { columns: { default: {} } });
    await db.open();
    const options = { column: db.columns.default, keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
    expect(
      db._getManySync([bytes('tip-height')], options).map((value) => value && Buffer.from(value).toString()),
    ).toEqual(['7']);
    await db.close();
  });

  it.each(Object.entries(USERS))('with the columns of a store and no mark is left as it is by %s', async (_, use) => {
    const dir = await foreignDatabase(UNMARKED);
    const before = fingerprint(dir);
    await expect(use(dir)).rejects.toMatchObject({ code: 'STORE_SCHEMA_MISMATCH' });
    expect(fingerprint(dir)).toEqual(before);
  });

  it('is no target of a restore', async () => {
    const [dir, file] = [await foreignDatabase(), join(temporaryFolder(), 'file')];
    const own = join(temporaryFolder(), 'db');
    const store = await Store.open(own, OPTIONS);
    store.commitBlock(block(0));
    await store.close();
    await createSnapshot(own, file);
    const before = fingerprint(dir);
    await expect(restoreSnapshot(file, dir)).rejects.toMatchObject({ code: 'SNAPSHOT_TARGET_EXISTS' });
    expect(fingerprint(dir)).toEqual(before);
  });

  it('of files, or one that only looks like a database, is left as it is', async () => {
    for (const file of ['notes.txt', 'CURRENT', 'LOCK', `${MARK_FILE}.old`]) {
      const dir = join(temporaryFolder(), 'files');
      mkdirSync(dir);
      writeFileSync(join(dir, file), 'MANIFEST-000001\n');
      const before = fingerprint(dir);
      for (const use of Object.values(USERS)) {
        await expect(use(dir)).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
      }
      expect(fingerprint(dir)).toEqual(before);
    }
    const dir = join(temporaryFolder(), 'marked');
    mkdirSync(dir);
    writeFileSync(join(dir, MARK_FILE), 'the mark of another');
    await expect(Store.open(dir, OPTIONS)).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
  });
});

describe('a folder that is ours', () => {
  it('is known again, also as a copy', async () => {
    const dir = join(temporaryFolder(), 'db');
    await (await Rocks.open(dir, true)).close();
    expect(readdirSync(dir)).toContain(MARK_FILE);
    cpSync(dir, `${dir}.copy`, { recursive: true });
    await (await Rocks.open(`${dir}.copy`, false)).close();
  });

  it('may be the empty root of a disk, or one whose creation was interrupted', async () => {
    for (const files of [['lost+found'], [MARK_FILE], [MARK_FILE, 'LOG', 'LOCK', 'MANIFEST-000001']]) {
      const dir = join(temporaryFolder(), 'new');
      mkdirSync(dir);
      for (const file of files) writeFileSync(join(dir, file), '');
      await expect(Store.openRecorded(dir)).rejects.toMatchObject({ code: 'STORE_MISSING' });
      const store = await Store.open(dir, OPTIONS);
      store.commitBlock(block(0));
      await store.close();
    }
  });

  it('and lost its file CURRENT is not made anew', async () => {
    const dir = join(temporaryFolder(), 'db');
    await (await Rocks.open(dir, true)).close();
    rmSync(join(dir, 'CURRENT'));
    const before = fingerprint(dir);
    await expect(Rocks.open(dir, true)).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    expect(fingerprint(dir)).toEqual(before);
  });
});

describe('a new database', () => {
  it('is bound to nothing before its first block', async () => {
    const dir = join(temporaryFolder(), 'db');
    const first = await Store.open(dir, { ...OPTIONS, network: 'mainnet', label: 'first' });
    first.recordGenesis(headerAt(5).hash);
    expect(first.identity().network).toBe('mainnet');
    expect([...first.rawContent()]).toEqual([]);
    await first.close();
    await expect(Store.openRecorded(dir)).rejects.toMatchObject({ code: 'STORE_EMPTY' });
    await expect(Store.open(dir, { ...OPTIONS, readOnly: true })).rejects.toMatchObject({ code: 'STORE_EMPTY' });
    expect(await checkStore(dir, { violation: () => expect.unreachable() })).toMatchObject({ violations: 0 });
    const second = await Store.open(dir, { ...OPTIONS, label: 'second' });
    expect(second.genesis()).toBeUndefined();
    second.recordGenesis(headerAt(0).hash);
    second.commitBlock(block(0));
    await second.close();
    const third = await Store.openRecorded(dir);
    expect([third.identity().network, third.label(), third.genesis()]).toEqual(['regtest', 'second', headerAt(0).hash]);
    await third.close();
  });

  it('whose first block was refused is bound to nothing, and one whose first block is undone is again', async () => {
    const dir = join(temporaryFolder(), 'db');
    const store = await Store.open(dir, OPTIONS);
    const refuse = (): never => {
      throw new Error('another root');
    };
    expect(() => store.commitBlock(block(0), { check: refuse })).toThrow('another root');
    expect([...store.rawContent()]).toEqual([]);
    store.recordGenesis(headerAt(0).hash);
    store.commitBlock(block(0));
    const filled = store.rawContent();
    store.rollback(-1);
    expect([...store.rawContent()]).toEqual([]);
    store.commitBlock(block(0));
    expect(store.rawContent()).toEqual(filled);
    await store.close();
  });

  it('with rows and no identity is refused', async () => {
    const dir = join(temporaryFolder(), 'db');
    const rocks = await Rocks.open(dir, true);
    const batch = rocks.batch();
    batch.put('latest', bytes('key'), bytes('value'));
    batch.write();
    await rocks.close();
    for (const open of [() => Store.open(dir, OPTIONS), () => Store.openRecorded(dir)]) {
      await expect(open()).rejects.toMatchObject({ code: 'STORE_SCHEMA_MISMATCH' });
    }
  });
});
