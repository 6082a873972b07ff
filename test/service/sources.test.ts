import { copyFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { writeBlockFiles } from '../../src/testing/chains/block-files.js';
import { FakeNode } from '../chain/fake-node.js';
import { CHAIN, cli, ROOT, temporaryFolder } from '../helpers/cli.js';
import { ROOTS, Running, storedRoots } from './running.js';

/** Of the bundled chain, as much as is needed. */
const TIP = 40;
const roots = ROOTS.slice(0, TIP + 1);
const chain = [...openSource(CHAIN).blocks(0, TIP)].map((block) => ({
  ...block,
  hash: sha256d(block.raw.subarray(0, 80)),
}));

/** Arguments of an index of the chain from block files and a node. */
function settings(node: FakeNode, blocksDir: string, db: string): string[] {
  return ['--network', 'regtest', '--node-url', node.url, '--blocks-dir', blocksDir, '--db', db];
}

test('a damaged block of the files comes from the node, is said once and stands in /status', async () => {
  const [folder, db] = [temporaryFolder(), join(temporaryFolder(), 'a.db')];
  const damaged = chain.map(({ raw, ...block }) => {
    const bytes = raw.slice();
    if (block.height === 20 || block.height === 30) bytes[bytes.length - 1] ^= 1;
    return { ...block, raw: bytes };
  });
  writeBlockFiles(folder, damaged);
  const service = await Running.start(...settings(await FakeNode.start(chain), folder, db));
  await service.until('/ready', (page, status) => status === 200 && page.phase === 'at-tip');
  const { body } = await service.get('/status');
  expect(body).toMatchObject({
    tip: { height: TIP, roots: { state: roots[TIP] } },
    source: { files: { readFromFiles: expect.any(Number), readFromNode: 2, unreadable: 2, damaged: 2 } },
    trouble: null,
  });
  const said = service.lines.filter(({ msg }) => msg.includes('blocks in the block files are damaged'));
  expect(said).toMatchObject([{ level: 'warn', height: 20, code: 'BLOCK_BAD_MERKLE_ROOT' }]);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(await storedRoots(db)).toEqual(roots);
});

/** Block files that a crash of a node left, of which more than the project carries may lie beside it. */
const TORN = join(ROOT, '..', 'shared', 'data', 'faults', 'torn-copy-first', 'torn.dat');

test.skipIf(!existsSync(TORN))(
  'a torn copy before the whole one hides no block from an index without a node',
  async () => {
    const [folder, db] = [temporaryFolder(), join(temporaryFolder(), 'a.db')];
    copyFileSync(TORN, join(folder, 'blk00000.dat'));
    const run = await cli(
      'index',
      ...[
        '--network',
        'regtest',
        '--blocks-dir',
        folder,
        '--db',
        db,
        '--exit-at',
        '12',
        '--port',
        '0',
        '--policy',
        'cpu',
      ],
    );
    expect(run.status).toBe(0);
    expect(await storedRoots(db)).toHaveLength(12);
  },
);

test('with block files, too, a node that is away at the start is waited for', async () => {
  const [folder, db] = [temporaryFolder(), join(temporaryFolder(), 'a.db')];
  writeBlockFiles(folder, chain);
  const node = await FakeNode.start(chain);
  const { port } = node;
  const args = settings(node, folder, db);
  await node.stop();
  // Something that is no node holds the port until the node comes, and drops every connection.
  const deaf = createServer((request) => request.destroy());
  await new Promise<void>((resolve) => deaf.listen(port, '127.0.0.1', resolve));
  const service = await Running.start(...args);
  await service.until('/status', ({ phase }) => phase === 'waiting-for-node');
  expect((await service.get('/health')).body).toMatchObject({ status: 'degraded', codes: ['NODE_UNREACHABLE'] });
  expect((await service.get('/ready')).status).toBe(503);
  deaf.closeAllConnections();
  await new Promise((resolve) => deaf.close(resolve));
  await node.listen(port);
  await service.until('/ready', (page, status) => status === 200 && page.phase === 'at-tip');
  const { body } = await service.get('/status');
  expect(body).toMatchObject({
    tip: { height: TIP },
    source: { files: { readFromFiles: TIP + 1, readFromNode: 0 } },
  });
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
});
