import { StoreError } from '../errors.js';
import type { StandardIndexer } from '../standard/standard-indexer.js';
import type { StoreReader } from '../store/reader.js';
import type { RollbackClock } from './rollback-clock.js';

/** Runs of one view at most: reorgs come minutes apart, a view takes seconds at most. */
const MOST_RUNS = 3;

/** Views of the standard lane while another thread commits and undoes blocks: each sees one whole state. */
export class Views {
  readonly #lane: Pick<StandardIndexer, 'view'>;
  readonly #store: Pick<StoreReader, 'tip'>;
  readonly #rollbacks: RollbackClock;

  constructor(lane: Pick<StandardIndexer, 'view'>, store: Pick<StoreReader, 'tip'>, rollbacks: RollbackClock) {
    this.#lane = lane;
    this.#store = store;
    this.#rollbacks = rollbacks;
  }

  /**
   * Runs a view that is told `height`, over the state after that block, or after the tip if that is lower. Versions of
   * lower heights do not change when blocks are added; when some were undone meanwhile, it runs again. Throws what the
   * lane throws, and StoreError STORE_REORG_UNDER_WAY.
   */
  async run(name: string, input: Uint8Array, height: number, client = ''): Promise<Uint8Array> {
    for (let runs = 0; runs < MOST_RUNS; runs++) {
      const before = await this.#rollbacks.quiet();
      const stateHeight = Math.min(height, this.#store.tip()?.height ?? -1);
      // What it threw may come from a mixture of states as well.
      const outcome = await this.#lane.view(name, input, height, stateHeight, client).then(
        (output) => ({ output }),
        (error: unknown) => ({ error }),
      );
      if (this.#rollbacks.now !== before) continue;
      if ('error' in outcome) throw outcome.error;
      return outcome.output;
    }
    throw new StoreError('STORE_REORG_UNDER_WAY', 'blocks were undone each time the view ran', {
      facts: { view: name, height },
      hint: 'Ask again.',
    });
  }
}
