// The log of the database, of which a block must not leave more behind than what is in no file yet.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DatabaseBatch } from '../../src/store/database.js';
import { LogRelease } from '../../src/store/log-release.js';
import { Rocks } from '../../src/store/rocks.js';
import { bytes, temporaryFolder } from './helpers.js';

const logBytes = (dir: string): number =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

/** Writes a row of `meta` and one of `undo`, then 16 MiB, a piece of 1 MiB after the other; gives what the log has then. */
async function logAfter(logLimit: number): Promise<{ log: number; rows: string[] }> {
  const dir = join(temporaryFolder(), 'db');
  const rocks = await Rocks.open(dir, true);
  const release = new LogRelease(rocks, logLimit);
  const write = (batch: DatabaseBatch): void => batch.write(false);
  const first = rocks.batch();
  first.put('meta', bytes('tip'), bytes('one'));
  first.put('undo', bytes('height'), bytes('two'));
  write(first);
  const value = new Uint8Array(1 << 20);
  for (let i = 0; i < 16; i++) {
    const batch = rocks.batch();
    // A column whose memtables are full after 16 MiB of it, beside the others.
    batch.put(
      'blocks',
      Uint8Array.of(i),
      value.map((_, at) => (at * 31 + i) >>> 3),
    );
    const size = batch.bytes;
    write(batch);
    release.wrote(size, write);
  }
  const rows = [...rocks.scan('meta'), ...rocks.scan('undo')].map((row) =>
    row.map((part) => Buffer.from(part)).join(' '),
  );
  await rocks.close();
  return { log: logBytes(dir), rows };
}

test('the log is let go of although some columns are hardly written, and no row changes', async () => {
  const kept = await logAfter(Number.POSITIVE_INFINITY);
  const released = await logAfter(2 << 20);
  expect(kept.log).toBeGreaterThan(16 << 20);
  expect(released.log).toBeLessThan(kept.log - (4 << 20));
  expect(released.rows).toEqual(['tip one', 'height two']);
  expect(kept.rows).toEqual(released.rows);
});
