import { expect, it } from 'vitest';
import { StoreIndexer } from '../../src/follow/store-indexer.js';
import type { BlockIndexer, IndexOptions } from '../../src/pipeline/block-indexer.js';

/** What a block that is so many blocks behind is indexed with. */
async function optionsOf(behind: number | undefined, keepUndo: number | undefined, rootEvery?: number) {
  let given: IndexOptions | undefined;
  const blocks: Pick<BlockIndexer, 'index'> = {
    index: async (_, options) => {
      given = options;
      return {} as never;
    },
  };
  const indexer = new StoreIndexer(blocks as BlockIndexer, { keepUndo, rootEvery });
  await indexer.index({ height: 7, hash: new Uint8Array(32), raw: new Uint8Array(80) }, undefined, behind);
  return given;
}

it('blocks are final and stored together where no reorg that can be followed reaches them', async () => {
  expect(await optionsOf(100, 100, 8)).toMatchObject({ final: true, together: 8 });
  expect(await optionsOf(101, 100)).toMatchObject({ final: true, together: 1 });
  expect(await optionsOf(99, 100, 8)).toMatchObject({ final: false, together: 1 });
  expect(await optionsOf(0, 1)).toMatchObject({ final: false });
  expect(await optionsOf(1, 1)).toMatchObject({ final: true });
  expect(await optionsOf(undefined, 100)).toMatchObject({ final: false });
  expect(await optionsOf(1_000_000, undefined)).toMatchObject({ final: false, together: 1 });
});
