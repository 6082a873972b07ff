import type { BlockIndexer, IndexedBlock, StartedBlock, VerifiedBlock } from './block-indexer.js';

/** A block as a source gives it. */
export interface RawBlock {
  readonly height: number;
  readonly raw: Uint8Array;
}

/** The block after the one in hand, or why there is none that can be indexed. */
type Following =
  | { readonly kind: 'block'; readonly block: VerifiedBlock }
  | { readonly kind: 'bad'; readonly error: unknown }
  | { readonly kind: 'end' };

/**
 * Indexes blocks in order, from the one after the store's tip on, and yields each when it is stored.
 *
 * While the standard module runs block h in its thread, this thread does the parallel lane of h, then takes block h + 1 from the
 * source and verifies it. As soon as the module is done with h it goes on with h + 1, reading what h wrote from its own memory,
 * and this thread stores h meanwhile. One block is taken ahead, no more: sources bound what they fetch ahead themselves.
 *
 * Throws what `BlockIndexer.index` throws, and what the source throws, when every block before has been yielded. Ends when the
 * source does; a consumer that stops early leaves the store at the last yielded block. The standard lane must be closed before the
 * store is.
 */
export async function* indexBlocks(
  indexer: BlockIndexer,
  blocks: Iterable<RawBlock> | AsyncIterable<RawBlock>,
): AsyncGenerator<IndexedBlock, void, void> {
  const source = iterate(blocks);
  let current: StartedBlock | undefined;
  try {
    const first = await takeNext(indexer, source, indexer.store.tip()?.hash);
    if (first.kind === 'bad') throw first.error;
    if (first.kind === 'block') current = indexer.start(first.block, false);
    while (current !== undefined) {
      const lane = await indexer.runLane(current);
      const next = await takeNext(indexer, source, current.block.hash);
      let ahead: StartedBlock | undefined;
      const done: IndexedBlock = await indexer.commit(current, lane, () => {
        if (next.kind === 'block') ahead = indexer.start(next.block, true);
      });
      current = ahead;
      yield done;
      if (next.kind === 'bad') throw next.error;
    }
  } finally {
    // A run that was started ahead is left to itself: its result is dropped, and closing the lane ends it.
    await source.return?.();
  }
}

function iterate(blocks: Iterable<RawBlock> | AsyncIterable<RawBlock>): Iterator<RawBlock> | AsyncIterator<RawBlock> {
  return Symbol.asyncIterator in blocks ? blocks[Symbol.asyncIterator]() : blocks[Symbol.iterator]();
}

/** Takes the next block from the source and verifies it. An error is kept: the block in hand is to be stored first. */
async function takeNext(
  indexer: BlockIndexer,
  source: Iterator<RawBlock> | AsyncIterator<RawBlock>,
  previousHash: Uint8Array | undefined,
): Promise<Following> {
  try {
    const { value, done } = await source.next();
    if (done) return { kind: 'end' };
    return { kind: 'block', block: indexer.verify(value.raw, value.height, previousHash) };
  } catch (error) {
    return { kind: 'bad', error };
  }
}
