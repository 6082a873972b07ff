import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { type BlockFilesOptions, BlockFilesSource } from '../../src/chain/block-files.js';
import { NodeRpc } from '../../src/chain/node-rpc.js';
import { NodeSource } from '../../src/chain/node-source.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { concatBytes, fromHex, toDisplayHash, toHex, u32Bytes } from '../../src/util/bytes.js';
import { CHAIN } from '../helpers/cli.js';
import { branch } from './blocks.js';
import { still } from './clock.js';
import { errorOf } from './errors.js';
import { FakeNode } from './fake-node.js';

const MAGIC = fromHex('fabfb5da');
const KEY = fromHex('a1b2c3d4e5f60718');
const TIP = 30;
const main = branch(TIP);
const stale = branch(TIP - 4, 'stale', 12);
const longer = branch(TIP + 5, 'longer', 20);
const raws = (blocks: readonly { raw: Uint8Array }[]): Uint8Array[] => blocks.map(({ raw }) => raw);
const never = new AbortController().signal;

let folder: string;
let xorKey: Uint8Array | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpshrew-blk-'));
  xorKey = undefined;
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const record = (raw: Uint8Array): Uint8Array => concatBytes(MAGIC, u32Bytes(raw.length), raw);
const fileOf = (number: number): string => join(folder, `blk${String(number).padStart(5, '0')}.dat`);

/** Writes a block file of parts: a node's key combined with all but the padding. */
function write(number: number, parts: readonly Uint8Array[], padding = 0): void {
  const bytes = concatBytes(...parts);
  const { length } = KEY;
  const key = xorKey;
  writeFileSync(fileOf(number), key ? bytes.map((byte, i) => byte ^ key[i % length]) : bytes);
  if (padding > 0) appendFileSync(fileOf(number), new Uint8Array(padding));
}

function useKey(): void {
  xorKey = KEY;
  writeFileSync(join(folder, 'xor.dat'), KEY);
}

async function open(options: Partial<BlockFilesOptions> = {}): Promise<BlockFilesSource> {
  const source = await BlockFilesSource.open({ folder, refreshMs: 0, pollMs: 10, ...options });
  onTestFinished(() => source.close());
  return source;
}

async function withNode(blocks: Parameters<typeof FakeNode.start>[0], options: Partial<BlockFilesOptions> = {}) {
  const node = await FakeNode.start(blocks);
  const rpc = new NodeRpc({ url: node.url, clock: still(), attempts: 2 });
  return { node, source: await open({ node: new NodeSource(rpc), ...options }) };
}

async function collect(source: BlockFilesSource, from = 0, to = 1000): Promise<ChainBlock[]> {
  const all: ChainBlock[] = [];
  for await (const block of source.blocks(from, to, never)) all.push(block);
  return all;
}

/** Holds what a source gives against the blocks of a chain. */
function expectChain(blocks: readonly ChainBlock[], chain: readonly { raw: Uint8Array }[], from = 0): void {
  expect(blocks.map(({ height }) => height)).toEqual(chain.map((_, i) => from + i));
  expect(blocks.map(({ raw }) => toHex(raw))).toEqual(chain.map(({ raw }) => toHex(raw)));
}

/** The same order in every run, but none of a chain's. */
const shuffled = <T>(list: readonly T[]): T[] => list.map((_, i) => list[(i * 7 + 3) % list.length]);

describe.each([false, true])('block files, with a key: %s', (keyed) => {
  beforeEach(() => {
    if (keyed) useKey();
  });

  it('of the bundled chain give it whole', async () => {
    const chain = [...openSource(CHAIN).blocks()];
    write(0, raws(chain.slice(0, 100)).map(record), 5000);
    write(1, raws(chain.slice(100)).map(record));
    const source = await open();
    expect([source.network, (await source.tip()).height]).toEqual(['regtest', chain.length - 1]);
    expectChain(await collect(source), chain);
    expect(source.statistics).toMatchObject({ files: 2, indexed: chain.length, skippedBytes: 0 });
  });

  it('in any order, with stale blocks, doubles, padding and a cut end, give the chain with the most work', async () => {
    const all = [...main, ...stale.slice(13), main[4]];
    // Of 43 blocks, and 7 * i + 3 takes each once.
    const order = shuffled(all);
    expect(new Set(order).size).toBe(new Set(all).size);
    const records = raws(order).map(record);
    const cut = record(stale[TIP - 4].raw).subarray(0, 150);
    write(0, [...records.slice(0, 10), new Uint8Array(333), ...records.slice(10, 15)], 100_000);
    write(1, [
      new Uint8Array(300_000),
      ...records.slice(15, 30),
      MAGIC,
      MAGIC,
      u32Bytes(0xffffffff),
      ...records.slice(30),
    ]);
    write(3, [cut]);
    const source = await open({ network: 'regtest' });
    expect(await source.tip()).toEqual({ height: TIP, hash: main[TIP].hash });
    expect(await source.genesis()).toEqual(main[0].hash);
    expect(await source.hashAt(17)).toEqual(main[17].hash);
    expect(await source.hashAt(TIP + 1)).toBeUndefined();
    expectChain(await collect(source), main);
    expectChain(await collect(source, 5, 9), main.slice(5, 10), 5);
    expect(source.statistics).toMatchObject({
      files: 3,
      indexed: new Set(all).size,
      skippedBytes: 333 + 300_000 + 12,
      readFromNode: 0,
    });
  });

  it('that are being written are read on, and another chain is followed when it has more work', async () => {
    const [first, second] = raws(main.slice(10, 12)).map(record);
    write(0, [...raws(main.slice(0, 10)).map(record), first, second.subarray(0, 150)]);
    const source = await open();
    expect((await source.tip()).height).toBe(10);
    const changed = source.changed(60_000, never);
    write(0, [...raws(main.slice(0, 10)).map(record), first, second], 500);
    await changed;
    expect((await source.tip()).height).toBe(11);
    write(1, raws([...longer.slice(12), ...main.slice(12)]).map(record));
    expect(await source.tip()).toEqual({ height: TIP + 5, hash: longer[TIP + 5].hash });
    expect(await source.hashAt(20)).toEqual(main[20].hash);
    expect(await source.hashAt(21)).toEqual(longer[21].hash);
    expectChain(await collect(source), longer);
    expect(source.statistics.indexed).toBe(TIP + 1 + 15);
  });
});

describe.each([false, true])('a torn copy of a block, with a key: %s', (keyed) => {
  beforeEach(() => {
    if (keyed) useKey();
  });

  /** A record whose header was written and whose transactions were not. */
  const torn = (raw: Uint8Array): Uint8Array =>
    record(concatBytes(raw.subarray(0, 80), new Uint8Array(raw.length - 80)));
  /** As who indexes does: what is not valid is asked for again. */
  async function indexed(source: BlockFilesSource): Promise<ChainBlock[]> {
    const seen: ChainBlock[] = [];
    for (let tries = 0; tries < 5 && (await source.tip()).height >= seen.length; tries++) {
      for await (const block of source.blocks(seen.length, 1000, never)) {
        try {
          verifyBlock(BlockOffsets.read(block.raw));
        } catch {
          break;
        }
        seen.push(block);
      }
    }
    return seen;
  }

  it('before its whole copy hides nothing, wherever that lies', async () => {
    const records = raws(main).map(record);
    write(0, [
      ...records.slice(0, 4),
      torn(main[4].raw),
      torn(main[4].raw),
      ...records.slice(4, 20),
      torn(main[25].raw),
    ]);
    write(1, records.slice(20, 25));
    write(2, [...records.slice(26), torn(main[25].raw), records[25]]);
    const logs: string[] = [];
    const source = await open({ network: 'regtest', log: (message) => logs.push(message) });
    expect((await source.tip()).height).toBe(TIP);
    // Of several places the first sound one is taken at once.
    expectChain(await collect(source), main);
    expectChain(await collect(source), main);
    expect(source.statistics).toMatchObject({
      readFromFiles: 2 * (TIP + 1),
      otherCopies: 2,
      unreadable: 0,
      damaged: 0,
    });
    expect(logs.filter((message) => message.includes('reading other copies')).length).toBe(1);
  });

  it('that later records were written over hides neither them nor its whole copy', async () => {
    const records = raws(main).map(record);
    // The frame of block 6 was begun, then blocks 4, 5 and 6 were written over what followed its header.
    const over = concatBytes(...records.slice(4, 8)).subarray(0, 5000);
    const frame = concatBytes(MAGIC, u32Bytes(over.length - 7), main[6].raw.subarray(0, 80), over);
    write(0, [...records.slice(0, 4), frame, ...records.slice(8)]);
    const source = await open({ network: 'regtest' });
    expect((await source.tip()).height).toBe(TIP);
    expectChain(await indexed(source), main);
  });

  it('whose length ends where another record begins is searched when it turns out to be torn', async () => {
    const records = raws(main).map(record);
    const inner = concatBytes(...records.slice(4, 8));
    const frame = record(concatBytes(main[4].raw.subarray(0, 80), inner));
    write(0, [...records.slice(0, 4), frame, ...records.slice(8)]);
    const source = await open({ network: 'regtest' });
    // Blocks 5 to 7 lie within the torn record of block 4, and nothing says so before that is read.
    expect((await source.tip()).height).toBe(4);
    expectChain(await indexed(source), main);
    expect((await source.tip()).height).toBe(TIP);
  });

  it('without another one stays refused without a node, and comes from the node with one', async () => {
    const records = raws(main).map(record);
    write(0, [...records.slice(0, 4), torn(main[4].raw), ...records.slice(5)]);
    const source = await open({ network: 'regtest' });
    expectChain(await indexed(source), main.slice(0, 4));
    expect(toHex((await collect(source, 4, 4))[0].raw)).toBe(toHex(torn(main[4].raw).subarray(8)));
    const { source: helped } = await withNode(main);
    expectChain(await indexed(helped), main);
    expect(helped.statistics).toMatchObject({ readFromNode: 1, damaged: 1, otherCopies: 0 });
  });
});

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

  it('give a block of which the transactions are damaged from the node, once who indexes it has asked again', async () => {
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
