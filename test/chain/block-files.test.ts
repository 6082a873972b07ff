import { beforeEach, describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import type { BlockFilesSource } from '../../src/chain/block-files.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { concatBytes, toHex, u32Bytes } from '../../src/util/bytes.js';
import { CHAIN } from '../helpers/cli.js';
import {
  collect,
  expectChain,
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

useFolders();

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
