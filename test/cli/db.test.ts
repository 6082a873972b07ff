import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blockKey } from '../../src/store/keys.js';
import { Rocks } from '../../src/store/rocks.js';
import { type CliRun, cli, lastLine, temporaryFolder } from '../helpers/cli.js';
import { replayTo } from '../helpers/here.js';

const root = (run: CliRun): unknown => lastLine(run).stateRoot;

function refused(run: CliRun, status: number, code: string): void {
  expect(run.stderr).toContain(`${code}:`);
  expect(run.status).toBe(status);
}

test('a database of the bundled chain checks, rolls back to the roots it had, and goes on', async () => {
  const db = join(temporaryFolder(), 'db');
  const at104 = root(await replayTo(db, 104));
  const at108 = root(await replayTo(db, 108));
  const check = await cli('db', 'check', '--db', db, '--json');
  expect(check.status).toBe(0);
  expect(lastLine(check)).toMatchObject({ violations: 0, heights: { first: 0, tip: 108 }, stateRoot: at108 });

  refused(await cli('db', 'rollback', '--db', db, '--to', '104'), 2, 'USAGE_CONFIRM');
  refused(await cli('db', 'rollback', '--db', db, '--to', '3', '--yes'), 4, 'STORE_ROLLBACK_TOO_DEEP');
  expect((await cli('db', 'rollback', '--db', db, '--to', '108', '--yes')).stdout).toContain('nothing to undo');
  const back = await cli('db', 'rollback', '--db', db, '--to', '104', '--yes');
  expect(back.status).toBe(0);
  expect(back.stderr).toContain('undo 4 blocks');
  expect(back.stdout).toContain(String(at104));
  expect(root(await replayTo(db, 108))).toBe(at108);
  expect((await cli('db', 'rollback', '--db', db, '--to', '-2')).status).toBe(2);

  const rocks = await Rocks.open(db, false);
  const batch = rocks.batch();
  batch.del('blocks', blockKey(50));
  batch.write();
  await rocks.close();
  const damaged = await cli('db', 'check', '--db', db);
  expect(damaged.status).toBe(1);
  expect(damaged.stdout).toMatch(/^CHECK_HEIGHT: .*height 50$/m);
  expect(damaged.stdout).toMatch(/^\d+ violations: blocks 0 to 108/m);
});

test('a snapshot goes through a signed file into a database that indexing goes on from', async () => {
  const folder = temporaryFolder();
  const [db, file, key, copy] = ['db', 'file', 'key', 'copy'].map((part) => join(folder, part));
  await replayTo(db, 60);
  const made = await cli('snapshot', 'key', '--out', key);
  expect(made.status).toBe(0);
  const created = await cli('snapshot', 'create', '--db', db, '--out', file, '--key', key);
  expect(created.stdout).toMatch(/tip 60 .*, signed$/m);
  const restored = await cli('snapshot', 'restore', '--from', file, '--db', copy, '--public-key', `${key}.pub`);
  expect(restored.stdout).toContain('signature verified');
  expect(root(await replayTo(copy, 90))).toBe(root(await replayTo(db, 90)));
  expect(lastLine(await cli('db', 'check', '--db', copy, '--json'))).toMatchObject({ violations: 0 });

  const altered = new Uint8Array(readFileSync(file));
  altered[1_000] ^= 1;
  const bad = join(folder, 'bad');
  writeFileSync(bad, altered);
  refused(await cli('snapshot', 'restore', '--from', bad, '--db', join(folder, 'x')), 3, 'SNAPSHOT_HASH');
  refused(await cli('snapshot', 'restore', '--from', file, '--db', copy), 5, 'SNAPSHOT_TARGET_EXISTS');
  refused(await cli('db', 'check', '--db', join(folder, 'none')), 4, 'STORE_MISSING');
});
