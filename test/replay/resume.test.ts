import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Store } from '../../src/store/store.js';
import { CHAIN, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';

const finalRoot = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').trim().split('\n').at(-1)?.split(' ')[1];

test('a second run continues at the tip and changes nothing when there is nothing left', async () => {
  const db = join(temporaryFolder(), 'db');
  const half = await cli('replay', CHAIN, '--db', db, '--policy', 'cpu', '--to', '100', '--json');
  expect(lastLine(half)).toMatchObject({ height: 100 });
  const rest = await cli('replay', CHAIN, '--db', db, '--policy', 'cpu', '--json');
  expect(lastLine(rest)).toMatchObject({ stateRoot: finalRoot });
  const again = await cli('replay', CHAIN, '--db', db, '--policy', 'cpu', '--json');
  expect(lastLine(again)).toMatchObject({ stateRoot: finalRoot, blocks: 0 });
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

test('kill -9 at 8 random moments: the replay resumes and ends with the same root', async () => {
  const db = join(temporaryFolder(), 'db');
  const replay = ['replay', CHAIN, '--db', db, '--policy', 'cpu', '--json'];
  const started = performance.now();
  expect(await cli(...replay)).toMatchObject({ status: 0 });
  // Each run lives a random part of an undisturbed one's time; the clock only chooses the moment, it judges nothing.
  const undisturbed = performance.now() - started;
  rmSync(db, { recursive: true });
  let killed = 0;
  for (let attempt = 0; killed < 8 && attempt < 400; attempt++) {
    const { child, done } = startCli(replay);
    const first = await Promise.race([done, sleep(Math.random() * undisturbed)]);
    if (first === undefined) {
      child.kill('SIGKILL');
      if ((await done).status === undefined) killed++;
    } else {
      expect(first.status, first.stderr).toBe(0);
      // Nothing is left to be killed at the end of the chain.
      rmSync(db, { recursive: true });
    }
  }
  expect(killed).toBe(8);
  const run = await cli(...replay);
  expect(run.status, run.stderr).toBe(0);
  expect(lastLine(run)).toMatchObject({ stateRoot: finalRoot });
});
