/** The parallel lane and a stand-in for the standard module over a store, as the simulator runs them. */
import type { ChainBlock } from '../../chain/source.js';
import { ProgramError } from '../../errors/errors.js';
import { LaneEngine } from '../../execute/engine.js';
import type { IndexedTip, Indexer } from '../../follow/indexer.js';
import { BlockIndexer } from '../../pipeline/block-indexer.js';
import type { Following } from '../../pipeline/look-ahead.js';
import type { StandardRun } from '../../standard/standard-indexer.js';
import type { Database } from '../../store/database.js';
import { Store } from '../../store/store.js';
import { concatBytes, fromBinaryString, readU32, u32Bytes } from '../../util/bytes.js';

/**
 * One engine for everything: it keeps the programs that it has compiled. Created on first use: the thread that only
 * prints sums needs none.
 */
let shared: LaneEngine | undefined;
function engine(): LaneEngine {
  shared ??= new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  return shared;
}
const STORE = { network: 'regtest', moduleHash: '00'.repeat(32), addresses: true } as const;
const EMPTY: ReadonlySet<number> = new Set([7, 77, 177]);

/**
 * The store in a database, which keeps undo data for `keepUndo` blocks; for all of them if not given. `partKeys`: keys
 * of a part of a block; no block is written in parts if not given.
 */
export function openStore(database: Database, keepUndo = Number.POSITIVE_INFINITY, partKeys?: number): Store {
  return Store.over(database, { ...STORE, keepUndo, ...(partKeys !== undefined && { partKeys }) }, 'simulated disk');
}

export interface SimStoring {
  /** How many blocks may be stored together; 1 if not given. */
  readonly together?: number;
  /** So many blocks below the node's tip, and below that, blocks are final; undefined: none is. */
  readonly finalBehind?: number | undefined;
}

/**
 * Indexes with the real engine and store. The stand-in for the standard module writes a few keys per block that depend
 * on the state.
 */
export class SimIndexer implements Indexer {
  readonly #blocks: BlockIndexer;
  /** Writes of the last runs: a run ahead of the store reads them. */
  #recent: readonly ReadonlyMap<string, Uint8Array>[] = [];
  readonly #storing: SimStoring;

  /** `fails`: whether the module fails. */
  constructor(
    readonly store: Store,
    fails: () => boolean = () => false,
    storing: SimStoring = {},
  ) {
    this.#storing = storing;
    this.#blocks = new BlockIndexer(store, engine(), {
      runBlock: async (raw, height, unstored = 0) => {
        if (fails()) return failure();
        const recent = this.#recent.slice(0, unstored);
        const read = (key: string) =>
          recent.find((writes) => writes.has(key))?.get(key) ?? store.getLatest('S', fromBinaryString(key));
        const pairs = pairsOf(read, raw, height);
        this.#recent = [pairs, ...recent];
        return success(pairs);
      },
    });
  }

  tip(): IndexedTip | undefined {
    return this.store.tip();
  }

  hashAt(height: number): Uint8Array | undefined {
    return this.store.blockHash(height);
  }

  lowestRollback(): number {
    return this.store.lowestRollback();
  }

  async index(block: ChainBlock, following?: Following<ChainBlock>, behind = 0): Promise<void> {
    const { together = 1, finalBehind = Number.POSITIVE_INFINITY } = this.#storing;
    await this.#blocks.index(block, { following, together, final: behind >= finalBehind });
  }

  settle(): void {
    this.#blocks.settle();
  }

  async rollback(toHeight: number): Promise<void> {
    this.store.rollback(toHeight);
  }
}

/**
 * The block's header under its height, a counter, and two of a few keys that blocks overwrite, now and then with
 * nothing.
 */
function pairsOf(
  read: (key: string) => Uint8Array | undefined,
  raw: Uint8Array,
  height: number,
): Map<string, Uint8Array> {
  const header = raw.slice(0, 80);
  const before = read('count');
  const pairs = new Map([
    [`block/${height}`, header],
    ['count', u32Bytes(before === undefined ? 1 : readU32(before, 0) + 1)],
  ]);
  for (const at of [36, 40]) {
    const name = `any/${header[at] % 12}`;
    const old = read(name) ?? new Uint8Array(0);
    pairs.set(name, EMPTY.has(header[at]) ? new Uint8Array(0) : concatBytes(old.slice(-8), header.slice(at, at + 8)));
  }
  return pairs;
}

function success(pairs: ReadonlyMap<string, Uint8Array>): StandardRun {
  return { pairs, flushes: 1, pairCount: pairs.size, valueBytes: 0, ms: 0, error: undefined };
}

function failure(): StandardRun {
  const error = new ProgramError('MODULE_TRAPPED', 'the simulated module trapped');
  return { pairs: new Map(), flushes: 0, pairCount: 0, valueBytes: 0, ms: 0, error };
}
