import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { NodeRpc } from '../../src/chain/node-rpc.js';
import { NodeSource } from '../../src/chain/node-source.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { toDisplayHash, u32Bytes } from '../../src/util/bytes.js';
import {
  collect,
  expectChain,
  fileOf,
  folder,
  KEY,
  longer,
  MAGIC,
  main,
  never,
  open,
  raws,
  record,
  stale,
  TIP,
  useFolders,
  useKey,
  withNode,
  write,
} from './block-folder.js';
import { still } from './clock.js';
import { errorOf } from './errors.js';
import { FakeNode } from './fake-node.js';

useFolders();

describe('block files and a node', () => {
  it('give the chain that the node names, and the node what the files lack', async () => {
    useKey();
    write(0, raws([...main, ...stale.slice(13)]).map(record));
    const logs: string[] = [];
    const { node, source } = await withNode(longer, { log: (message) => logs.push(message) });
    expect(await source.tip()).toEqual({ height: TIP + 5, hash: longer[TIP + 5].hash });
    expect(await source.genesis()).toEqual(main[0].hash);
    expectChain(await collect(source), longer);
    expect(source.statistics).toMatchObject({ readFromFiles: 21, readFromNode: 15, unreadable: 0 });
    expect(logs.filter((message) => message.includes('lack blocks')).length).toBe(1);
    // Those come into the files.
    write(1, raws(longer.slice(21)).map(record));
    const before = node.requests.length;
    expectChain(await collect(source, 15), longer.slice(15), 15);
    expect(source.statistics).toMatchObject({ readFromFiles: 42, readFromNode: 15 });
    expect(node.requests.slice(before).some(({ body }) => body.includes('"getblock"'))).toBe(false);
    node.serve(stale);
    expectChain(await collect(source), stale);
  });

  it('go on where a file is deleted, cut or overwritten after it was indexed', async () => {
    write(0, raws(main.slice(0, 10)).map(record));
    write(1, raws(main.slice(10, 20)).map(record));
    write(2, raws(main.slice(20)).map(record));
    const { source } = await withNode(main);
    expectChain(await collect(source), main);
    rmSync(fileOf(0));
    truncateSync(fileOf(1), 100);
    writeFileSync(fileOf(2), readFileSync(fileOf(2)).fill(7));
    expectChain(await collect(source), main);
    expect(source.statistics).toMatchObject({ readFromFiles: 31, readFromNode: 31, unreadable: 31 });
  });

  it('end at once when aborted while a node is asked for what is missing', async () => {
    write(0, raws(main.slice(0, 5)).map(record));
    const { node, source } = await withNode(main);
    node.prank = ({ body }) => body.includes('"getblock"');
    const abort = new AbortController();
    const blocks = source.blocks(4, TIP, abort.signal);
    expect((await blocks.next()).value?.height).toBe(4);
    const next = blocks.next();
    await expect.poll(() => node.requests.filter(({ body }) => body.includes('"getblock"')).length).toBe(4);
    abort.abort();
    expect((await next).done).toBe(true);
  });

  it('give a block whose transactions are damaged from the node, once it is asked for again', async () => {
    useKey();
    const damaged = new Map([7, 9].map((height) => [height, main[height].raw.slice()]));
    for (const raw of damaged.values()) raw[raw.length - 1] ^= 1;
    write(
      0,
      raws(main).map((raw, height) => record(damaged.get(height) ?? raw)),
    );
    const logs: unknown[] = [];
    const { source } = await withNode(main, {
      log: (message, facts) => logs.push([message, facts.height, facts.code]),
    });
    const seen: ChainBlock[] = [];
    // As a follower does: it begins again at the block that it refused, with others fetched ahead of it.
    for (let next = 0; next <= TIP; ) {
      for await (const block of source.blocks(next, TIP, never)) {
        try {
          verifyBlock(BlockOffsets.read(block.raw));
        } catch {
          break;
        }
        seen.push(block);
        next++;
      }
    }
    expectChain(seen, main);
    expect(source.statistics).toMatchObject({ readFromNode: 2, unreadable: 2, damaged: 2 });
    expect(logs.slice(2)).toEqual([
      ['some blocks in the block files are damaged: reading them from the node', 7, 'BLOCK_BAD_MERKLE_ROOT'],
    ]);
    // A sound block that is asked for again stays with the files.
    expectChain(await collect(source, 20), main.slice(20), 20);
    expect(source.statistics).toMatchObject({ readFromNode: 2, damaged: 2 });
  });

  it('are opened while the node is away, and go on when it comes', async () => {
    write(0, raws(main).map(record));
    const { node, source } = await withNode(main, { network: 'regtest' });
    const { port } = node;
    await node.stop();
    expect((await errorOf(source.tip())).code).toBe('NODE_UNREACHABLE');
    expect((await errorOf(collect(source))).code).toBe('NODE_UNREACHABLE');
    await node.listen(port);
    expect((await source.tip()).height).toBe(TIP);
    expectChain(await collect(source), main);
    expect(source.statistics).toMatchObject({ readFromFiles: TIP + 1, readFromNode: 0 });
  });

  it('must be of one network', async () => {
    write(0, raws(main).map(record));
    const node = await FakeNode.start(main);
    node.info = { chain: 'main' };
    const nodeSource = new NodeSource(new NodeRpc({ url: node.url }));
    onTestFinished(() => nodeSource.close());
    const told = await errorOf(open({ node: nodeSource, network: 'mainnet' }));
    expect([told.code, told.facts.network]).toEqual(['BLOCK_FILES_NETWORK', 'mainnet']);
    const source = await open({ node: nodeSource });
    const error = await errorOf(source.tip());
    expect([error.code, error.facts.network]).toEqual(['BLOCK_FILES_NETWORK', 'mainnet']);
    expect((await errorOf(collect(source, 0, 1))).code).toBe('BLOCK_FILES_NETWORK');
  });
});

describe('block files that are refused', () => {
  it('are none, or cannot be read', async () => {
    expect((await errorOf(open())).code).toBe('BLOCK_FILES_UNREADABLE');
    expect((await errorOf(open({ folder: join(folder, 'nowhere') }))).code).toBe('BLOCK_FILES_UNREADABLE');
  });

  it('are of another network, or read without their key', async () => {
    write(0, raws(main).map(record));
    expect((await errorOf(open({ network: 'mainnet' }))).code).toBe('BLOCK_FILES_NETWORK');
    writeFileSync(join(folder, 'xor.dat'), KEY);
    expect((await errorOf(open())).code).toBe('BLOCK_FILES_XOR');
    writeFileSync(join(folder, 'xor.dat'), KEY.subarray(1));
    expect((await errorOf(open())).code).toBe('BLOCK_FILES_XOR');
    writeFileSync(join(folder, 'xor.dat'), new Uint8Array(8));
    expect((await (await open()).tip()).height).toBe(TIP);
  });

  it.each([undefined, 'regtest'] as const)(
    'name a missing, zeroed or foreign xor.dat (network %s)',
    async (network) => {
      useKey();
      write(0, raws(main).map(record));
      const wrong = async (expected: RegExp): Promise<void> => {
        const error = await errorOf(open({ network }));
        expect(error.code).toBe('BLOCK_FILES_XOR');
        expect(error.facts['xor.dat']).toMatch(expected);
        const node = await FakeNode.start(main);
        const withNode = new NodeSource(new NodeRpc({ url: node.url, clock: still() }));
        onTestFinished(() => withNode.close());
        expect((await errorOf(open({ network, node: withNode }))).code).toBe('BLOCK_FILES_XOR');
      };
      writeFileSync(join(folder, 'xor.dat'), new Uint8Array(8));
      await wrong(/zeros/);
      writeFileSync(join(folder, 'xor.dat'), KEY.toReversed());
      await wrong(/other files/);
      rmSync(join(folder, 'xor.dat'));
      await wrong(/missing/);
      writeFileSync(join(folder, 'xor.dat'), KEY);
      expect((await (await open({ network })).tip()).height).toBe(TIP);
    },
  );

  it('of a pruned node name what xor.dat is, too', async () => {
    useKey();
    write(7, raws(main.slice(5)).map(record));
    rmSync(join(folder, 'xor.dat'));
    const told = await errorOf(open());
    expect([told.code, told.facts['xor.dat']]).toEqual(['BLOCK_FILES_NETWORK', 'missing']);
    const error = await errorOf((await open({ network: 'regtest' })).tip());
    expect([error.code, error.facts['xor.dat'], error.facts.blocks]).toEqual(['BLOCK_FILES_NO_CHAIN', 'missing', 0]);
    const logs: unknown[] = [];
    const { source } = await withNode(main, { log: (message, facts) => logs.push([message, facts['xor.dat']]) });
    expectChain(await collect(source), main);
    expect(logs).toContainEqual(['no block was found in the block files: check the network and xor.dat', 'missing']);
  });

  it('lack the first block, or one of the chain', async () => {
    write(0, raws(main.slice(1)).map(record));
    const pruned = await open();
    const error = await errorOf(pruned.tip());
    expect([error.code, error.facts.blocks]).toEqual(['BLOCK_FILES_NO_CHAIN', TIP]);
    expect(await pruned.genesis()).toBeUndefined();
    expect(await collect(pruned)).toEqual([]);
    write(0, raws(main).map(record));
    const source = await open();
    await source.tip();
    rmSync(fileOf(0));
    const missing = await errorOf(collect(source, 3));
    expect([missing.code, missing.facts.hash]).toEqual(['BLOCK_FILES_MISSING_BLOCK', toDisplayHash(main[3].hash)]);
  });

  it('hold nothing but noise', async () => {
    const noise = new Uint8Array(700_000);
    for (let i = 0, state = 1; i < noise.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      noise[i] = state >>> 24;
    }
    write(0, [noise, MAGIC, u32Bytes(4_000_000), noise]);
    const source = await open({ network: 'regtest' });
    expect((await errorOf(source.tip())).code).toBe('BLOCK_FILES_NO_CHAIN');
    expect(source.statistics.indexed).toBe(0);
  });
});
