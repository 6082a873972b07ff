/** Both lanes over a store, as the simulator runs them. */
import type { ChainBlock } from '../../chain/source.js';
import { ProgramError } from '../../errors.js';
import { LaneEngine } from '../../execute/engine.js';
import type { StandardRun } from '../../standard/lane.js';
import type { Database } from '../../store/database.js';
import { Store } from '../../store/store.js';
import { concatBytes, readU32, toBinaryString, u32Bytes } from '../../util/bytes.js';
import { BlockIndexer } from '../block-indexer.js';
import type { IndexedTip, Indexer } from '../indexer.js';

/** One engine for everything: it keeps the programs that it has compiled. */
const ENGINE = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
const STORE = { network: 'regtest', moduleHash: '00'.repeat(32) } as const;
const COUNT = new TextEncoder().encode('count');
const EMPTY: ReadonlySet<number> = new Set([7, 77, 177]);

export function openStore(database: Database): Store {
  return Store.over(database, STORE, 'simulated disk');
}

/** Indexes with the real engine and store. The standard lane is a stand-in for the module: a few keys a block that depend on the state. */
export class SimIndexer implements Indexer {
  readonly #blocks: BlockIndexer;

  /** `floor`: what {@link lowestRollback} is at least, as if the undo data below were gone. `fails`: whether the module fails. */
  constructor(
    readonly store: Store,
    private readonly floor: () => number = () => -1,
    fails: () => boolean = () => false,
  ) {
    this.#blocks = new BlockIndexer(store, ENGINE, {
      runBlock: async (raw, height) => (fails() ? failure() : success(pairsOf(store, raw, height))),
    });
  }

  tip(): IndexedTip | undefined {
    return this.store.tip();
  }

  hashAt(height: number): Uint8Array | undefined {
    return this.store.blockHash(height);
  }

  lowestRollback(): number {
    return this.floor();
  }

  async index({ raw, height }: ChainBlock): Promise<void> {
    await this.#blocks.index(raw, height);
  }

  async rollback(toHeight: number): Promise<void> {
    this.store.rollback(toHeight);
  }
}

/** The block's header under its height, a counter, and two of a few keys that blocks overwrite, now and then with nothing. */
function pairsOf(store: Store, raw: Uint8Array, height: number): Map<string, Uint8Array> {
  const header = raw.slice(0, 80);
  const before = store.getLatest('S', COUNT);
  const pairs = new Map([
    [`block/${height}`, header],
    ['count', u32Bytes(before === undefined ? 1 : readU32(before, 0) + 1)],
  ]);
  for (const at of [36, 40]) {
    const name = `any/${header[at] % 12}`;
    const old = store.getLatest('S', new TextEncoder().encode(name)) ?? new Uint8Array(0);
    pairs.set(name, EMPTY.has(header[at]) ? new Uint8Array(0) : concatBytes(old.slice(-8), header.slice(at, at + 8)));
  }
  return new Map([...pairs].map(([key, value]) => [toBinaryString(new TextEncoder().encode(key)), value]));
}

function success(pairs: ReadonlyMap<string, Uint8Array>): StandardRun {
  return { pairs, flushes: 1, pairCount: pairs.size, valueBytes: 0, ms: 0, error: undefined };
}

function failure(): StandardRun {
  const error = new ProgramError('MODULE_TRAPPED', 'the simulated module trapped');
  return { pairs: new Map(), flushes: 0, pairCount: 0, valueBytes: 0, ms: 0, error };
}
