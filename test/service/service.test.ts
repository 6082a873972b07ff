import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesOf, rootOf } from '../../scripts/state-root/reference.mjs';
import { proofFromJson } from '../../src/store/proof/json.js';
import { refutationOf } from '../../src/store/proof/key-proof.js';
import { combinedRoot } from '../../src/store/tree/tree-hash.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { chainUpTo } from '../helpers/short-chain.js';
import { bytes } from '../store/helpers.js';
import { ROOTS, Running, storedRoots } from './running.js';

const TIP = ROOTS.length - 1;

test('it indexes the bundled chain to the stored roots and tells of it on every page', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const service = await Running.start(
    '--fixture',
    CHAIN,
    '--db',
    db,
    '--label',
    'mine',
    '--prefixroot',
    'tip:0x746970',
  );
  // It serves from the start: before the chain is indexed, it is not ready but healthy.
  expect((await service.get('/health')).status).toBe(200);
  await service.until('/ready', (body, status) => status === 200 && body.phase === 'at-tip');
  expect((await service.get('/ready')).body).toEqual({
    ready: true,
    phase: 'at-tip',
    height: TIP,
    behind: 0,
    reasons: [],
  });
  const { body: status } = await service.get('/status');
  const { body: health } = await service.get('/health');
  const { standardRoot, laneRoot } = health as Record<string, string>;
  expect(health).toEqual({
    status: 'ok',
    codes: [],
    height: TIP,
    behind: 0,
    stateRoot: ROOTS[TIP],
    standardRoot,
    laneRoot,
    waiting: null,
    kernel: { state: 'none', why: null, probeAt: null },
  });
  expect(toHex(combinedRoot(fromHex(standardRoot), fromHex(laneRoot)))).toBe(ROOTS[TIP]);
  expect((await service.call('metashrew_stateroot')).result).toBe(`0x${standardRoot}`);
  for (const key of ['tip', 'absent']) {
    const proof = proofFromJson((await service.call('warpshrew_getproof', 'S', toHex(bytes(key)))).result);
    expect(refutationOf(proof, { root: fromHex(ROOTS[TIP]), height: TIP, key: bytes(key) })).toBeUndefined();
    expect(proof.value === undefined).toBe(key === 'absent');
    if (proof.value === undefined) continue;
    // The only key that begins so.
    const alone = `0x${toHex(rootOf(leavesOf([[bytes(key), proof.value]])))}`;
    expect((await service.call('metashrew_prefixroot', 'tip')).result).toBe(alone);
    expect((await service.call('metashrew_prefixroot', 'tip', 100)).result).not.toBe(alone);
  }
  expect((await service.call('metashrew_prefixroot', 'other')).error).toMatchObject({ code: -32000 });
  expect(status).toMatchObject({
    network: 'regtest',
    label: 'mine',
    phase: 'at-tip',
    failure: null,
    tip: { height: TIP, roots: { state: ROOTS[TIP] } },
    source: { height: TIP, behind: 0 },
    sinceStart: { blocks: TIP + 1, reorgs: 0 },
    engine: { policy: 'cpu', gpu: 'none' },
    store: { identity: { network: 'regtest' } },
  });
  expect((await service.call('metashrew_height')).result).toBe(String(TIP));
  expect((await service.call('metashrew_view', 'tipheight', '0x')).result).toMatch(/^0x/);
  expect((await service.call('nosuch')).error).toBeDefined();
  const metrics = await service.text('/metrics');
  for (const line of [
    `warpshrew_indexed_height{label="mine"} ${TIP}`,
    `warpshrew_blocks_indexed_total{label="mine"} ${TIP + 1}`,
    'warpshrew_at_tip{label="mine"} 1',
    'warpshrew_rpc_requests_total{method="unknown",outcome="error",label="mine"} 1',
    'warpshrew_rpc_request_seconds_count{label="mine",method="metashrew_view"} 1',
    `warpshrew_block_phase_seconds_count{label="mine",phase="commit"} ${TIP + 1}`,
  ]) {
    expect(metrics).toContain(`${line}\n`);
  }
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(await storedRoots(db)).toEqual(ROOTS);
  expect(service.lines.every((line) => line.label === 'mine')).toBe(true);
});

test('a signal in the middle leaves whole blocks, and the next run goes on to --exit-at', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const service = await Running.start('--fixture', CHAIN, '--db', db, '--log-level', 'debug');
  await service.lineThat((line) => line.height === 20);
  service.signal('SIGINT');
  expect((await service.done()).status).toBe(0);
  const stored = await storedRoots(db);
  expect(stored.length).toBeGreaterThan(20);
  expect(stored.length).toBeLessThan(ROOTS.length);
  expect(stored).toEqual(ROOTS.slice(0, stored.length));
  // Shorter than what is there already, then the real end: the last block is the one before.
  const again = await cli(
    'index',
    '--port',
    '0',
    '--policy',
    'cpu',
    '--fixture',
    CHAIN,
    '--db',
    db,
    '--exit-at',
    '150',
    '--index-niceness',
    '0',
  );
  expect(again.status, again.stderr).toBe(0);
  expect(await storedRoots(db)).toEqual(ROOTS.slice(0, 150));
});

test('a port in use ends it with the code and a closed database', async () => {
  const folder = temporaryFolder();
  const chain = chainUpTo(3);
  const service = await Running.start('--fixture', chain, '--db', join(folder, 'a.db'));
  const { port } = new URL(service.url);
  const second = await cli(
    'index',
    '--fixture',
    chain,
    '--policy',
    'cpu',
    '--db',
    join(folder, 'b.db'),
    '--port',
    port,
  );
  expect(second.status).toBe(5);
  expect(second.stderr).toContain('"code":"ENV_PORT_IN_USE"');
  const locked = await cli('index', '--fixture', chain, '--policy', 'cpu', '--db', join(folder, 'a.db'), '--port', '0');
  expect(locked.status).toBe(4);
  expect(locked.stderr).toContain('"code":"STORE_LOCKED"');
  // The database of the one that could not listen is whole and free again.
  expect(await storedRoots(join(folder, 'b.db'))).toEqual(
    ROOTS.slice(0, (await storedRoots(join(folder, 'b.db'))).length),
  );
});

test('a node that is away: it serves, says why it is not ready, and ends at a signal', async () => {
  // Port 9 of the loopback takes no connections.
  const service = await Running.start('--node-url', 'http://127.0.0.1:9', '--db', join(temporaryFolder(), 'a.db'));
  await service.until('/health', (body) => body.status === 'degraded');
  expect((await service.get('/health')).body.codes).toEqual(['NODE_UNREACHABLE']);
  const { status, body } = await service.get('/ready');
  expect(status).toBe(503);
  expect(JSON.stringify(body.reasons)).toContain('NODE_UNREACHABLE');
  expect((await service.call('metashrew_height')).result).toBe('0');
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(service.lines.filter((line) => line.code === 'NODE_UNREACHABLE')).toHaveLength(1);
});
