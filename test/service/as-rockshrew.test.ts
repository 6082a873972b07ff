import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RocksLevel } from '@nxtedition/rocksdb';
import { expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { FakeNode } from '../chain/fake-node.js';
import { CHAIN, cli, ROOT, temporaryFolder } from '../helpers/cli.js';
import { ROOTS, Running, storedRoots } from './running.js';

const TIP = 12;
const chain = [...openSource(CHAIN).blocks(0, TIP)].map((block) => ({
  ...block,
  hash: sha256d(block.raw.subarray(0, 80)),
}));
const MODULE = join(ROOT, 'dist', 'wasm', 'indexers', 'default.wasm');

/** As its documentation shows it, with every flag whose value need not be a matter of this machine. */
function commandLine(node: FakeNode, db: string): string[] {
  const line = `--daemon-rpc-url ${node.url} --auth TOKEN-1 --indexer ${MODULE} --db-path ${db}
    --start-block 0 --label a:b
    --host 127.0.0.1 --port 0 --cors * --pipeline-size 4 --max-reorg-depth 50
    --reorg-check-threshold 6 --enable-preview
    --view-concurrency 2 --view-memory-mb 256 --view-memory-floor-mb 1 --view-memory-floor-refresh-ms 1000 --enable-spv
    --view-runtime-workers 2 --indexer-cores 0 --indexer-nice -5 --view-nice 5 --prefetch-size 64 --spv-type regtest
    --enable-view-pool --view-pool-size 2 --view-pool-max-concurrent 4 --view-pool-logging --disable-lru-cache
    --disable-wasmtime-log --no-startup-heal --exit-at ${TIP + 1}`;
  return line.split(/\s+/);
}

test('starts as it is: the network comes from the node, every flag is taken, a bearer token is sent', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const node = await FakeNode.start(chain);
  node.token = 'TOKEN-1';
  const run = await cli(...commandLine(node, db));
  expect(run.status, run.stderr).toBe(0);
  expect(await storedRoots(db)).toEqual(ROOTS.slice(0, TIP + 1));
  const lines = run.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const warned = lines.filter(({ level, setting }) => level === 'warn' && setting !== undefined);
  expect(warned.map(({ setting }) => setting)).toEqual(
    expect.arrayContaining(['--indexer-nice', '--no-startup-heal', '--label', '--enable-preview']),
  );
  expect(lines.every(({ label }) => label === 'a-b')).toBe(true);
  expect(run.stderr).not.toContain('TOKEN-1');
});

test('waits for a node that is away before it makes a database, and then knows the network without it', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const node = await FakeNode.start(chain);
  const { port } = node;
  await node.stop();
  const args = ['--daemon-rpc-url', `http://127.0.0.1:${port}`, '--db-path', db];
  const service = Running.asRockshrew(...args, '--port', '0', '--index-niceness', '0');
  await service.lineThat(({ code }) => code === 'NODE_UNREACHABLE');
  await node.listen(port);
  service.url = String((await service.line('serving JSON-RPC')).url);
  await service.until('/ready', (body, status) => status === 200 && body.phase === 'at-tip');
  await node.stop();
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  const again = Running.asRockshrew(...args, '--port', '0', '--index-niceness', '0');
  again.url = String((await again.line('serving JSON-RPC')).url);
  expect((await again.call('metashrew_height')).result).toBe(String(TIP));
  again.signal('SIGTERM');
  expect((await again.done()).status).toBe(0);
});

test('a signal ends the wait for the node', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const service = Running.asRockshrew('--daemon-rpc-url', 'http://127.0.0.1:9', '--db-path', db);
  await service.lineThat(({ code }) => code === 'NODE_UNREACHABLE');
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(readdirSync(join(db, '..'))).toEqual([]);
});

/** Every file of a folder with its hash and the time of its last change. */
function fingerprint(dir: string): string[] {
  return readdirSync(dir)
    .sort()
    .map((file) => {
      const path = join(dir, file);
      return `${file} ${createHash('sha256').update(readFileSync(path)).digest('hex')} ${statSync(path).mtimeMs}`;
    });
}

test('leaves the database of the other program as it is', async () => {
  const folder = temporaryFolder();
  const theirs = join(folder, 'rockshrew.db');
  const db = new RocksLevel(theirs, { columns: { default: {} }, createIfMissing: true });
  await db.open();
  const batch = db.batch();
  batch._put(Buffer.from('__INTERNAL/height'), Buffer.from([7, 0, 0, 0]), { column: db.columns.default });
  batch._writeSync({ sync: true });
  batch._closeSync();
  await db.close();
  const before = fingerprint(theirs);
  const node = await FakeNode.start(chain);
  const run = await cli('--daemon-rpc-url', node.url, '--indexer', MODULE, '--db-path', theirs, '--port', '0');
  expect(run.status, run.stderr).toBe(4);
  expect(run.stderr).toContain('STORE_FOREIGN');
  expect(fingerprint(theirs)).toEqual(before);
});
