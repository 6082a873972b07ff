import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { replay } from '../../src/replay/replay.js';
import { ROCKSHREW_FLAGS } from '../../src/service/rockshrew-flags.js';
import { Store } from '../../src/store/store.js';
import { allRows } from '../../src/testing/chains/database-rows.js';
import { writeFixture } from '../../src/testing/fixture/write-fixture.js';
import type { BuiltBlock } from '../../src/testing/regtest/regtest-chain.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { hash256 } from '../../src/wallet/coins.js';
import { Branch } from './branches.js';
import { IndexProcess } from './index-process.js';
import { freePort, installNode, type NodeOptions, RegtestNode } from './regtest-node.js';

const MODULE = fileURLToPath(new URL('../../dist/wasm/indexers/default.wasm', import.meta.url));
const BUNDLED = fileURLToPath(new URL('../../fixtures/regtest', import.meta.url));
// A software driver needs minutes to compile every kernel, which test/gpu/programs.test.ts has it do already. What the
// other policies make of this chain is in test/replay/policies.test.ts; over a node they run below.
const POLICIES = ['auto', ...(process.env.TEST_NODE_WITH_GPU === undefined ? [] : ['gpu'])];
const installed = installNode();
if (!installed) process.stderr.write('the node suite is skipped: no Bitcoin node can be installed on this system\n');

describe.skipIf(!installed)('following a real node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-node-'));
  const begin = Branch.begin();
  const open: (() => Promise<unknown>)[] = [];
  let number = 0;

  beforeAll(() => {
    begin.grow(12, 1);
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function makeNode(blocks: readonly BuiltBlock[], options: NodeOptions = {}): Promise<RegtestNode> {
    const node = await RegtestNode.start(join(folder, `node-${++number}`), options);
    open.push(() => node.remove());
    await node.submit(blocks.filter(({ height }) => height > 0));
    return node;
  }

  async function makeIndex(db: string, node: RegtestNode, args: readonly string[] = []): Promise<IndexProcess> {
    // Where the policy does not matter, the one that starts the fewest threads.
    const index = await IndexProcess.start(db, node, ['--policy', 'sequential', ...args]);
    open.push(() => index.kill());
    return index;
  }

  const newDb = (): string => join(folder, `db-${++number}`);

  /** Rows of an index of a chain from its blocks alone, by the chain's last hash: several tests end with the same. */
  const freshOf = new Map<string, ReadonlyMap<string, string>>();

  async function freshRows(blocks: readonly BuiltBlock[]): Promise<ReadonlyMap<string, string>> {
    const tip = toDisplayHash(blocks[blocks.length - 1].hash);
    const known = freshOf.get(tip);
    if (known !== undefined) return known;
    const path = join(folder, `chain-${++number}`);
    writeFixture(path, { seed: 'node-suite', firstHeight: 0, blocks });
    const dbDir = newDb();
    const summary = await replay({ path, dbDir, policy: 'sequential' });
    expect(summary.lane.ok).toBeGreaterThan(20);
    const rows = await allRows(dbDir);
    freshOf.set(tip, rows);
    return rows;
  }

  /**
   * A fresh index of the chain as it stands, from its blocks alone: the whole database must be the same, row by row.
   */
  async function expectSameAsFresh(db: string, { chain: { blocks } }: Branch): Promise<void> {
    const [fresh, own] = await Promise.all([freshRows(blocks), allRows(db)]);
    const differing = [...new Set([...fresh.keys(), ...own.keys()])].filter((key) => fresh.get(key) !== own.get(key));
    // How many blocks can be undone is a setting, and what ran a transaction differs: receipts name it.
    expect(differing.filter((key) => !/^(undo|meta|blocks) /.test(key))).toEqual([]);
    const keys = (rows: ReadonlyMap<string, string>): string[] =>
      [...rows.keys()].filter((k) => k.startsWith('blocks '));
    expect(keys(own).sort()).toEqual(keys(fresh).sort());
  }

  const tipOf = (branch: Branch): BuiltBlock => branch.chain.blocks[branch.tipHeight];

  it(`gives the bundled chain the roots of the replay under ${POLICIES.join(', ')}`, async () => {
    const blocks = [...openSource(BUNDLED).blocks()].map(({ height, raw }) => ({
      height,
      raw,
      hash: hash256(raw.subarray(0, 80)),
    }));
    const roots = readFileSync(join(BUNDLED, 'roots.txt'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[1]);
    const tip = blocks[blocks.length - 1];
    const node = await makeNode([]);
    await node.submit(blocks.slice(1));
    for (const policy of POLICIES) {
      const db = newDb();
      const index = await makeIndex(db, node, ['--policy', policy, '--workers', '1']);
      await index.reaches(tip);
      expect(await index.stop(), policy).toBe(0);
      const store = await Store.openRecorded(db, { readOnly: true });
      const found = roots.map((_, height) => store.roots(height)?.state);
      await store.close();
      expect(found, policy).toEqual(roots);
    }
  });

  it('syncs from block files, with new blocks from the node', async () => {
    const node = await makeNode(begin.blocks());
    const branch = begin.fork(begin.tipHeight);
    const db = newDb();
    const index = await makeIndex(db, node, ['--blocks-dir', node.blocksFolder]);
    await index.reaches(tipOf(begin));
    await node.submit(branch.grow(4, 1));
    await index.reaches(tipOf(branch));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, branch);
  });

  it('hears of blocks over ZMQ, under auto', async () => {
    const node = await makeNode(begin.blocks(), { zmq: true });
    const branch = begin.fork(begin.tipHeight);
    const db = newDb();
    // So rarely polled that only a notification can be in time.
    const rarely = ['--zmq', node.zmqUrl, '--poll-interval', '3600000'];
    const index = await makeIndex(db, node, [...rarely, '--policy', 'auto', '--workers', '1']);
    await index.reaches(tipOf(begin));
    for (const block of branch.grow(3, 1)) {
      await node.submit([block]);
      await index.reaches(block);
    }
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, branch);
  });

  // Of a few blocks: the node whose chain gets shorter, and the one with a stale branch, below.
  it.each([1, 100])('a reorg of depth %i with lane transactions on both branches', async (depth) => {
    const base = begin.fork(begin.tipHeight);
    if (depth > 10) base.grow(depth, 1);
    const node = await makeNode(base.blocks());
    const db = newDb();
    // The second one goes back over one block more. Here the policy is cpu.
    const index = await makeIndex(db, node, ['--policy', 'cpu', '--workers', '1', '--keep-undo', String(depth + 1)]);
    await index.reaches(tipOf(base));
    const fork = base.tipHeight - depth;
    const other = base.fork(fork);
    await node.submit(other.grow(depth + 1, 2));
    await index.reaches(tipOf(other));
    // Back again: the node is told that the second branch is invalid, then that it is not.
    const doubted = toDisplayHash(other.chain.blocks[fork + 1].hash);
    await node.rpc('invalidateblock', doubted);
    base.grow(2, 1);
    await node.submit(base.blocks(base.tipHeight - 1));
    await index.reaches(tipOf(base));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, base);
  });

  it('a node whose chain gets shorter, then longer on the same and on another branch', async () => {
    const node = await makeNode(begin.blocks());
    const db = newDb();
    const index = await makeIndex(db, node);
    await index.reaches(tipOf(begin));
    const doubted = toDisplayHash(begin.chain.blocks[begin.tipHeight - 3].hash);
    await node.rpc('invalidateblock', doubted);
    await index.until('notice', async () => (await index.get('/ready')).status === 503);
    // Nothing is given up for a node that is only behind.
    expect(await index.rpc('metashrew_height')).toBe(String(begin.tipHeight));
    await node.rpc('reconsiderblock', doubted);
    await index.until('end of it', async () => (await index.get('/ready')).status === 200);
    await node.rpc('invalidateblock', doubted);
    const other = begin.fork(begin.tipHeight - 4);
    await node.submit(other.grow(2, 3));
    // Two blocks lower than what was indexed, and still another chain.
    await index.reaches(tipOf(other));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, other);
  });

  it('a node that serves a stale branch for a while', async () => {
    const node = await makeNode(begin.blocks());
    const db = newDb();
    const index = await makeIndex(db, node);
    await index.reaches(tipOf(begin));
    // As long as the branch that has more work, so that only the hash of its tip gives it away.
    const best = toDisplayHash(begin.chain.blocks[begin.tipHeight - 2].hash);
    await node.rpc('invalidateblock', best);
    const stale = begin.fork(begin.tipHeight - 3);
    await node.submit(stale.grow(3, 2));
    await index.reaches(tipOf(stale));
    await node.rpc('invalidateblock', toDisplayHash(stale.chain.blocks[begin.tipHeight - 2].hash));
    await node.rpc('reconsiderblock', best);
    await index.reaches(tipOf(begin));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, begin);
  });

  it('a node that restarts with a new cookie', async () => {
    const node = await makeNode(begin.blocks(), { cookie: true });
    const branch = begin.fork(begin.tipHeight);
    const db = newDb();
    const index = await makeIndex(db, node);
    await index.reaches(tipOf(begin));
    await node.stop();
    await node.up();
    await node.submit(branch.grow(2, 1));
    await index.reaches(tipOf(branch));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, branch);
  });

  it('a node that is killed during the download, and one with a work queue of one', async () => {
    const base = begin.fork(begin.tipHeight);
    base.grow(80, 1);
    const node = await makeNode(base.blocks(), { args: ['-rpcworkqueue=1', '-rpcthreads=1'] });
    const db = newDb();
    const index = await makeIndex(db, node);
    await index.until('first block', async () => Number(await index.rpc('metashrew_height')) > 0);
    await node.kill();
    await node.up();
    // It has forgotten the last blocks, and comes to have them again.
    await node.submit(base.blocks(1));
    await index.reaches(tipOf(base));
    expect(await index.stop()).toBe(0);
    await expectSameAsFresh(db, base);
  });

  it('stops at a reorg deeper than what can be undone, keeps answering, and says how to go on', async () => {
    const node = await makeNode(begin.blocks());
    const db = newDb();
    const index = await makeIndex(db, node, ['--keep-undo', '3']);
    await index.reaches(tipOf(begin));
    const other = begin.fork(begin.tipHeight - 5);
    await node.submit(other.grow(6, 2));
    await index.until('failure', async () => (await index.get('/health')).body.includes('CHAIN_REORG_TOO_DEEP'));
    expect(await index.rpc('metashrew_height')).toBe(String(begin.tipHeight));
    expect(await index.stop()).not.toBe(0);
  });

  it('refuses a node of another chain', async () => {
    const node = await makeNode(begin.blocks());
    const index = await IndexProcess.start(newDb(), node, ['--network', 'mainnet', '--exit-on-failure']);
    open.push(() => index.kill());
    expect(await index.exited).not.toBe(0);
    expect(index.errors).toContain('CHAIN_WRONG_NETWORK');
  });

  it('goes on after kill -9, at the exact height that --exit-at names', async () => {
    const node = await makeNode(begin.blocks());
    const db = newDb();
    const first = await makeIndex(db, node);
    await first.until('half', async () => Number(await first.rpc('metashrew_height')) > 30);
    await first.kill();
    const second = await makeIndex(db, node, ['--exit-at', String(begin.tipHeight - 1)]);
    expect(await second.exited, second.errors).toBe(0);
    await expectSameAsFresh(db, begin.fork(begin.tipHeight - 2));
  });

  it('is started by the command line of rockshrew-mono with every flag that it has', async () => {
    const node = await makeNode(begin.blocks());
    const db = newDb();
    const port = await freePort();
    const line = `--daemon-rpc-url ${node.url} --auth u:p --indexer ${MODULE} --db-path ${db}
      --start-block 0 --host 127.0.0.1 --port ${port} --cors * --label my://regtest --pipeline-size 10
      --max-reorg-depth 100 --reorg-check-threshold 6 --snapshot-interval 1000
      --snapshot-directory ${folder}/snapshots --repo ${folder}/snapshots --prefixroot tip:0x746970 --enable-preview
      --fork ${folder}/theirs --legacy-fork --no-startup-heal --enable-spv --spv-type regtest --prefetch-size 64
      --view-concurrency 16 --view-memory-mb 256 --view-memory-floor-mb 8192 --view-memory-floor-refresh-ms 1000
      --view-runtime-workers 4 --enable-view-pool --view-pool-size 3 --view-pool-max-concurrent 9 --view-pool-logging
      --indexer-cores 0 --indexer-nice 0 --view-nice 0 --disable-lru-cache --disable-wasmtime-log
      --exit-at ${begin.tipHeight + 1}`;
    const words = line.split(/\s+/);
    const flags = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    expect(flags.sort()).toEqual(Object.keys(ROCKSHREW_FLAGS).sort());
    const index = IndexProcess.asRockshrew(port, words);
    open.push(() => index.kill());
    expect(await index.exited, index.errors).toBe(0);
    await expectSameAsFresh(db, begin);
    // What has no meaning here is a warning with its reason.
    const lines = index.errors.split('\n').filter((text) => text.startsWith('{"level"'));
    const warned = lines.map((text) => JSON.parse(text)).filter(({ level }) => level !== 'info');
    expect(warned.filter(({ level }) => level !== 'warn')).toEqual([]);
    const none = Object.entries(ROCKSHREW_FLAGS).filter(([, { verdict }]) => verdict === 'none');
    expect(warned.map(({ setting }) => setting)).toEqual(expect.arrayContaining(none.map(([flag]) => `--${flag}`)));
  });
});
