/** The differential test: random blocks under several policies must leave the same state and receipts. */
import { createHash } from 'node:crypto';
import { InternalError } from '../errors.js';
import type { GpuLane } from '../gpu/types.js';
import { sameBytes } from '../lane/same-bytes.js';
import type { LaneBlockResult, LaneKey, LaneStatistics, Receipt } from '../lane/types.js';
import { builtPrograms, PROGRAM_NAMES, type ProgramName } from '../util/built-wasm.js';
import { concatBytes, fromBinaryString, toHex, u32Bytes } from '../util/bytes.js';
import { ALWAYS_PARALLEL } from './block-mode.js';
import { LaneEngine } from './engine.js';
import { FuzzBlocks } from './fuzz-blocks.js';
import type { Policy } from './route.js';

/** Blocks after which a new world begins, so that a state stays small. */
export const BLOCKS_PER_WORLD = 25;

export interface DifferentialOptions {
  readonly seed: string;
  readonly blocks: number;
  /** Compared with `sequential`, which always runs. */
  readonly policies: readonly Exclude<Policy, 'sequential'>[];
  /** Needed for policy `gpu`. */
  readonly gpu?: GpuLane;
  /** Worker threads of the `cpu` policy; 1 if not given. The others run in this thread. */
  readonly workers?: number;
  /** Programs that the blocks deploy and call; all of them if not given. */
  readonly programs?: readonly ProgramName[];
  readonly onBlock?: (block: number) => void;
}

export interface DifferentialSummary {
  readonly blocks: number;
  readonly laneTxs: number;
  /** SHA-256 over the state digests of all blocks: equal for equal seeds. */
  readonly digest: string;
  readonly statistics: Readonly<Record<string, LaneStatistics>>;
}

/**
 * Runs `blocks` random blocks under every policy.
 * @throws InternalError with the seed and the block at the first difference; the same seed and number of blocks replay it.
 */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialSummary> {
  const { seed, blocks, policies } = options;
  const built = builtPrograms();
  const programs = new Map((options.programs ?? PROGRAM_NAMES).map((name) => [name, built[name]]));
  const engines = (['sequential', ...policies] as const).map((policy) => ({
    policy,
    engine: new LaneEngine({
      policy,
      workers: policy === 'cpu' ? (options.workers ?? 1) : 0,
      gpu: policy === 'cpu' ? undefined : options.gpu,
      laneStartHeight: 0,
      dependent: 'demote',
      // The other way is the one that all are compared with.
      modes: ALWAYS_PARALLEL,
    }),
    state: new Map<LaneKey, Uint8Array>(),
  }));
  const statistics: Record<string, LaneStatistics> = {};
  const digest = createHash('sha256');
  let laneTxs = 0;
  let source = new FuzzBlocks(seed, programs);
  try {
    for (let number = 0; number < blocks; number++) {
      if (number % BLOCKS_PER_WORLD === 0) {
        source = new FuzzBlocks(`${seed}/${number / BLOCKS_PER_WORLD}`, programs);
        for (const { state } of engines) state.clear();
      }
      const height = number % BLOCKS_PER_WORLD;
      const truth = engines[0];
      const block = source.next(height, truth.state);
      let expected: LaneBlockResult | undefined;
      for (const { policy, engine, state } of engines) {
        const reader = { get: (key: LaneKey) => state.get(key) };
        const result = await engine.processBlock(block, height, { reader, snapshot: state });
        applyWrites(state, result.writes);
        statistics[policy] = addStatistics(statistics[policy], result.statistics);
        if (expected === undefined) expected = result;
        else compare(expected, result, truth.state, state, { seed, block: number, policy });
      }
      laneTxs += expected?.receipts.length ?? 0;
      digest.update(stateDigest(truth.state));
      options.onBlock?.(number);
    }
  } finally {
    for (const { engine } of engines) await engine.close();
  }
  return { blocks, laneTxs, digest: digest.digest('hex'), statistics };
}

/** Applies a block's writes to a state held in a map. */
export function applyWrites(state: Map<LaneKey, Uint8Array>, writes: LaneBlockResult['writes']): void {
  for (const [key, value] of writes) {
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  }
}

/** SHA-256 over the entries sorted by key bytes, each as u32 LE lengths, key, value. */
export function stateDigest(state: ReadonlyMap<LaneKey, Uint8Array>): Uint8Array {
  const hash = createHash('sha256');
  for (const key of [...state.keys()].sort()) {
    const value = state.get(key) as Uint8Array;
    hash.update(concatBytes(u32Bytes(key.length), u32Bytes(value.length), fromBinaryString(key), value));
  }
  return Uint8Array.from(hash.digest());
}

/** A receipt without what says only how it was run. */
export function comparable({ colour: _colour, executor: _executor, repaired: _repaired, ...receipt }: Receipt): object {
  return receipt;
}

interface Place {
  readonly seed: string;
  readonly block: number;
  readonly policy: Policy;
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
    if (!sameBytes(truth.get(key), state.get(key))) {
      throw differ('another value', { key: toHex(fromBinaryString(key)) });
    }
  }
}

const SUMMED = [
  'batches',
  'colours',
  'repaired',
  'demoted',
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
