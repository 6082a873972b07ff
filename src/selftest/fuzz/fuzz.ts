/**
 * The differential test: random blocks under several policies must leave the same state and receipts, and every one
 * must keep the invariants, so that an error common to all of them is found as well.
 */

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import type { Block } from '../../bitcoin/types.js';
import { InternalError } from '../../errors/errors.js';
import type { CallDivider } from '../../execute/choose/balance.js';
import { ALWAYS_PARALLEL } from '../../execute/choose/block-mode.js';
import { LaneEngine } from '../../execute/engine.js';
import { runSequential } from '../../execute/sequential.js';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { LaneContext } from '../../lane/message.js';
import { DEFAULT_DRY_RUN, type DryRunRule, type Policy } from '../../lane/policy.js';
import { IN_TURN } from '../../lane/receipt.js';
import { type LaneTransaction, scanBlock } from '../../lane/scan.js';
import type { LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult, LaneKey, LaneOutcome, Receipt } from '../../lane/types.js';
import { ProgramRunner } from '../../program/runner.js';
import { builtPrograms, callsProgram } from '../../util/built-wasm.js';
import { bytesEqual, concatBytes, fromBinaryString, toHex, u32Bytes } from '../../util/bytes.js';
import { checkInvariants } from '../invariants/check.js';
import { RunLog } from '../invariants/run-log.js';
import { FuzzBlocks } from './fuzz-blocks.js';
import { FUZZ_PROGRAMS, type FuzzProgram } from './fuzz-programs.js';

/** Blocks after which a new world begins, so that a state stays small. */
export const BLOCKS_PER_WORLD = 25;

export interface DifferentialOptions {
  readonly seed: string;
  readonly blocks: number;
  /** Compared with `sequential`, which always runs. */
  readonly policies: readonly Exclude<Policy, 'sequential'>[];
  /** Each policy runs under each of them; only DEFAULT_DRY_RUN if not given. */
  readonly dryRun?: readonly DryRunRule[];
  /** Needed for policy `gpu`. */
  readonly gpu?: GpuExecutor;
  /** Worker threads of the policies `cpu` and `balance`; 1 if not given. The others run in this thread. */
  readonly workers?: number;
  /** Programs that the blocks deploy and call; all of them if not given. */
  readonly programs?: readonly FuzzProgram[];
  /** Some transactions are at the limits of what a transaction can be. */
  readonly extremes?: boolean;
  readonly onBlock?: (block: number) => void;
}

export interface DifferentialSummary {
  readonly blocks: number;
  readonly laneTxs: number;
  /** SHA-256 over the state digests of all blocks: equal for equal seeds. */
  readonly digest: string;
  /** By policy, with the dry-run rule behind a space if it is not DEFAULT_DRY_RUN. */
  readonly statistics: Readonly<Record<string, LaneStatistics>>;
}

/**
 * Runs `blocks` random blocks under every policy.
 * @throws InternalError with the seed and the block at the first difference or broken invariant; the same seed and
 * number of blocks replay it.
 */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialSummary> {
  const { seed, blocks, policies, dryRun = [DEFAULT_DRY_RUN] } = options;
  const built = { ...builtPrograms(), actor: callsProgram('actor') };
  const programs = new Map((options.programs ?? FUZZ_PROGRAMS).map((name) => [name, built[name]]));
  const watched = new WatchedTruth();
  // The first one is given the parsed block, which only the generator runs; all others the offsets.
  const engines = [
    ...(['sequential', 'sequential'] as const).map((policy) => new WatchedEngine(policy, DEFAULT_DRY_RUN, options)),
    ...dryRun.flatMap((rule) => policies.map((policy) => new WatchedEngine(policy, rule, options))),
  ];
  const statistics: Record<string, LaneStatistics> = {};
  const digest = createHash('sha256');
  let laneTxs = 0;
  const worldOf = (name: string): FuzzBlocks => new FuzzBlocks(name, programs, undefined, options.extremes);
  let source = worldOf(seed);
  try {
    for (let number = 0; number < blocks; number++) {
      if (number % BLOCKS_PER_WORLD === 0) {
        source = worldOf(`${seed}/${number / BLOCKS_PER_WORLD}`);
        for (const { state } of engines) state.clear();
      }
      const height = number % BLOCKS_PER_WORLD;
      const truth = engines[0];
      const block = source.next(height, truth.state);
      const context = { height, block: block.raw, ...RULES };
      watched.check(block, context, truth.state, { seed, block: number });
      const offsets = BlockOffsets.read(block.raw);
      let expected: LaneBlockResult | undefined;
      for (const each of engines) {
        const { name: policy, state } = each;
        const result = await each.run(each === truth ? block : offsets, context, { seed, block: number, policy });
        if (each !== truth) statistics[policy] = addStatistics(statistics[policy], result.statistics);
        if (expected === undefined) expected = result;
        else compare(expected, result, truth.state, state, { seed, block: number, policy });
      }
      laneTxs += expected?.receipts.length ?? 0;
      digest.update(stateDigest(truth.state));
      options.onBlock?.(number);
      // Gives waiting events of this thread their turn between two blocks.
      await setImmediate();
    }
  } finally {
    for (const each of engines) await each.close();
  }
  return { blocks, laneTxs, digest: digest.digest('hex'), statistics };
}

/** Whatever either side takes; random blocks have few calls of one program. */
const HALVES: CallDivider = { fewest: 2, share: () => 0.5, learn() {} };

const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;

/** The sequential executor with an eye on its contract runs, which say exactly what may be left. */
class WatchedTruth {
  /** Of V8 alone: engines interpret what is new. */
  readonly #runner = new ProgramRunner({ compiles: 'everything' });

  check(
    block: Block,
    context: LaneContext,
    before: ReadonlyMap<LaneKey, Uint8Array>,
    place: Omit<Place, 'policy'>,
  ): void {
    const reader = { get: (key: LaneKey) => before.get(key) };
    const runs = new RunLog(this.#runner);
    const transactions = scanBlock(block, reader);
    const outcomes = runSequential(transactions, context, reader, runs);
    checkInvariants({ context, transactions, outcomes, before, result: undefined, runs }, { ...place });
  }
}

/** An engine with the state that it has made; each block it runs must keep the invariants. */
class WatchedEngine {
  readonly name: string;
  readonly state = new Map<LaneKey, Uint8Array>();
  readonly #engine: LaneEngine;
  readonly #transactions: LaneTransaction[] = [];
  readonly #outcomes: LaneOutcome[] = [];

  constructor(policy: Policy, dryRun: DryRunRule, { gpu, workers = 1 }: DifferentialOptions) {
    this.name = dryRun === DEFAULT_DRY_RUN ? policy : `${policy} ${dryRun}`;
    this.#engine = new LaneEngine({
      policy,
      dryRun,
      workers: policy === 'cpu' || policy === 'balance' ? workers : 0,
      balance: HALVES,
      gpu: policy === 'cpu' ? undefined : gpu,
      waitForKernels: true,
      ...RULES,
      // The other way is the one that all are compared with.
      modes: ALWAYS_PARALLEL,
      onOutcome: (transaction, outcome) => {
        this.#transactions.push(transaction);
        this.#outcomes.push(outcome);
      },
    });
  }

  async run(block: Block | BlockOffsets, context: LaneContext, place: Place): Promise<LaneBlockResult> {
    const { state } = this;
    const reader = { get: (key: LaneKey) => state.get(key) };
    const result = await this.#engine.processBlock(block, context.height, { reader, snapshot: state });
    const [transactions, outcomes] = [this.#transactions.splice(0), this.#outcomes.splice(0)];
    checkInvariants({ context, transactions, outcomes, before: state, result, runs: undefined }, { ...place });
    applyWrites(state, result.writes);
    return result;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** Applies a block's writes to a state held in a map. */
export function applyWrites(state: Map<LaneKey, Uint8Array>, writes: LaneBlockResult['writes']): void {
  for (const [key, value] of writes) {
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  }
}

/** SHA-256 over the entries sorted by key bytes, each as u32 LE lengths, key, value. */
function stateDigest(state: ReadonlyMap<LaneKey, Uint8Array>): Uint8Array {
  const hash = createHash('sha256');
  for (const key of [...state.keys()].sort()) {
    const value = state.get(key) as Uint8Array;
    hash.update(concatBytes(u32Bytes(key.length), u32Bytes(value.length), fromBinaryString(key), value));
  }
  return Uint8Array.from(hash.digest());
}

/** A receipt without what says only how it was run. */
export function comparable(receipt: Receipt): object {
  return { ...receipt, ...IN_TURN };
}

interface Place {
  readonly seed: string;
  readonly block: number;
  readonly policy: string;
}

function compare(
  expected: LaneBlockResult,
  actual: LaneBlockResult,
  truth: ReadonlyMap<LaneKey, Uint8Array>,
  state: ReadonlyMap<LaneKey, Uint8Array>,
  place: Place,
): void {
  const differ = (what: string, facts: Record<string, string> = {}): InternalError =>
    new InternalError(`${what} under policy ${place.policy} than under sequential`, {
      facts: { ...place, ...facts },
      hint: `replay it with SEED=${place.seed}`,
    });
  expected.receipts.forEach((receipt, i) => {
    const want = JSON.stringify(comparable(receipt));
    const got = actual.receipts[i] === undefined ? 'none' : JSON.stringify(comparable(actual.receipts[i]));
    if (want !== got) throw differ('another receipt', { want, got });
  });
  if (expected.receipts.length !== actual.receipts.length) throw differ('more receipts');
  for (const key of new Set([...truth.keys(), ...state.keys()])) {
    if (!bytesEqual(truth.get(key), state.get(key))) {
      throw differ('another value', { key: toHex(fromBinaryString(key)) });
    }
  }
}

const SUMMED = [
  'batches',
  'splits',
  'colours',
  'repaired',
  'predicted',
  'mispredicted',
  'demoted',
  'unclean',
  'punted',
  'accessViolations',
  'tooLarge',
  'gpuFailures',
] as const;

function addStatistics(sum: LaneStatistics | undefined, more: LaneStatistics): LaneStatistics {
  if (sum === undefined) return more;
  const out = { ...sum };
  for (const name of SUMMED) out[name] += more[name];
  return {
    ...out,
    lane: addEach(sum.lane, more.lane),
    executors: addEach(sum.executors, more.executors),
    gpuRuns: addEach(sum.gpuRuns, more.gpuRuns),
    ms: addEach(sum.ms, more.ms),
  };
}

function addEach<T extends { [K in keyof T]: number }>(a: T, b: T): T {
  const out: T = { ...a };
  for (const key of Object.keys(b) as (keyof T)[]) out[key] = ((a[key] ?? 0) + b[key]) as T[keyof T];
  return out;
}
