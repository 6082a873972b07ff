/** Takes an engine the way that a chain in memory went, and compares what it leaves. */
import { createHash } from 'node:crypto';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { KnownBlocks } from '../contract-chain/known-blocks.js';
import type { MinedBlock } from '../contract-chain/memory-chain.js';
import { ALWAYS_PARALLEL } from '../execute/choose/block-mode.js';
import { LaneEngine } from '../execute/engine.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import type { LaneKey } from '../lane/types.js';
import { bytesEqual, u32Bytes } from '../util/bytes.js';
import { comparableBytes, differenceOf, encoded, encodedOf } from './left.js';
import type { RecordingChain } from './recording-chain.js';

/** A chain as plain data: its blocks, and what each of them and all together left. */
export interface RecordedRun {
  readonly steps: readonly RecordedStep[];
  /** SHA-256 of all keys and values at the end, hex; undefined for a chain that only grew: its writes say it all. */
  readonly state: string | undefined;
}

export type RecordedStep =
  | ({ readonly kind: 'mine' } & RecordedBlock)
  | { readonly kind: 'rollback'; readonly height: number };

interface RecordedBlock extends Pick<MinedBlock, 'height' | 'hash' | 'raw' | 'writes'> {
  /** As {@link comparableBytes} has them. */
  readonly receipts: Uint8Array;
}

/** Blocks that are remembered at a time. */
const MOST_AGREED = 1 << 15;
const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;

/** By what became of a block: blocks that are known share it. */
const receiptsOf = new WeakMap<MinedBlock['lane'], Uint8Array>();

/** What a chain recorded, for other threads as well. */
export function recordedRun(chain: RecordingChain): RecordedRun {
  const steps = chain.steps.map((step): RecordedStep => {
    if (step.kind === 'rollback') return step;
    const { height, hash, raw, lane, writes } = step.block;
    const receipts = receiptsOf.get(lane) ?? comparableBytes(encoded(chain.receipts(step.block))).slice();
    receiptsOf.set(lane, receipts);
    return { kind: 'mine', height, hash, raw, writes, receipts };
  });
  const onlyGrew = steps.every(({ kind }) => kind === 'mine');
  return { steps, state: onlyGrew ? undefined : digestOf(chain.entries()) };
}

/** `entries` ascend by key. */
function digestOf(entries: readonly (readonly [key: LaneKey, value: Uint8Array])[]): string {
  const hash = createHash('sha256');
  for (const [key, value] of entries) {
    hash.update(u32Bytes(key.length)).update(u32Bytes(value.length)).update(key, 'latin1').update(value);
  }
  return hash.digest('hex');
}

/** Another executor, which must leave what the sequential one left. */
export class Replayer {
  readonly #engine: LaneEngine;
  /** Blocks that left the same. */
  readonly #agreed = new KnownBlocks<true>(MOST_AGREED);
  /** Messages that the kernel ran to a final status, and those that it gave back. */
  kernelRuns = 0;
  punted = 0;

  /** `gpu`: all goes to the kernel as far as it can. */
  constructor(
    readonly name: string,
    gpu?: GpuExecutor,
  ) {
    const policy = gpu === undefined ? 'cpu' : 'gpu';
    this.#engine = new LaneEngine({ policy, workers: 0, gpu, waitForKernels: true, modes: ALWAYS_PARALLEL, ...RULES });
  }

  /** The first difference, for people; undefined if there is none. */
  async differenceIn({ steps, state: expected }: RecordedRun): Promise<string | undefined> {
    const state = new UndoneState();
    for (const step of steps) {
      if (step.kind === 'rollback') {
        state.rollback(step.height);
        continue;
      }
      const difference = this.#agreed.get(step.hash) === undefined ? await this.#differenceOf(step, state) : undefined;
      if (difference !== undefined) return `${this.name}: ${difference} in block ${step.height}`;
      this.#agreed.add(step.hash, true, 1);
      state.apply(step.height, step.writes);
    }
    return expected === undefined || state.digest() === expected ? undefined : `${this.name}: another state at the end`;
  }

  async #differenceOf(block: RecordedBlock, state: UndoneState): Promise<string | undefined> {
    const { height, raw, receipts, writes } = block;
    const result = await this.#engine.processBlock(BlockOffsets.read(raw, raw.length), height, { reader: state });
    this.kernelRuns += Object.values(result.statistics.gpuRuns).reduce((sum, runs) => sum + runs, 0);
    this.punted += result.statistics.punted;
    if (!bytesEqual(comparableBytes(encodedOf(result)), receipts)) return 'other receipts';
    return differenceOf(writes, result.writes);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** The state of a chain with what its blocks replaced. */
class UndoneState {
  readonly #state = new Map<LaneKey, Uint8Array>();
  readonly #undo: { readonly height: number; readonly before: ReadonlyMap<LaneKey, Uint8Array | undefined> }[] = [];

  get(key: LaneKey): Uint8Array | undefined {
    return this.#state.get(key);
  }

  apply(height: number, writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    const before = new Map([...writes.keys()].map((key) => [key, this.#state.get(key)] as const));
    this.#undo.push({ height, before });
    this.#put(writes);
  }

  rollback(height: number): void {
    while ((this.#undo.at(-1)?.height ?? 0) > height) this.#put(this.#undo.pop()?.before ?? new Map());
  }

  digest(): string {
    return digestOf([...this.#state].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #put(values: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    for (const [key, value] of values) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }
}
