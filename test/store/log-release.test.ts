// The log of the database, of which a block must not leave more behind than what is in no file yet.
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { DatabaseBatch } from '../../src/store/database.js';
import { LogRelease } from '../../src/store/log-release.js';
import { Rocks } from '../../src/store/rocks.js';
import { bytes, temporaryFolder } from './helpers.js';

const logsOf = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.log'));

test('the log is let go of although some columns are hardly written, and no row changes', async () => {
  const dir = join(temporaryFolder(), 'db');
  const rocks = await Rocks.open(dir, true);
  const release = new LogRelease(rocks, 16 << 20);
  const write = (batch: DatabaseBatch): void => batch.write(false);
  const first = rocks.batch();
  first.put('meta', bytes('tip'), bytes('one'));
  first.put('undo', bytes('height'), bytes('two'));
  write(first);
  const oldest = logsOf(dir);
  const value = new Uint8Array(randomBytes(1 << 20));
  for (let i = 0; i < 64; i++) {
    const batch = rocks.batch();
    // A column whose memtables are full after 16 MiB of it, beside the others.
    batch.put('blocks', Uint8Array.of(i), value);
    const size = batch.bytes;
    write(batch);
    release.wrote(size, write);
  }
  // The database drops it in a thread of its own, when the files are written.
  while (logsOf(dir).some((name) => oldest.includes(name))) await setTimeout(20);
  const rows = [...rocks.scan('meta'), ...rocks.scan('undo')].map((row) =>
    row.map((part) => Buffer.from(part)).join(' '),
  );
  expect(rows).toEqual(['tip one', 'height two']);
  await rocks.close();
}, 120_000);
