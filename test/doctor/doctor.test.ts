import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { messageOf } from '../../src/doctor/cause.js';
import { examineDatabase } from '../../src/doctor/database.js';
import { examineNode } from '../../src/doctor/node.js';
import { readConfig } from '../../src/service/config.js';
import { Store } from '../../src/store/store.js';
import { FakeNode } from '../../src/testing/chains/fake-node.js';
import { FakePublisher } from '../chain/fake-publisher.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';

let node: FakeNode;
beforeAll(async () => {
  const blocks = [...openSource(CHAIN).blocks(0, 2)];
  node = await FakeNode.start(blocks.map(({ raw }) => ({ raw, hash: sha256d(raw.subarray(0, 80)) })));
});
afterAll(() => node.stop());

async function ofNode(flags: Record<string, unknown> = {}, now = Date.now) {
  const all = { network: 'regtest', nodeUrl: node.url, ...flags };
  const { settings } = readConfig({ flags: all, environment: {} });
  return examineNode({ settings, flags: all, now });
}
const verdicts = (of: readonly { what: string; verdict: string }[]) =>
  of.map(({ what, verdict }) => `${what} ${verdict}`);

it('a node that answers, notifies and has all blocks is fine', async () => {
  const publisher = await FakePublisher.start();
  const found = await ofNode({ zmq: publisher.endpoint });
  expect(verdicts(found)).toEqual(['JSON-RPC ok', 'chain ok', 'clock ok', 'ZMQ ok']);
});

it('tells of another network, pruned blocks, a chain that is being loaded and a clock that is behind', async () => {
  node.info = { chain: 'signet', pruned: true, pruneheight: 5, initialblockdownload: true, headers: 900 };
  const found = await ofNode({}, () => 0).finally(() => {
    node.info = {};
  });
  expect(verdicts(found)).toEqual([
    'JSON-RPC failure',
    'chain warning',
    'pruning warning',
    'clock warning',
    'ZMQ skipped',
  ]);
  expect(found[0].todo).toContain('--network signet');
  expect(found[1].found).toContain('of 900 blocks');
});

it('tells that a node refuses the credentials, is not there, or sends no notifications', async () => {
  node.credentials = 'a:b';
  const refused = await ofNode({ auth: 'a:c' }).finally(() => {
    node.credentials = undefined;
  });
  expect(refused[0].found).toContain('NODE_UNAUTHORISED');
  const gone = await ofNode({ nodeUrl: 'http://127.0.0.1:1', zmq: 'tcp://127.0.0.1:1' });
  expect(verdicts(gone)).toEqual(['JSON-RPC failure', 'ZMQ failure']);
  expect(gone[0].found).toContain('NODE_UNREACHABLE');
});

it('tells whose the folder of the database is', async () => {
  const folder = temporaryFolder();
  const db = join(folder, 'db');
  const examined = async (path = db, network = 'regtest' as const) => (await examineDatabase({ db: path, network }))[0];
  expect((await examined()).found).toContain('the first block makes a database there');
  const store = await Store.open(db, { network: 'signet', moduleHash: '00'.repeat(32) });
  expect(await examined()).toMatchObject({ verdict: 'ok', found: expect.stringContaining('has it open') });
  await store.close();
  const foreign = join(folder, 'CURRENT');
  writeFileSync(foreign, 'MANIFEST-000001\n');
  expect(await examined(folder)).toMatchObject({ verdict: 'failure', found: expect.stringContaining('STORE_FOREIGN') });
  expect(await examined(foreign)).toMatchObject({ verdict: 'failure' });
});

it('the command gives each area, and fails when something does', async () => {
  const own = ['--no-gpu', '--db', join(temporaryFolder(), 'db'), '--network', 'regtest'];
  const fine = await cli('doctor', ...own, '--node-url', node.url, '--json');
  const { failures, findings } = JSON.parse(fine.stdout);
  expect(findings.filter(({ verdict }: { verdict: string }) => verdict === 'failure')).toEqual([]);
  expect([failures, fine.status]).toEqual([0, 0]);
  expect([...new Set(findings.map(({ area }: { area: string }) => area))]).toEqual([
    'program',
    'gpu',
    'database',
    'node',
  ]);
  const bad = await cli('doctor', ...own, '--node-url', 'http://127.0.0.1:1');
  expect(bad.status).toBe(1);
  expect(bad.stdout).toMatch(/^FAIL {2}node: JSON-RPC .*NODE_UNREACHABLE/m);
  expect(bad.stdout).toMatch(/^ok {4}program: RocksDB/m);
  expect(bad.stdout.trimEnd().split('\n').at(-1)).toMatch(/^1 failures/);
});

it('says what an error says, once', () => {
  expect(messageOf('text')).toBe('text');
  expect(messageOf(new Error('a\nb', { cause: new Error('a\nb') }))).toBe('a');
  expect(messageOf(new Error('a', { cause: new Error('why') }))).toBe('a: why');
});
