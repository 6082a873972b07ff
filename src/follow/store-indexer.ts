import type { ChainBlock } from '../chain/source.js';
import { ProgramError } from '../errors/errors.js';
import type { BlockIndexer, IndexedBlock } from '../pipeline/block-indexer.js';
import type { Following } from '../pipeline/look-ahead.js';
import { toDisplayHash } from '../util/bytes.js';
import type { IndexedTip, Indexer } from './indexer.js';

export interface StoreIndexerOptions {
  /** Blocks that are stored together, with roots of the last one, far below the source's tip; 1 if not given. */
  readonly rootEvery?: number;
  /**
   * So many blocks below the source's tip each is stored alone and with undo data, as it may be undone; those below are
   * final. Without it none is.
   */
  readonly keepUndo?: number;
  /** Called for each block that was indexed. */
  readonly onIndexed?: (block: ChainBlock, result: IndexedBlock) => void;
  /** Wraps the work on every block, from its bytes to its commit. */
  readonly duringIndex?: (block: ChainBlock, act: () => Promise<IndexedBlock>) => Promise<IndexedBlock>;
  /** Wraps every rollback, for readers that must know that the state is about to go back. */
  readonly duringRollback?: (undo: () => Promise<void>) => Promise<void>;
}

/** The parallel lane, the standard module and the store as one {@link Indexer}. */
export class StoreIndexer implements Indexer {
  readonly #blocks: BlockIndexer;
  readonly #options: StoreIndexerOptions;

  constructor(blocks: BlockIndexer, options: StoreIndexerOptions = {}) {
    this.#blocks = blocks;
    this.#options = options;
  }

  tip(): IndexedTip | undefined {
    return this.#blocks.store.tip();
  }

  hashAt(height: number): Uint8Array | undefined {
    return this.#blocks.store.blockHash(height);
  }

  lowestRollback(): number {
    return this.#blocks.store.lowestRollback();
  }

  async index(block: ChainBlock, following?: Following<ChainBlock>, behind = 0): Promise<void> {
    const { rootEvery = 1, keepUndo = Number.POSITIVE_INFINITY } = this.#options;
    // No reorg that can be followed reaches it.
    const final = behind >= keepUndo;
    const together = final ? rootEvery : 1;
    const isTip = behind === 0;
    const act = (): Promise<IndexedBlock> => this.#blocks.index(block, { following, together, final, isTip });
    const result = await (this.#options.duringIndex?.(block, act) ?? act()).catch((error: unknown) => {
      throw error instanceof ProgramError ? atBlock(error, block) : error;
    });
    this.#options.onIndexed?.(block, result);
  }

  settle(): void {
    this.#blocks.settle();
  }

  rollback(toHeight: number): Promise<void> {
    const undo = async (): Promise<void> => this.#blocks.store.rollback(toHeight);
    return this.#options.duringRollback?.(undo) ?? undo();
  }
}

/** An error of the module, with the block on which it happened. */
function atBlock(error: ProgramError, { height, hash }: ChainBlock): ProgramError {
  return new ProgramError(error.code, error.message, {
    facts: { ...error.facts, height, block: toDisplayHash(hash) },
    hint: error.hint ?? 'Nothing of this block was kept. Repair the module and index into a new folder.',
    cause: error,
  });
}
