import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, startCli, temporaryFolder } from '../helpers/cli.js';
import { replayTo } from '../helpers/here.js';
import { chainUpTo } from '../helpers/short-chain.js';

const LONG = { timeout: 3_600_000 };
/** Of the chain that an index runs through meanwhile. */
const TIP = 110;

async function ask(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const { result, error } = await (await fetch(url, { method: 'POST', headers, body })).json();
  return result ?? error;
}

/** A database of the first blocks of the bundled chain. */
async function database(folder: string): Promise<string> {
  const db = join(folder, 'db');
  await replayTo(db, 3);
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

test('serve keeps nobody from the database, and goes over to what others write', async () => {
  const db = await database(temporaryFolder());
  const url = await served(['--db', db, '--port', '0']);
  const status = async () => (await (await fetch(`${url}/status`)).json()) as { replica: object; tip: object };
  expect((await status()).replica).toEqual({ renewed: 0, failed: 0, lastFailure: null, lagSeconds: 0 });
  expect((await cli('dump', '--db', db)).status).toBe(0);
  expect((await cli('db', 'check', '--db', db)).status).toBe(0);
  await replayTo(db, 5);
  // A reader of events hears of it, and views see the new state.
  const heights = async (): Promise<number[]> => {
    const poll = await (await fetch(`${url}/events/poll?from=4`)).json();
    return (poll as { events: { data: { height: number } }[] }).events.map(({ data }) => data.height);
  };
  await expect.poll(heights, LONG).toEqual([4, 5]);
  expect(await ask(url, 'metashrew_height')).toBe('5');
  expect(await ask(url, 'metashrew_view', 'tipheight', '0x')).toBe('0x05000000');
  const root = await ask(url, 'warpshrew_getroots', 5);
  expect(await ask(url, 'warpshrew_getproof', 'P', '0x00', 5)).toMatchObject({ height: 5 });
  expect(root).toMatchObject({ height: 5 });
  await expect.poll(status, LONG).toMatchObject({ replica: { failed: 0, lagSeconds: 0 }, tip: { height: 5 } });
  // Undone blocks go, too.
  expect((await cli('db', 'rollback', '--db', db, '--to', '2', '--yes')).status).toBe(0);
  await expect.poll(() => ask(url, 'metashrew_height'), LONG).toBe('2');
  expect(await ask(url, 'metashrew_view', 'tipheight', '0x')).toBe('0x02000000');
});

test('serve follows an index that runs', async () => {
  const db = join(temporaryFolder(), 'db');
  const index = startCli(['index', '--fixture', chainUpTo(TIP), '--policy', 'sequential', '--db', db, '--port', '0']);
  const isAtTip = new Promise<void>((resolve) => {
    let log = '';
    index.child.stderr?.on('data', (part: string) => {
      log += part;
      if (log.includes('"msg":"at-tip"')) resolve();
    });
  });
  onTestFinished(async () => {
    index.child.kill('SIGTERM');
    await index.done;
  });
  await expect.poll(() => readdirSync(db).includes('CURRENT'), LONG).toBe(true);
  let url = '';
  // Until there is a block.
  while (url === '') url = await served(['--db', db, '--port', '0']).catch(() => '');
  await isAtTip;
  const tip = String(TIP);
  await expect.poll(() => ask(url, 'metashrew_height'), LONG).toBe(tip);
  expect((await cli('dump', '--db', db)).stderr).toContain('STORE_LOCKED');
  expect(readdirSync(db).filter((name) => name.startsWith('serve-')).length).toBeGreaterThan(0);
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
