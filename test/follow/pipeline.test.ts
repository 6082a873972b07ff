import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inSharedMemory } from '../../src/bitcoin/block-offsets.js';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource, type SourceBlock } from '../../src/bitcoin/sources.js';
import { InputError } from '../../src/errors/errors.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { BlockIndexer, type IndexedBlock } from '../../src/pipeline/block-indexer.js';
import { BlockReader } from '../../src/pipeline/block-reader.js';
import { lookAhead } from '../../src/pipeline/look-ahead.js';
import { readExpectedRoots } from '../../src/replay/expected-roots.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { withoutRoots } from '../../src/store/records.js';
import { Store } from '../../src/store/store.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';

const roots = readExpectedRoots(CHAIN);
/** The fixture chain's first blocks; from 101 on they spend. */
const blocks = (to: number): SourceBlock[] => [...openSource(CHAIN).blocks(0, to)];

/** `apart`: the blocks that come next are read by another thread. */
async function indexWith<T>(apart: boolean, use: (indexer: BlockIndexer) => Promise<T>): Promise<T> {
  const moduleBytes = defaultIndexer();
  const store = await Store.open(join(temporaryFolder(), 'db'), {
    network: 'regtest',
    moduleHash: StandardIndexer.hashOf(moduleBytes),
  });
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
  const reader = apart && store.handle !== undefined ? new BlockReader(store.handle) : undefined;
  try {
    return await use(new BlockIndexer(store, engine, standard, reader, 0));
  } finally {
    await reader?.close();
    await standard.close();
    await engine.close();
    await store.close();
  }
}

/** Indexes blocks as they come, and looks one ahead. */
async function* indexAll(indexer: BlockIndexer, list: Iterable<SourceBlock>): AsyncGenerator<IndexedBlock> {
  for await (const { item, following } of lookAhead(list)) yield await indexer.index(item, { following });
}

/** Everything that is yielded until it ends or throws. */
async function heightsOf(
  indexer: BlockIndexer,
  list: Iterable<SourceBlock>,
): Promise<{ heights: number[]; error: unknown }> {
  const heights: number[] = [];
  try {
    for await (const { height, roots: found } of indexAll(indexer, list)) {
      expect(found?.state).toBe(roots.get(height));
      expect(indexer.store.tip()?.height).toBe(height);
      heights.push(height);
    }
  } catch (error) {
    return { heights, error };
  }
  return { heights, error: undefined };
}

describe.each([
  ['in this thread', false],
  ['ahead, in another thread', true],
])('blocks read %s', (_, apart) => {
  const withIndexer = <T>(use: (indexer: BlockIndexer) => Promise<T>): Promise<T> => indexWith(apart, use);

  test('every block has the known root of the chain, also when blocks come one by one after a stop', async () => {
    await withIndexer(async (indexer) => {
      const list = blocks(112);
      const read = [];
      for await (const { height, ms } of indexAll(indexer, list)) {
        if (ms.ahead > 0) read.push(height);
        if (height === 104) break;
      }
      expect(read.length).toBe(apart ? 104 : 0);
      expect(indexer.store.tip()?.height).toBe(104);
      await indexer.index(list[105]);
      expect(indexer.store.roots(105)?.state).toBe(roots.get(105));
      const { heights, error } = await heightsOf(indexer, list.slice(106));
      expect(error).toBeUndefined();
      expect(heights).toEqual([106, 107, 108, 109, 110, 111, 112]);
      expect(await heightsOf(indexer, [])).toEqual({ heights: [], error: undefined });
    });
  });

  test('blocks that may be stored together have the known roots where they have any, and the same states', async () => {
    await withIndexer(async (indexer) => {
      const { store } = indexer;
      const list = blocks(112);
      const rooted: number[] = [];
      for await (const { item, following } of lookAhead(list)) {
        const { height, roots: found } = await indexer.index(item, { following, together: 5 });
        if (found === undefined) continue;
        rooted.push(height);
        expect(found.state).toBe(roots.get(height));
        expect(store.tip()?.height).toBe(height);
      }
      // Groups end at every fifth block, before and with a block of lane transactions, and with the last one.
      expect(rooted.length).toBeGreaterThan(22);
      expect(rooted.length).toBeLessThan(100);
      expect(rooted.at(-1)).toBe(112);
      const together = store.rawContent();
      await withIndexer(async (other) => {
        await heightsOf(other, list);
        const one = other.store.rawContent();
        for (const [row, value] of one) {
          const own = together.get(row);
          if (own !== value) expect(own).toBe(toHex(withoutRoots(fromHex(value))));
        }
        expect(together.size).toBe(one.size);
      });
    });
  });

  test('blocks that wait to be stored with others are stored before an error is told, and when asked', async () => {
    await withIndexer(async (indexer) => {
      const { store } = indexer;
      const list = blocks(12);
      const spoilt = list[4].raw.slice();
      spoilt[40] ^= 1;
      const index = (height: number, raw = list[height].raw) =>
        indexer.index({ height, raw }, { following: (distance = 1) => list[height + distance], together: 100 });
      for (let height = 0; height < 4; height++) expect((await index(height)).roots).toBeUndefined();
      expect(store.tip()).toBeUndefined();
      await expect(index(4, spoilt)).rejects.toMatchObject({ code: 'BLOCK_BAD_PROOF_OF_WORK' });
      expect(store.tip()?.height).toBe(3);
      expect(store.roots(3)?.state).toBe(roots.get(3));
      for (let height = 4; height < 9; height++) await index(height);
      expect(store.tip()?.height).toBe(3);
      indexer.settle();
      expect(store.roots(8)?.state).toBe(roots.get(8));
      // Another block than the module was given to run ahead.
      await index(9);
      expect((await indexer.index(list[10])).roots?.state).toBe(roots.get(10));
      expect(store.roots(9)?.state).toBe(roots.get(9));
    });
  });

  test('a bad block, or a source that fails, comes after every block before it', async () => {
    await withIndexer(async (indexer) => {
      const list = blocks(8);
      const spoilt = list[4].raw.slice();
      spoilt[40] ^= 1;
      const bad = await heightsOf(indexer, [...list.slice(0, 4), { height: 4, raw: spoilt }, ...list.slice(5)]);
      expect(bad.heights).toEqual([0, 1, 2, 3]);
      expect(bad.error).toBeInstanceOf(InputError);
      expect(bad.error).toMatchObject({ code: 'BLOCK_BAD_PROOF_OF_WORK', facts: { block: expect.any(String) } });
      const failing = function* () {
        yield* list.slice(4, 7);
        throw new Error('the source broke');
      };
      const broken = await heightsOf(indexer, failing());
      expect(broken.heights).toEqual([4, 5, 6]);
      expect(broken.error).toMatchObject({ message: 'the source broke' });
      const skipped = await heightsOf(indexer, [list[8]]);
      expect(skipped).toMatchObject({ heights: [], error: { code: 'BLOCK_WRONG_PREVIOUS_HASH' } });
    });
  });

  test('the module reads what the block before wrote, stored or not', async () => {
    await withIndexer(async (indexer) => {
      const list = blocks(106);
      await heightsOf(indexer, list.slice(0, 105));
      const { standard } = indexer;
      const run = async (height: number, unstored: number) =>
        (await standard.runBlock(list[height].raw, height, unstored)).pairs;
      const written = await run(105, 0);
      const over = await run(106, 1);
      // A run that does not see block 105 writes something else, or this would show nothing.
      expect(await run(106, 0)).not.toEqual(over);
      await indexer.index(list[105]);
      expect(await run(105, 0)).toEqual(written);
      expect(await run(106, 1)).toEqual(over);
      expect(await run(106, 0)).toEqual(over);
      // Block 106 ran last on a state with 105: what that wrote is not kept any more.
      await expect(standard.runBlock(list[106].raw, 106, 1)).rejects.toMatchObject({ code: 'INTERNAL' });
    });
  });

  test('what was begun ahead is dropped when the chain turns out to be another one', async () => {
    await withIndexer(async (indexer) => {
      const list = blocks(106);
      await heightsOf(indexer, list.slice(0, 104));
      const following = (height: number) => ({ following: (distance = 1) => list[height - 1 + distance] });
      // The module goes on with 105, then block 104 is undone and comes again.
      await indexer.index(list[104], following(105));
      indexer.store.rollback(103);
      await indexer.index(list[104], following(105));
      // 105 was begun on another block 104 for all that the indexer knows.
      indexer.store.rollback(103);
      await expect(indexer.index(list[105])).rejects.toMatchObject({ code: 'BLOCK_WRONG_PREVIOUS_HASH' });
      await indexer.index(list[104], following(105));
      await indexer.index(list[105], following(106));
      await indexer.index(list[106]);
      for (const height of [104, 105, 106]) expect(indexer.store.roots(height)?.state).toBe(roots.get(height));
    });
  });

  test('a block whose root is refused is not stored', async () => {
    await withIndexer(async (indexer) => {
      const list = blocks(3);
      await indexer.index(list[0]);
      const check = (): void => {
        throw new Error('another root');
      };
      await expect(indexer.index(list[1], { following: () => list[2], check })).rejects.toThrow('another root');
      expect(indexer.store.tip()?.height).toBe(0);
      await indexer.index(list[1]);
      await indexer.index(list[2]);
      expect(indexer.store.roots(2)?.state).toBe(roots.get(2));
    });
  });
});

test('a thread that reads blocks takes none after it was closed, and leaves none waiting', async () => {
  await indexWith(false, async ({ store }) => {
    const [first, second] = blocks(1);
    const reader = new BlockReader(store.handle as bigint);
    const previous = sha256d(first.raw.subarray(0, 80));
    expect(await reader.read(inSharedMemory(second.raw), previous)).toMatchObject({ columns: { count: 1 } });
    expect(await reader.read(inSharedMemory(second.raw), new Uint8Array(32))).toBeUndefined();
    const waiting = reader.read(inSharedMemory(second.raw), previous).catch((error: unknown) => error);
    await reader.close();
    const late = await waiting;
    expect(late).toMatchObject(late instanceof Error ? { code: 'INTERNAL' } : { columns: { count: 1 } });
    await expect(reader.read(inSharedMemory(second.raw), previous)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
