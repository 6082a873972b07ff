import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { Store } from '../../src/store/store.js';
import type { Prank } from '../../src/testing/chains/fake-node.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { FakeNode, fail, refuse } from '../chain/fake-node.js';
import { CHAIN, startCli, temporaryFolder } from '../helpers/cli.js';
import { ROOTS, Running, storedRoots } from './running.js';

/** Of the bundled chain, as much as is needed. */
const TIP = 8;
const chain = [...openSource(CHAIN).blocks(0, TIP)].map((block) => ({
  ...block,
  hash: sha256d(block.raw.subarray(0, 80)),
}));
const settings = (node: FakeNode, db: string): string[] => [
  ...['--network', 'regtest', '--node-url', node.url, '--poll-interval', '50', '--db', db],
];
const asksForBlock = (height: number): ((body: string) => boolean) => {
  const hash = toDisplayHash(chain[height].hash);
  return (body) => body.includes('"getblock"') && body.includes(hash);
};

/** What a node does for a while when it is asked for a block, the code of it, and whether it is waited for in vain. */
const TROUBLES: readonly (readonly [what: string, trouble: Prank, code: string, bounded: boolean])[] = [
  ['a block that is "not found on disk"', fail(-1, 'Block not found on disk'), 'NODE_BLOCK_MISSING', false],
  ["a block that it can't read from disk", fail(-32603, "Can't read block from disk"), 'NODE_BLOCK_MISSING', false],
  ['a 403 of a proxy', refuse(403, '<html>Forbidden</html>'), 'NODE_FORBIDDEN', true],
  ['a result that is null', refuse(200, '{"result":null,"error":null,"id":0}'), 'NODE_BAD_RESPONSE', true],
];

test('trouble with a block is waited out, visible in /health, and following goes on', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const node = await FakeNode.start(chain.slice(0, 1));
  const service = await Running.start(...settings(node, db));
  await service.until('/ready', (page, status) => status === 200 && page.phase === 'at-tip');
  for (const [i, [what, trouble, code, bounded]] of TROUBLES.entries()) {
    const last = 2 * (i + 1);
    const wanted = asksForBlock(last - 1);
    node.prank = (exchange) => wanted(exchange.body) && trouble(exchange);
    node.serve(chain.slice(0, last + 1));
    await service.until('/health', ({ waiting }) => waiting !== null);
    expect((await service.get('/health')).body, what).toMatchObject({
      status: 'degraded',
      codes: [code],
      waiting: { code, seconds: expect.any(Number), givesUpIn: bounded ? expect.any(Number) : null },
    });
    expect((await service.get('/ready')).status, what).toBe(503);
    node.prank = undefined;
    await service.until('/ready', (page, status) => status === 200 && page.phase === 'at-tip' && page.height === last);
    expect((await service.get('/health')).body, what).toMatchObject({ status: 'ok', waiting: null });
  }
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(await storedRoots(db)).toEqual(ROOTS.slice(0, TIP + 1));
});

test('a password that is corrected in the file, or a cookie, is taken up without a restart', async () => {
  const folder = temporaryFolder();
  const [config, cookie] = [join(folder, 'settings.json'), join(folder, '.cookie')];
  const node = await FakeNode.start(chain.slice(0, 5));
  node.credentials = 'indexer:right';
  const write = (login: object): void => writeFileSync(config, JSON.stringify(login));
  write({ nodeUser: 'indexer', nodePassword: 'wrong' });
  const service = await Running.start('--config', config, ...settings(node, join(folder, 'a.db')));
  await service.until('/health', ({ codes }) => String(codes) === 'NODE_UNAUTHORISED');
  write({ nodeUser: 'indexer', nodePassword: 'right' });
  await service.until('/ready', (page, status) => status === 200 && page.height === 4);
  // The node is set to cookies and has more blocks; the file is half written at first.
  node.credentials = '__cookie__:secret';
  node.serve(chain);
  await service.until('/health', ({ codes }) => String(codes) === 'NODE_UNAUTHORISED');
  writeFileSync(config, '{"nodeCookie": ');
  writeFileSync(cookie, '__cookie__:secret');
  write({ nodeCookie: cookie });
  await service.until('/ready', (page, status) => status === 200 && page.height === TIP);
  service.signal('SIGTERM');
  const { status, stderr } = await service.done();
  expect(status).toBe(0);
  expect(stderr).not.toMatch(/wrong|right|secret/);
});

test('what lasts longer than --node-patience ends following, and says for how long it was tried', async () => {
  const node = await FakeNode.start(chain);
  node.credentials = 'indexer:right';
  const { done } = startCli([
    'index',
    ...settings(node, join(temporaryFolder(), 'a.db')),
    ...['--auth', 'indexer:wrong', '--node-patience', '1000', '--exit-on-failure', '--port', '0', '--policy', 'cpu'],
  ]);
  const { status, stderr } = await done;
  expect(status).toBe(5);
  expect(stderr).toMatch(/"code":"NODE_UNAUTHORISED".*"triedForSeconds":1/);
});

test('a node of another network leaves nothing in a new database', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const node = await FakeNode.start(chain);
  const { done } = startCli([
    'index',
    ...['--network', 'mainnet', '--node-url', node.url, '--db', db, '--exit-on-failure', '--port', '0'],
    ...['--policy', 'cpu'],
  ]);
  expect((await done).stderr).toContain('"code":"CHAIN_WRONG_NETWORK"');
  await expect(Store.openRecorded(db)).rejects.toMatchObject({ code: 'STORE_EMPTY' });
  const service = await Running.start(...settings(node, db));
  await service.until('/ready', (page, status) => status === 200 && page.height === TIP);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
});
