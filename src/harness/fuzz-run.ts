/**
 * Random calls in large blocks: what one thread runs of them in a second decides how much they find. The sequential
 * executor and the batches each run all of them. Between blocks, calls are run by themselves.
 */
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { ForeignRun } from '../contract-chain/memory-chain.js';
import { InputError } from '../errors/errors.js';
import { ALWAYS_PARALLEL } from '../execute/choose/block-mode.js';
import { LaneEngine } from '../execute/engine.js';
import { scanAhead } from '../lane/columns/scan-ahead.js';
import { bytesEqual } from '../util/bytes.js';
import { type ConflictReport, conflictReport } from './conflicts.js';
import { type DirectFigures, DirectFuzz } from './direct-fuzz.js';
import type { DirectKernel } from './direct-kernel.js';
import { comparableBytes, differenceOf, encodedOf } from './left.js';
import { FuzzRandom } from './random.js';
import type { FuzzSpec } from './registry.js';
import type { TestChain } from './test-chain.js';

export interface FuzzFigures {
  /** Of the first block, if it was asked for. */
  readonly conflicts?: ConflictReport;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** Those that were run by themselves, beside them. */
  readonly direct?: DirectFigures;
}

const BLOCK_CALLS = 500;
/** Of the calls of a test that looks at each, so many are sent in blocks: two to this power is one. */
const BLOCKS_SHIFT = 8;
const FEWEST_IN_BLOCKS = 1_000;
const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;

/** Two executors that run every block. */
export class FuzzEngines {
  readonly #truth = new LaneEngine({ policy: 'sequential', workers: 0, ...RULES });
  readonly #batches = new LaneEngine({ policy: 'cpu', workers: 0, modes: ALWAYS_PARALLEL, ...RULES });

  /**
   * What the block writes. Throws InputError TEST_EXECUTORS_DIFFER where the two leave something else.
   */
  async run(raw: Uint8Array, height: number, chain: TestChain): Promise<ForeignRun> {
    const offsets = BlockOffsets.read(raw, raw.length);
    const state = { reader: chain.chain, scan: scanAhead(offsets) };
    const truth = await this.#truth.processBlock(offsets, height, state);
    const batches = await this.#batches.processBlock(offsets, height, state);
    const isSame = bytesEqual(comparableBytes(encodedOf(truth)), comparableBytes(encodedOf(batches)));
    const difference = isSame ? differenceOf(truth.writes, batches.writes) : 'other receipts';
    if (difference === undefined) return { writes: truth.writes, txids: offsets.txids };
    throw new InputError('TEST_EXECUTORS_DIFFER', `batches leave ${difference} than the sequential executor`, {
      facts: { height },
      hint: 'This is an error of warpshrew: report it with the test and the contract.',
    });
  }

  async close(): Promise<void> {
    await this.#truth.close();
    await this.#batches.close();
  }
}

export interface FuzzOptions {
  /** All of them. */
  readonly calls: number;
  readonly seed: string;
  /** Whether the first block is reported on. */
  readonly reports: boolean;
  readonly kernel: DirectKernel | undefined;
  /** The chain's own runner listens: it alone runs all calls, in blocks. */
  readonly isCovered: boolean;
}

/**
 * Runs random calls. If the test looks at each, only a share of them is sent in blocks: at least that of a first run.
 * Throws what the invariant throws, with the seed and the block.
 */
export async function runFuzz<State>(
  spec: FuzzSpec<State>,
  chain: TestChain,
  engines: FuzzEngines,
  { calls, seed, reports, kernel, isCovered }: FuzzOptions,
): Promise<FuzzFigures> {
  const state = spec.setup(chain);
  spec.invariant(chain, state);
  const random = new FuzzRandom(seed);
  const direct = new DirectFuzz(spec, chain, state, random, seed, kernel);
  const inBlocks =
    spec.each === undefined || isCovered ? calls : Math.min(calls, Math.max(FEWEST_IN_BLOCKS, calls >> BLOCKS_SHIFT));
  let conflicts: ConflictReport | undefined;
  let processor = 0;
  let byThemselves = 0;
  for (let done = 0; done < inBlocks; ) {
    const started = process.cpuUsage();
    const count = Math.min(BLOCK_CALLS, inBlocks - done);
    for (let i = 0; i < count; i++) {
      const { from, to, ...message } = spec.call(random, state);
      chain.queue(message, { from, to });
    }
    if (isCovered) chain.mine();
    else
      await chain.mineBy(async (raw, height) => {
        if (reports) {
          const context = { height, block: raw, ...RULES };
          conflicts ??= await conflictReport(BlockOffsets.read(raw, raw.length), context, chain.chain);
        }
        return engines.run(raw, height, chain);
      });
    done += count;
    holds(spec, chain, state, { seed, calls: done });
    const { user, system } = process.cpuUsage(started);
    processor += user + system;
    const next = Math.round(((calls - inBlocks) * done) / inBlocks) - byThemselves;
    byThemselves += next;
    if (next > 0) await direct.run(next);
  }
  return {
    calls: inBlocks,
    callsPerSecond: Math.round((inBlocks * 1e6) / Math.max(1, processor)),
    ...(calls > inBlocks ? { direct: direct.figures } : {}),
    ...(conflicts === undefined ? {} : { conflicts }),
  };
}

function holds<State>(
  spec: FuzzSpec<State>,
  chain: TestChain,
  state: State,
  facts: { readonly seed: string; readonly calls: number },
): void {
  try {
    spec.invariant(chain, state);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError('TEST_INVARIANT', `the invariant does not hold: ${why}`, {
      facts: { ...facts, height: chain.height },
      hint: 'The same seed gives the same calls: --seed.',
      cause,
    });
  }
}
