/**
 * Puts an index together: store, both sides of a block, and what takes blocks through them. The one place that does.
 */
import { LaneEngine, type LaneEngineOptions } from '../execute/engine.js';
import { StandardModule } from '../standard/module.js';
import { StandardIndexer, type StandardIndexerOptions } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import type { StoreOptions } from '../store/types.js';
import { BlockIndexer } from './block-indexer.js';
import { BlockReader } from './block-reader.js';
import { CostFile } from './cost-file.js';
import { DumpFiles } from './dump-files.js';

export interface OpenIndexOptions {
  readonly dbDir: string;
  /** WASM of the standard module. */
  readonly moduleBytes: Uint8Array;
  /** The module's hash comes from its bytes. */
  readonly store: Omit<StoreOptions, 'moduleHash'>;
  /** What the store's options say of the lane holds for the engine, too. */
  readonly engine: Omit<LaneEngineOptions, 'laneStartHeight' | 'dependent'>;
  readonly standard?: Omit<StandardIndexerOptions, 'moduleBytes' | 'storeHandle'>;
  /** Looks at the store before anything else is opened; what it throws ends the opening. */
  readonly check?: (store: Store) => void;
}

/** An index that is open for writing. */
export class OpenIndex {
  private constructor(
    readonly store: Store,
    readonly engine: LaneEngine,
    readonly standard: StandardIndexer,
    readonly blocks: BlockIndexer,
    readonly reader: BlockReader | undefined,
  ) {}

  /**
   * Opens or creates the database at `dbDir`. A refused module leaves no database behind; whatever fails, nothing stays
   * open. Throws ProgramError for the module, StoreError and EnvironmentError for the store, what `check` throws.
   */
  static async open(options: OpenIndexOptions): Promise<OpenIndex> {
    const { dbDir, moduleBytes, check } = options;
    // Before the store is created: this checks the whole module.
    const { hash: moduleHash } = StandardModule.load(moduleBytes);
    const store = await Store.open(dbDir, { ...options.store, moduleHash });
    try {
      check?.(store);
      const standard = new StandardIndexer({ ...options.standard, moduleBytes, storeHandle: store.handle });
      const { laneStartHeight = 0, dependent = 'demote' } = options.store;
      const { policy } = options.engine;
      const costPlace = policy === 'auto' || policy === 'balance' ? new CostFile(dbDir) : undefined;
      const dumpPlace = new DumpFiles(dbDir);
      const engine = new LaneEngine({ costPlace, dumpPlace, ...options.engine, laneStartHeight, dependent });
      const reader = store.handle === undefined ? undefined : new BlockReader(store.handle);
      return new OpenIndex(store, engine, standard, new BlockIndexer(store, engine, standard, reader), reader);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Closes everything, the store last. No other thread may be attached to it any more. */
  async close(): Promise<void> {
    await this.engine.close();
    await this.reader?.close();
    await this.standard.close();
    await this.store.close();
  }
}
