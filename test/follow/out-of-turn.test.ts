import { expect, test } from 'vitest';
import { followUntilCalm, grow, hashesOf, ROOT_CHAIN, ToyIndex, ToySource } from './helpers.js';

const CHAIN = grow(ROOT_CHAIN, 'a', 12);

test('a block served out of order is never passed to the index, not even as the first of an empty one', async () => {
  for (const [at, served] of [
    [0, 3],
    [5, 6],
    [7, 2],
  ]) {
    const source = new ToySource(CHAIN);
    let lies = 1;
    source.serve = (block) => (block.height === at && lies-- > 0 ? CHAIN[served] : block);
    const index = new ToyIndex();
    const given: number[] = [];
    index.refuse = ({ height }) => {
      given.push(height);
      return false;
    };
    const { follower } = await followUntilCalm(source, index);
    expect(index.hashes).toEqual(hashesOf(CHAIN));
    expect(given).toEqual(CHAIN.map(({ height }) => height));
    expect(follower.status).toMatchObject({ badBlocks: 0, retries: 1 });
  }
});
