import { StoreError } from '../errors/errors.js';
import type { StandardIndexer } from '../standard/standard-indexer.js';
import type { StoreReader } from '../store/reader.js';
import type { RollbackClock } from './rollback-clock.js';

/** Maximum runs of one view: reorgs come minutes apart, and a view takes seconds at most. */
const MOST_RUNS = 3;

/** Views of the standard module while another thread commits and undoes blocks: each sees one consistent state. */
export class Views {
  readonly #standard: Pick<StandardIndexer, 'view' | 'preview'>;
  readonly #store: Pick<StoreReader, 'tip'>;
  readonly #rollbacks: RollbackClock;

  constructor(
    standard: Pick<StandardIndexer, 'view' | 'preview'>,
    store: Pick<StoreReader, 'tip'>,
    rollbacks: RollbackClock,
  ) {
    this.#standard = standard;
    this.#store = store;
    this.#rollbacks = rollbacks;
  }

  /**
   * Runs a view with the argument `height`, over the state after that block, or after the tip if that is lower. Throws
   * what {@link StandardIndexer.view} and {@link Views.consistent} throw.
   */
  run(name: string, input: Uint8Array, height: number, client = ''): Promise<Uint8Array> {
    return this.consistent(name, height, () => {
      const stateHeight = Math.min(height, this.#store.tip()?.height ?? -1);
      return this.#standard.view(name, input, height, stateHeight, client);
    });
  }

  /**
   * Runs a view with the argument `height` + 1 over the state after a block that is not stored and follows block
   * `height`, or the tip if that is lower. Throws what {@link StandardIndexer.preview} and {@link Views.consistent}
   * throw.
   */
  preview(raw: Uint8Array, name: string, input: Uint8Array, height: number, client = ''): Promise<Uint8Array> {
    return this.consistent(name, height, () => {
      const stateHeight = Math.min(height, this.#store.tip()?.height ?? -1);
      return this.#standard.preview({ raw, name, input, height: height + 1 }, stateHeight, client);
    });
  }

  /**
   * What `run` gives of one state. Adding blocks does not change versions of lower heights; if blocks were undone
   * meanwhile, it runs again. Throws what `run` throws, and StoreError STORE_REORG_UNDER_WAY.
   */
  async consistent<T>(view: string, height: number, run: () => Promise<T>): Promise<T> {
    for (let runs = 0; runs < MOST_RUNS; runs++) {
      const before = await this.#rollbacks.quiet();
      // An error may come from a mixture of states, too.
      const outcome = await run().then(
        (output) => ({ output }),
        (error: unknown) => ({ error }),
      );
      if (this.#rollbacks.now !== before) continue;
      if ('error' in outcome) throw outcome.error;
      return outcome.output;
    }
    throw new StoreError('STORE_REORG_UNDER_WAY', 'blocks were undone each time the view ran', {
      facts: { view, height },
      hint: 'Ask again.',
    });
  }
}
