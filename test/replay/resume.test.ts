import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Store } from '../../src/store/store.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';

/** Blocks from {@link FIRST} up to this one hold messages; before it are a hundred that hold none. */
const LAST = 126;
const FIRST = 104;
const lastRoot = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').split('\n')[LAST].split(' ')[1];

test('a second run continues at the tip and changes nothing when there is nothing left', async () => {
  const db = await bundledDatabase(FIRST);
  const replay = ['replay', CHAIN, '--db', db, '--policy', 'cpu', '--to', String(LAST), '--json'];
  const rest = await cli(...replay);
  expect(lastLine(rest)).toMatchObject({ height: LAST, stateRoot: lastRoot, blocks: LAST - FIRST });
  const again = await cli(...replay);
  expect(lastLine(again)).toMatchObject({ stateRoot: lastRoot, blocks: 0 });
});

test('a block with another root than the fixture has is named and not stored', async () => {
  const folder = temporaryFolder();
  const [chain, db] = [join(folder, 'chain'), join(folder, 'db')];
  cpSync(CHAIN, chain, { recursive: true });
  const file = join(chain, 'roots.txt');
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.startsWith('7 '));
  writeFileSync(file, lines.with(at, `7 ${'00'.repeat(32)}`).join('\n'));
  const run = await cli('replay', chain, '--db', db, '--policy', 'sequential');
  expect(run.status).not.toBe(0);
  expect(run.stderr).toContain('FIXTURE_ROOT_MISMATCH');
  expect(run.stderr).toContain('7');
  const store = await Store.openRecorded(db, { readOnly: true });
  expect(store.tip()?.height).toBe(6);
  await store.close();
});

// test/store/kill.test.ts kills many more, and looks at the whole database after each.
test('kill -9 at 4 random moments: the replay resumes and ends with the same root', async () => {
  let db = await bundledDatabase(FIRST);
  const replay = () => ['replay', CHAIN, '--db', db, '--policy', 'cpu', '--to', String(LAST), '--json'];
  const started = performance.now();
  expect(await cli(...replay())).toMatchObject({ status: 0 });
  // Each run lives a random part of an undisturbed one's time; the clock only chooses the moment, it judges nothing.
  const undisturbed = performance.now() - started;
  db = await bundledDatabase(FIRST);
  let killed = 0;
  for (let attempt = 0; killed < 4 && attempt < 400; attempt++) {
    const { child, done } = startCli(replay());
    const first = await Promise.race([done, sleep(Math.random() * undisturbed)]);
    if (first === undefined) {
      child.kill('SIGKILL');
      if ((await done).status === undefined) killed++;
    } else {
      expect(first.status, first.stderr).toBe(0);
      // Nothing is left to be killed at the end of the chain.
      db = await bundledDatabase(FIRST);
    }
  }
  expect(killed).toBe(4);
  const run = await cli(...replay());
  expect(run.status, run.stderr).toBe(0);
  expect(lastLine(run)).toMatchObject({ stateRoot: lastRoot });
});
