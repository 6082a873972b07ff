/** Takes an engine the way that a chain in memory went, and compares what it leaves. */
import { createHash } from 'node:crypto';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { ALWAYS_PARALLEL } from '../execute/choose/block-mode.js';
import { LaneEngine } from '../execute/engine.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import type { LaneKey } from '../lane/types.js';
import { u32Bytes } from '../util/bytes.js';
import { encoded, encodedOf, receiptsDigest } from './digest.js';
import type { RecordingChain } from './recording-chain.js';

/** A chain as plain data: its blocks, and what each of them and all together left. */
export interface RecordedRun {
  readonly steps: readonly RecordedStep[];
  /** SHA-256 of all keys and values at the end, hex: the state root is a function of them, and takes longer. */
  readonly state: string;
}

export type RecordedStep =
  | { readonly kind: 'mine'; readonly height: number; readonly raw: Uint8Array; readonly receipts: string }
  | { readonly kind: 'rollback'; readonly height: number };

const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;

/** What a chain recorded, for other threads: receipts are hashed. */
export function recordedRun(chain: RecordingChain): RecordedRun {
  const steps = chain.steps.map((step): RecordedStep => {
    if (step.kind === 'rollback') return step;
    const { height, raw } = step.block;
    return { kind: 'mine', height, raw, receipts: receiptsDigest(encoded(chain.receipts(step.block))) };
  });
  return { steps, state: digestOf(chain.entries()) };
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
      const { height, raw } = step;
      const result = await this.#engine.processBlock(BlockOffsets.read(raw, raw.length), height, { reader: state });
      this.kernelRuns += Object.values(result.statistics.gpuRuns).reduce((sum, runs) => sum + runs, 0);
      this.punted += result.statistics.punted;
      state.apply(height, result.writes);
      const digest = receiptsDigest(encodedOf(result));
      if (digest !== step.receipts) return `${this.name}: other receipts in block ${height}`;
    }
    return state.digest() === expected ? undefined : `${this.name}: another state at the end`;
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
