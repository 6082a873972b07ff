import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { markFolder } from '../../src/store/folder.js';
import { COLUMNS, Rocks } from '../../src/store/rocks.js';
import { bytes, temporaryFolder } from './helpers.js';

const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

/** What the binding holds on to until it closes. */
interface Resources {
  attachResource(resource: object): void;
  detachResource(resource: object): void;
}

async function withRocks(use: (rocks: Rocks, dir: string) => void | Promise<void>): Promise<void> {
  const dir = temporaryFolder();
  const rocks = await Rocks.open(dir, true);
  try {
    await use(rocks, dir);
  } finally {
    await rocks.close();
  }
}

describe('the wrapper of RocksDB', () => {
  it('one batch writes every column, and each column has keys of its own', () =>
    withRocks((rocks) => {
      const batch = rocks.batch();
      for (const column of COLUMNS) batch.put(column, bytes('k'), bytes(column));
      for (const column of COLUMNS) expect(rocks.get(column, bytes('k'))).toBeUndefined();
      batch.write();
      for (const column of COLUMNS) expect(text(rocks.get(column, bytes('k')))).toBe(column);
    }));

  it('a discarded batch writes nothing', () =>
    withRocks((rocks) => {
      const batch = rocks.batch();
      batch.put('meta', bytes('k'), bytes('v'));
      batch.discard();
      expect(rocks.get('meta', bytes('k'))).toBeUndefined();
    }));

  it('an empty value is told from an absent one, and a later delete in a batch wins', () =>
    withRocks((rocks) => {
      const batch = rocks.batch();
      batch.put('latest', bytes('empty'), new Uint8Array(0));
      batch.put('latest', bytes('gone'), bytes('x'));
      batch.del('latest', bytes('gone'));
      batch.write();
      expect(rocks.getMany('latest', ['empty', 'gone', 'none'].map(bytes)).map(text)).toEqual([
        '',
        undefined,
        undefined,
      ]);
    }));

  it('first and scan keep to their range in both directions', () =>
    withRocks((rocks) => {
      const batch = rocks.batch();
      for (const key of ['a', 'b', 'c', 'd']) batch.put('latest', bytes(key), bytes(key));
      batch.write();
      const range = { gte: bytes('b'), lt: bytes('d') };
      const keys = (reverse: boolean) => [...rocks.scan('latest', { ...range, reverse })].map(([key]) => text(key));
      expect(keys(false)).toEqual(['b', 'c']);
      expect(keys(true)).toEqual(['c', 'b']);
      expect(text(rocks.first('latest', { ...range, reverse: true })?.[0])).toBe('c');
      expect(rocks.first('latest', { gte: bytes('e') })).toBeUndefined();
    }));

  it('a scan left early, or in the middle when the database closes, does no harm', async () => {
    const rocks = await Rocks.open(temporaryFolder(), true);
    const batch = rocks.batch();
    for (let i = 0; i < 1_200; i++) batch.put('latest', bytes(`${i}`), bytes('x'));
    batch.write();
    for (const _ of rocks.scan('latest')) break;
    const open = rocks.scan('latest');
    open.next();
    await rocks.close();
    expect(() => [...open]).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    await rocks.close();
  });

  it('an attached object reads, sees later writes, and its close leaves the owner open', () =>
    withRocks(async (rocks) => {
      const attached = await Rocks.attach(rocks.handle);
      const write = (value: string): void => {
        const batch = rocks.batch();
        batch.put('meta', bytes('k'), bytes(value));
        batch.write();
      };
      write('1');
      expect(text(attached.get('meta', bytes('k')))).toBe('1');
      write('2');
      expect(text(attached.get('meta', bytes('k')))).toBe('2');
      await attached.close();
      write('3');
      expect(text(rocks.get('meta', bytes('k')))).toBe('3');
    }));

  it('holds on to no batch and no iteration that is over', () =>
    withRocks(async (rocks) => {
      const { RocksLevel } = await import('@nxtedition/rocksdb');
      const held = new Set<object>();
      const level: Resources = Object.getPrototypeOf(RocksLevel.prototype);
      const { attachResource, detachResource } = level;
      vi.spyOn(level, 'attachResource').mockImplementation(function (this: Resources, resource) {
        held.add(resource);
        attachResource.call(this, resource);
      });
      vi.spyOn(level, 'detachResource').mockImplementation(function (this: Resources, resource) {
        held.delete(resource);
        detachResource.call(this, resource);
      });
      for (let i = 0; i < 20; i++) {
        const together = [1, 2, 3].map(() => rocks.batch());
        for (const batch of together) batch.put('meta', bytes(`k${i}`), new Uint8Array(i === 7 ? 33 << 20 : 10));
        together[0].discard();
        together[1].write();
        together[2].write();
        expect([...rocks.scan('meta', { limit: 1 })]).toHaveLength(1);
        for (const _row of rocks.scan('meta')) break;
      }
      // Those that are filled again.
      expect(held.size).toBeLessThanOrEqual(2);
      vi.restoreAllMocks();
      expect(rocks.getMany('meta', [bytes('k7'), bytes('k19')]).map((row) => row?.length)).toEqual([33 << 20, 10]);
    }));

  it('a batch that was discarded leaves nothing to the next, and takes no more', () =>
    withRocks((rocks) => {
      const first = rocks.batch();
      first.put('meta', bytes('a'), bytes('1'));
      first.discard();
      first.discard();
      const second = rocks.batch();
      second.put('meta', bytes('b'), bytes('2'));
      expect(() => first.put('meta', bytes('c'), bytes('3'))).toThrow(InternalError);
      expect(() => first.write()).toThrow(InternalError);
      second.write();
      expect([...rocks.scan('meta')].map(([key]) => text(key))).toEqual(['b']);
    }));

  it('what was written is there after a reopening', async () => {
    const dir = join(temporaryFolder(), 'a', 'b');
    const first = await Rocks.open(dir, true);
    const batch = first.batch();
    batch.put('undo', bytes('k'), bytes('v'));
    batch.write();
    await first.close();
    const second = await Rocks.open(dir, false);
    expect(text(second.get('undo', bytes('k')))).toBe('v');
    await second.close();
  });

  it.skipIf(!existsSync('/proc/self'))('a folder on a file system that takes none is refused at once', async () => {
    await expect(Rocks.open('/proc/warpshrew/db', true)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
  });

  it('a database of this program that has other columns is refused', async () => {
    const { RocksLevel } = await import('@nxtedition/rocksdb');
    const dir = join(temporaryFolder(), 'db');
    markFolder(dir);
    const other = new RocksLevel(dir, { columns: { default: {}, foreign: {} }, createIfMissing: true });
    await other.open();
    await other.close();
    await expect(Rocks.open(dir, true)).rejects.toMatchObject({ code: 'STORE_SCHEMA_MISMATCH' });
  });
});
