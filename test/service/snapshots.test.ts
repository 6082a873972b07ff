import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { CATALOGUE_FILE, parseCatalogue, readCatalogue } from '../../src/store/snapshot/catalogue.js';
import { writeKeyPair } from '../../src/store/snapshot/keys.js';
import { Store } from '../../src/store/store.js';
import { FakeNode } from '../chain/fake-node.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { chainUpTo } from '../helpers/short-chain.js';
import { ROOTS, Running } from './running.js';

const TIP = 140;
const chain = [...openSource(CHAIN).blocks(0, TIP)].map((block) => ({
  ...block,
  hash: sha256d(block.raw.subarray(0, 80)),
}));

/** Every row of a database, but for how much of it was far below the node's tip. */
async function content(dir: string): Promise<Map<string, string>> {
  const store = await Store.openRecorded(dir, { readOnly: true });
  try {
    const rows = store.rawContent();
    rows.delete(`meta ${Buffer.from('final').toString('hex')}`);
    return rows;
  } finally {
    await store.close();
  }
}

/** What a database holds that was indexed up to `height`: the same one goes on from height to height. */
async function indexedTo(folder: string, height: number): Promise<Map<string, string>> {
  const db = join(folder, 'undisturbed.db');
  const args = ['--fixture', CHAIN, '--db', db, '--exit-at', String(height + 1), '--port', '0', '--policy', 'cpu'];
  const run = await cli('index', ...args, '--index-niceness', '0');
  expect(run.status, run.stderr).toBe(0);
  return content(db);
}

/** Serves the files of a folder in parts; of the first `losses` parts of more than 4 KiB only the half arrives. */
async function serveFolder(folder: string, losses: number): Promise<{ readonly url: string; readonly lost: number }> {
  const told = { url: '', lost: 0 };
  const server = createServer((request, response) => {
    const path = join(folder, basename(request.url ?? ''));
    if (!existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    const bytes = readFileSync(path);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) {
      response.writeHead(200).end(bytes);
      return;
    }
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': part.length });
    if (part.length <= 4096 || told.lost >= losses) {
      response.end(part);
      return;
    }
    told.lost++;
    response.write(part.subarray(0, part.length / 2), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  told.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return told;
}

test('a running index writes whole snapshots, keeps the newest, and a missing database comes from them', async () => {
  const folder = temporaryFolder();
  const [snapshots, key] = [join(folder, 'snapshots'), join(folder, 'key')];
  const { publicFile } = writeKeyPair(key);
  mkdirSync(snapshots);
  writeFileSync(join(snapshots, 'not ours.snapshot.part'), '');
  writeFileSync(join(snapshots, '000000010-0123456789abcdef.snapshot.part'), 'cut off');
  const node = await FakeNode.start(chain.slice(0, 80));
  const of = ['--network', 'regtest', '--node-url', node.url, '--poll-interval', '50'];
  const making = ['--snapshot-directory', snapshots, '--snapshot-interval', '20', '--snapshots-kept', '2'];
  const service = await Running.start(...of, ...making, '--snapshot-key', key, '--db', join(folder, 'a.db'));
  // Of the first eighty blocks only those near the tip have one; then indexing goes on while it is written.
  for (const height of [60, 80, 100, 120]) {
    const line = await service.lineThat(({ msg, height: at }) => msg === 'snapshot made' && at === height);
    expect(line.bytes).toBeGreaterThan(1_000);
    node.serve(chain.slice(0, Math.min(height + 35, TIP + 1)));
  }
  expect(service.lines.filter(({ msg }) => msg === 'snapshot made').map(({ height }) => height)).toEqual([
    60, 80, 100, 120,
  ]);
  await service.until('/ready', (page, status) => status === 200 && page.height === TIP);
  const told = JSON.parse(String((await service.call('metashrew_snapshot')).result));
  expect(told).toMatchObject({ enabled: true, indexed_height: TIP, current_height: TIP + 1, sync_mode: 'Snapshot' });
  expect(told.snapshots_created).toBeGreaterThanOrEqual(4);
  expect(await service.text('/metrics')).toMatch(/^warpshrew_last_snapshot_height 1[24]0$/m);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  const entries = readCatalogue(snapshots).filter(({ height }) => height < TIP);
  expect(entries.at(-1)).toMatchObject({ height: 120, network: 'regtest', stateRoot: ROOTS[120] });
  expect(readCatalogue(snapshots)).toHaveLength(2);
  expect(readdirSync(snapshots).filter((name) => name.endsWith('.part'))).toEqual(['not ours.snapshot.part']);

  for (const { height, file } of entries) {
    const db = join(folder, `${height}.db`);
    const run = await cli(
      'snapshot',
      'restore',
      '--from',
      join(snapshots, file),
      '--db',
      db,
      '--public-key',
      publicFile,
    );
    expect(run.status, run.stderr).toBe(0);
    expect(await content(db)).toEqual(await indexedTo(folder, height));
  }

  // A server that has no database takes the newest, and goes on from there to what every other index has.
  const db = join(folder, 'from-repo.db');
  const repo = ['--repo', snapshots, '--repo-key', publicFile, '--db', db];
  const again = await Running.start(...of, ...repo);
  const { height: restored } = await again.line('database restored');
  expect(restored).toBe(readCatalogue(snapshots).at(-1)?.height);
  await again.until('/ready', (page, status) => status === 200 && page.height === TIP);
  expect((await again.get('/health')).body.stateRoot).toBe(ROOTS[TIP]);
  expect(JSON.parse(String((await again.call('metashrew_snapshot')).result))).toMatchObject({
    sync_mode: 'Repo',
    snapshots_applied: 1,
    blocks_synced_from_snapshots: Number(restored) + 1,
  });
  again.signal('SIGTERM');
  expect((await again.done()).status).toBe(0);
  // The same from a server that serves the folder as it is, which loses the connection once.
  const web = await serveFolder(snapshots, 1);
  const far = ['--repo', `${web.url}/`, '--repo-key', publicFile, '--db', join(folder, 'from-web.db')];
  const fromWeb = await Running.start(...of, ...far);
  expect((await fromWeb.line('database restored')).height).toBe(restored);
  await fromWeb.until('/ready', (page, status) => status === 200 && page.height === TIP);
  expect((await fromWeb.get('/health')).body.stateRoot).toBe(ROOTS[TIP]);
  fromWeb.signal('SIGTERM');
  expect((await fromWeb.done()).status).toBe(0);
  expect(readdirSync(folder).filter((name) => name.startsWith('from-web.db'))).toEqual(['from-web.db']);
  expect(web.lost).toBe(1);
  // One that has a database keeps it.
  const third = await Running.start(...of, ...repo);
  await third.until('/ready', (_, status) => status === 200);
  expect(third.lines.some(({ msg }) => msg === 'database restored')).toBe(false);
  third.signal('SIGTERM');
  await third.done();
});

test('a snapshot without the wanted signature ends the start, a folder without a fitting one does not', async () => {
  const folder = temporaryFolder();
  const [snapshots, key] = [join(folder, 'snapshots'), join(folder, 'key')];
  const { publicFile } = writeKeyPair(key);
  const index = ['index', '--fixture', CHAIN, '--port', '0', '--policy', 'cpu', '--exit-at', '11'];
  const making = ['--snapshot-directory', snapshots, '--snapshot-interval', '20'];
  const service = await Running.start('--fixture', chainUpTo(25), '--db', join(folder, 'a.db'), ...making);
  await service.line('snapshot made');
  service.signal('SIGTERM');
  await service.done();
  const db = join(folder, 'b.db');
  const refused = await cli(...index, '--db', db, '--repo', snapshots, '--repo-key', publicFile);
  expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('SNAPSHOT_UNSIGNED')]);
  expect(existsSync(db)).toBe(false);
  const away = await cli(...index, '--db', db, '--repo', 'http://127.0.0.1:9/snapshots');
  expect([away.status, away.stderr]).toEqual([5, expect.stringContaining('FETCH_FAILED')]);
  const none = await cli(...index, '--db', db, '--repo', join(folder, 'nothing-here'));
  expect([none.status, none.stderr]).toEqual([0, expect.stringContaining('no snapshot of this network and module')]);
});

test('a list of snapshots from anywhere names no other files, and is no other thing', () => {
  const folder = temporaryFolder();
  expect(readCatalogue(folder)).toEqual([]);
  const hash = '0'.repeat(64);
  const entry = {
    file: '000000010-0123456789abcdef.snapshot',
    bytes: 1,
    height: 10,
    hash,
    stateRoot: hash,
    network: 'regtest',
    moduleHash: hash,
  };
  const list = (...snapshots: unknown[]): string => JSON.stringify({ format: 1, snapshots });
  expect(parseCatalogue(list(entry))).toEqual([entry]);
  const bad = [
    '',
    '[]',
    '{"format":2,"snapshots":[]}',
    list(null),
    list({ ...entry, file: '../etc/passwd' }),
    list({ ...entry, file: 7 }),
    list({ ...entry, bytes: -1 }),
    list({ ...entry, height: 1.5 }),
    list({ ...entry, hash: 'x' }),
    list({ ...entry, network: undefined }),
    list(...Array.from({ length: 1_001 }, () => entry)),
  ];
  for (const text of bad) expect(() => parseCatalogue(text), text).toThrow('the list of snapshots cannot be used');
  writeFileSync(join(folder, CATALOGUE_FILE), ' '.repeat((1 << 20) + 1));
  expect(() => readCatalogue(folder)).toThrow('longer than 1 MiB');
  writeFileSync(join(folder, CATALOGUE_FILE), list(entry));
  expect(readCatalogue(folder)).toEqual([]);
  expect(readFileSync(join(folder, CATALOGUE_FILE), 'utf8')).toBe(list(entry));
});
