import type { ChainBlock } from '../chain/source.js';
import { ProgramError } from '../errors.js';
import type { BlockIndexer, IndexedBlock } from '../pipeline/block-indexer.js';
import { toDisplayHash } from '../util/bytes.js';
import type { IndexedTip, Indexer } from './indexer.js';

export interface StoreIndexerOptions {
  /** Called after each commit. */
  readonly onIndexed?: (block: ChainBlock, result: IndexedBlock) => void;
  /** Wraps the work on every block, from its bytes to its commit. */
  readonly duringIndex?: (block: ChainBlock, act: () => Promise<IndexedBlock>) => Promise<IndexedBlock>;
  /** Wraps every rollback, for those who must know that the state is about to change backwards. */
  readonly duringRollback?: (undo: () => Promise<void>) => Promise<void>;
}

/** Both lanes and the store as what follows a chain sees them. */
export class StoreIndexer implements Indexer {
  constructor(
    private readonly blocks: BlockIndexer,
    private readonly options: StoreIndexerOptions = {},
  ) {}

  tip(): IndexedTip | undefined {
    return this.blocks.store.tip();
  }

  hashAt(height: number): Uint8Array | undefined {
    return this.blocks.store.blockHash(height);
  }

  lowestRollback(): number {
    return this.blocks.store.lowestRollback();
  }

  async index(block: ChainBlock, following?: () => ChainBlock | undefined): Promise<void> {
    const act = (): Promise<IndexedBlock> => this.blocks.index(block, { following });
    const result = await (this.options.duringIndex?.(block, act) ?? act()).catch((error: unknown) => {
      throw error instanceof ProgramError ? atBlock(error, block) : error;
    });
    this.options.onIndexed?.(block, result);
  }

  rollback(toHeight: number): Promise<void> {
    const undo = async (): Promise<void> => this.blocks.store.rollback(toHeight);
    return this.options.duringRollback?.(undo) ?? undo();
  }
}

/** What the module did wrong, with the block that it did it on. */
function atBlock(error: ProgramError, { height, hash }: ChainBlock): ProgramError {
  return new ProgramError(error.code, error.message, {
    facts: { ...error.facts, height, block: toDisplayHash(hash) },
    hint: error.hint ?? 'Nothing of this block was kept. Repair the module and index into a new folder.',
    cause: error,
  });
}
