import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CHAIN, cli, startCli, temporaryFolder } from '../helpers/cli.js';

/** A database of the first blocks of the bundled chain. */
async function database(folder: string): Promise<string> {
  const db = join(folder, 'db');
  const run = await cli('replay', CHAIN, '--db', db, '--to', '3', '--policy', 'sequential');
  expect(run.status).toBe(0);
  return db;
}

/** The address of `warpshrew serve`, which ends with the test. */
async function served(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const { child, done } = startCli(['serve', ...args], environment);
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await done;
  });
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (text: string) => {
      const match = /JSON-RPC on (\S+)/.exec(text);
      if (match) resolve(match[1]);
    });
    void done.then(({ stderr }) => reject(new Error(stderr)));
  });
}

test('serve takes the settings of index: from its file, the environment and flags', async () => {
  const folder = temporaryFolder();
  const db = await database(folder);
  const file = join(folder, 'settings.json');
  // As `index` has it: what is about the source means nothing here.
  writeFileSync(file, JSON.stringify({ db, nodeUrl: 'http://127.0.0.1:1', cors: 'https://one.example', port: 0 }));
  const url = await served(['--config', file, '--label', 'replica'], { WARPSHREW_VIEW_WORKERS: '1' });
  const health = await fetch(`${url}/health`, { headers: { origin: 'https://one.example' } });
  expect(health.headers.get('access-control-allow-origin')).toBe('https://one.example');
  expect(await health.json()).toMatchObject({ status: 'ok', height: 3 });

  const ready = await fetch(`${url}/ready`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ ready: true, phase: 'serving', height: 3, behind: null, reasons: [] });
  expect(await (await fetch(`${url}/status`)).json()).toMatchObject({
    network: 'regtest',
    label: 'replica',
    tip: { height: 3 },
    threads: { views: { threads: 1 }, laneViews: { threads: 1 } },
    store: { folder: db },
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('warpshrew_indexed_height{label="replica"} 3');
  const { events } = (await (await fetch(`${url}/events/poll?from=0`)).json()) as { events: unknown[] };
  expect(events).toHaveLength(4);
});

test('serve keeps nobody from the database, and sees it as it was', async () => {
  const db = await database(temporaryFolder());
  const url = await served(['--db', db, '--port', '0']);
  expect((await cli('dump', '--db', db)).status).toBe(0);
  expect((await cli('db', 'check', '--db', db)).status).toBe(0);
  expect((await cli('replay', CHAIN, '--db', db, '--to', '5', '--policy', 'sequential')).status).toBe(0);
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ height: 3 });
  // Another one sees what is there now; both leave nothing when they end.
  const second = await served(['--db', db, '--port', '0']);
  expect(await (await fetch(`${second}/health`)).json()).toMatchObject({ height: 5 });
  expect(folders(db)).toHaveLength(2);
});

test('a folder of a serve that was killed goes with the next one', async () => {
  const db = await database(temporaryFolder());
  const { child, done } = startCli(['serve', '--db', db, '--port', '0']);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  const [left] = folders(db);
  child.kill('SIGKILL');
  await done;
  expect(folders(db)).toEqual([left]);
  const after = startCli(['serve', '--db', db, '--port', '0']);
  await new Promise((resolve) => after.child.stdout?.once('data', resolve));
  expect(folders(db)).toHaveLength(1);
  expect(folders(db)).not.toContain(left);
  after.child.kill('SIGTERM');
  expect((await after.done).status).toBe(0);
  expect(folders(db)).toEqual([]);
});

const folders = (db: string): string[] => readdirSync(db).filter((name) => name.startsWith('serve-'));

test('serve refuses settings that cannot be used', async () => {
  const run = await cli('serve', '--port', '70000', '--view-workers', 'x');
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('USAGE_CONFIG');
});
