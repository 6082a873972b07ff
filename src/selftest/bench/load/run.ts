/** Blocks that come at a pace, indexed as `warpshrew index` does: both lanes, a store in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { InternalError } from '../../../errors/errors.js';
import type { GpuExecutor } from '../../../gpu/pack/types.js';
import type { Policy } from '../../../lane/policy.js';
import { StatisticsSum } from '../../../lane/statistics.js';
import { OpenIndex } from '../../../pipeline/open-index.js';
import { summarise } from '../../../plan/plan.js';
import { StandardModule } from '../../../standard/module.js';
import { Store } from '../../../store/store.js';
import { defaultIndexer } from '../../../util/built-wasm.js';
import { benchRun } from '../machine.js';
import { type LoadChain, makeLoadChain } from './chain.js';
import type { Mix } from './mix.js';
import { budgetOf, type LoadReport, type LoadRow, microseconds, percentilesOf } from './report.js';

export interface LoadOptions {
  readonly mix: Mix;
  /** Numbers of lane transactions per block: each is a load of its own. */
  readonly sizes: readonly number[];
  /** Blocks that are measured; others before them warm up. */
  readonly blocks: number;
  /** Transactions per second; undefined: each block comes when the one before it has ended. */
  readonly rate: number | undefined;
  readonly policies: readonly Policy[];
  /** Worker threads; the engine's own choice if not given. */
  readonly workers?: number;
  /** Without it the policy `gpu` is not measured. */
  readonly gpu?: GpuExecutor;
  readonly onProgress: (line: string) => void;
}

/** Transactions that warm up at least, in so many blocks: V8 compiles the contracts, `auto` learns what things cost. */
const WARM_TRANSACTIONS = 6_000;
const LEAST_WARM_BLOCKS = 3;
const MOST_WARM_BLOCKS = 12;

/** Measures every size under every policy. Blocks of a size are the same for all of them. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { mix, sizes, blocks, policies, gpu, onProgress } = options;
  const rows: LoadRow[] = [];
  let differences = 0;
  for (const size of sizes) {
    const warm = Math.min(MOST_WARM_BLOCKS, Math.max(LEAST_WARM_BLOCKS, Math.ceil(WARM_TRANSACTIONS / size)));
    const chain = makeLoadChain(mix, size, warm + blocks);
    let first: string | undefined;
    for (const policy of policies) {
      if ((policy === 'gpu' || policy === 'balance') && gpu === undefined) continue;
      const row = await runChain(chain, size, warm, policy, options);
      rows.push(row);
      first ??= row.stateRoot;
      if (row.stateRoot !== first) differences++;
      onProgress(`${size} ${policy}: ${row.perSecond} tx/s, block ms ${row.blockMs.p50}, p99 ${row.blockMs.p99}`);
    }
  }
  return { format: 'warpshrew-load-1', ...benchRun(gpu), mix, rate: options.rate ?? null, rows, differences };
}

async function runChain(
  chain: LoadChain,
  size: number,
  warm: number,
  policy: Policy,
  options: LoadOptions,
): Promise<LoadRow> {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-load-'));
  const dbDir = join(folder, 'db');
  try {
    await storeGenesis(chain, dbDir);
    const { gpu, workers } = options;
    if (policy !== 'cpu' && policy !== 'sequential') {
      for (const program of chain.programs) await gpu?.prepare(program);
    }
    const engine = { policy, workers, gpu: policy === 'cpu' || policy === 'sequential' ? undefined : gpu };
    const index = await OpenIndex.open({ dbDir, moduleBytes: defaultIndexer(), store: { network: 'regtest' }, engine });
    try {
      return await new PacedRun(index, chain.blocks, size, warm, options.rate).run(policy);
    } finally {
      await index.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The database after block 0, with what the blocks find. */
async function storeGenesis({ genesis, state }: LoadChain, dbDir: string): Promise<void> {
  const { hash: moduleHash } = StandardModule.load(defaultIndexer());
  const store = await Store.open(dbDir, { network: 'regtest', moduleHash });
  try {
    store.commitBlock({
      height: 0,
      hash: genesis.hash,
      header: genesis.raw.subarray(0, 80),
      standardWrites: new Map(),
      laneWrites: new Map(state),
      receipts: [],
      plan: summarise(0, 0, 0, undefined),
    });
  } finally {
    await store.close();
  }
}

class PacedRun {
  readonly #sum = new StatisticsSum();
  readonly #blockMs: number[] = [];
  readonly #lagMs: number[] = [];
  readonly #interval: number | undefined;
  /** When the first measured block came. */
  #start = 0;

  constructor(
    readonly index: OpenIndex,
    readonly blocks: LoadChain['blocks'],
    readonly size: number,
    readonly warm: number,
    rate: number | undefined,
  ) {
    this.#interval = rate === undefined ? undefined : (size * 1_000) / rate;
  }

  async run(policy: Policy): Promise<LoadRow> {
    const { blocks, warm, size } = this;
    let root: string | undefined;
    for (let at = 0; at < blocks.length; at++) {
      if (at === warm) this.#start = performance.now();
      await this.#wait(at);
      root = await this.#block(at);
    }
    if (root === undefined) throw new InternalError('the last block of a load has no roots');
    const measured = blocks.length - warm;
    const transactions = measured * size;
    const total = this.#blockMs.reduce((sum, ms) => sum + ms, 0);
    // Time in which no block had come counts, too: more than came cannot be held.
    const took = Math.max(performance.now() - this.#start, measured * (this.#interval ?? 0));
    const { ms, executors } = this.#sum;
    return {
      policy,
      size,
      blocks: measured,
      perSecond: Math.round((transactions * 1_000) / took),
      blockMs: percentilesOf(this.#blockMs),
      lagMs: this.#interval === undefined ? null : percentilesOf(this.#lagMs),
      kept: this.#interval === undefined ? null : (this.#lagMs.at(-1) ?? 0) <= this.#interval,
      budget: budgetOf(ms, total, transactions),
      beside: { standard: microseconds(ms.standard, transactions), ahead: microseconds(ms.ahead, transactions) },
      executors: { ...executors },
      stateRoot: root,
    };
  }

  /** When a block comes; blocks that warm up are there from the beginning. */
  #due(at: number): number {
    return at < this.warm || this.#interval === undefined ? 0 : this.#start + (at - this.warm) * this.#interval;
  }

  async #wait(at: number): Promise<void> {
    const left = this.#due(at) - performance.now();
    if (left > 0) await sleep(left);
    else await turn();
  }

  /** Whether the engine may look at a block before its turn. */
  #hasCome(at: number, current: number): boolean {
    if (at >= this.blocks.length || (current < this.warm && at >= this.warm)) return false;
    return this.#due(at) <= performance.now();
  }

  async #block(at: number): Promise<string | undefined> {
    const { blocks, index } = this;
    const started = performance.now();
    const { statistics, ms, roots } = await index.blocks.index(blocks[at], {
      following: (distance = 1) => (this.#hasCome(at + distance, at) ? blocks[at + distance] : undefined),
    });
    const ended = performance.now();
    if (at < this.warm) return roots?.state;
    this.#sum.add(statistics);
    for (const [phase, took] of Object.entries(ms)) this.#sum.addMs(phase, took);
    this.#blockMs.push(ended - started);
    if (this.#interval !== undefined) this.#lagMs.push(ended - this.#due(at));
    return roots?.state;
  }
}
