/** The kernel's part of a block: its calls go to the device together; outcomes come back segment by segment. */
import {
  type CallRecords,
  callFuel,
  contextBytes,
  dryRead,
  dryResult,
  isWritten,
  keyBytes,
  keyCount,
  programOf,
} from '../../gpu/pack/records.js';
import type { GpuBlockRun, GpuExecutor, GpuOutcomes } from '../../gpu/pack/types.js';
import { transactionFuel } from '../../lane/allowance.js';
import { storageKeyOfBytes } from '../../lane/keys.js';
import type { LaneContext, MessageCall } from '../../lane/message.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { LaneKey, LaneOutcome } from '../../lane/types.js';
import type { Program } from '../../program/types.js';
import { bytesEqual } from '../../util/bytes.js';
import type { PlannedBlock } from '../analyse/planned-block.js';
import { type CpuRunner, driveOnCpu } from '../tasks/drive.js';
import type { Segment } from './route.js';
import { readsAreCurrent } from './validate.js';
import type { Versions } from './versions.js';

/** How a transaction ended after its call ran in the kernel. */
export type Finished =
  | { readonly kind: 'done'; readonly outcome: LaneOutcome; readonly ranOnGpu: boolean }
  /**
   * The kernel punted, stopped at an undeclared key, or read a stale value: the transaction is handed back to the CPU.
   */
  | { readonly kind: 'handed-back'; readonly why: 'punt' | 'access-violation' | 'stale' };

interface Place {
  readonly records: number;
  readonly call: number;
  readonly key: number;
}

/** Runs the calls that a route gives to the kernel, and finishes their transactions. */
export class GpuBlockDriver {
  readonly #run: GpuBlockRun;
  /** Number of each segment of the route among those with calls for the kernel. */
  readonly #numberOf = new Map<Segment, number>();
  /** One place of each key of the segments after the first, through which its value can be set; built on first use. */
  #places: Map<LaneKey, Place> | undefined;

  private constructor(
    readonly block: PlannedBlock,
    readonly context: LaneContext,
    readonly versions: Versions,
    readonly runner: CpuRunner,
    readonly segments: readonly Segment[],
    run: GpuBlockRun,
  ) {
    this.#run = run;
    segments.forEach((segment, i) => {
      this.#numberOf.set(segment, i);
    });
  }

  /**
   * Puts the calls of `segments` on the device; undefined if there are none. Rejects as {@link GpuExecutor.begin} does.
   */
  static async begin(
    gpu: GpuExecutor,
    block: PlannedBlock,
    segments: readonly Segment[],
    programs: ReadonlyMap<string, Program>,
    rest: { readonly context: LaneContext; readonly versions: Versions; readonly runner: CpuRunner },
  ): Promise<GpuBlockDriver | undefined> {
    const own = segments.filter(({ gpuCalls }) => gpuCalls > 0);
    if (own.length === 0 || block.recordSeed === undefined) return undefined;
    const used = new Map<string, Program>();
    const pairs = (nodes: readonly number[]): Uint32Array => {
      const out = new Uint32Array(nodes.length * 2);
      nodes.forEach((node, i) => {
        const { records, call } = placeOf(block, node);
        const hash = programOf(block.records[records], call);
        const program = programs.get(hash);
        if (program !== undefined) used.set(hash, program);
        out[i * 2] = records;
        out[i * 2 + 1] = call;
      });
      return out;
    };
    const calls = own.map(({ colours }) => colours.map((colour) => pairs(colour.gpu)));
    const run = await gpu.begin({
      seed: block.recordSeed,
      records: block.records,
      programs: used,
      segments: calls,
    });
    return new GpuBlockDriver(block, rest.context, rest.versions, rest.runner, own, run);
  }

  /** Runs the calls of a segment, which are numbered through all of its colours. */
  run(segment: Segment): Promise<GpuOutcomes> {
    return this.#run.run(this.#numberOf.get(segment) ?? 0);
  }

  /** Finishes transaction `node` with the kernel's outcome of its first call, over the state that earlier ones left. */
  finish(node: number, number: number, outcomes: GpuOutcomes): Finished {
    const status = outcomes.status(number);
    if (status === 'PUNT') return { kind: 'handed-back', why: 'punt' };
    if (status === 'ACCESS_VIOLATION') return { kind: 'handed-back', why: 'access-violation' };
    const confirmed = status === 'OK' ? this.#confirm(node, number, outcomes) : undefined;
    if (confirmed !== undefined) return { kind: 'done', outcome: confirmed, ranOnGpu: true };
    const { transactions, planned, records } = this.block;
    const position = planned[node];
    const run = laneTransaction(transactions[position], this.context, this.versions.before(position));
    const step = run.next();
    if (step.done) return { kind: 'done', outcome: step.value, ranOnGpu: false };
    const place = placeOf(this.block, node);
    const own = records[place.records];
    const call = step.value;
    if (!isSameCall(call, own, place.call)) return { kind: 'handed-back', why: 'stale' };
    if (!this.#recordReads(call, place, number, outcomes)) return { kind: 'handed-back', why: 'stale' };
    const result = outcomes.result(number)?.slice();
    const end = run.next({
      status,
      reason: outcomes.reason(number),
      fuelLeft: outcomes.fuelLeft(number),
      result,
      askedDryRun: false,
    });
    return { kind: 'done', outcome: driveOnCpu(run, this.runner, end), ranOnGpu: true };
  }

  /**
   * After `segment`: sets on the device the values that later segments must read, where they differ from what the
   * kernel wrote. These are keys that the CPU wrote, and keys of messages that failed after the kernel had applied
   * their writes. A value that is not set is found stale later, so this only saves work. `trusted`: nodes whose kernel
   * writes are final.
   */
  publish(
    segment: Segment,
    outcomeOf: (position: number) => LaneOutcome | undefined,
    trusted: ReadonlySet<number>,
  ): void {
    const number = this.#numberOf.get(segment);
    if (number === this.segments.length - 1) return;
    const places = this.#placesOfLater();
    for (const { cpu, gpu } of segment.colours) {
      for (const node of [...cpu, ...gpu]) {
        if (trusted.has(node)) continue;
        const position = this.block.planned[node];
        for (const key of outcomeOf(position)?.writes.keys() ?? []) this.#set(places, key, position);
        for (const key of this.#writtenKeys(node)) this.#set(places, key, position);
      }
    }
  }

  close(): void {
    this.#run.close();
  }

  #set(places: ReadonlyMap<LaneKey, Place>, key: LaneKey, position: number): void {
    const place = places.get(key);
    if (place === undefined) return;
    this.#run.set(place.records, place.call, place.key, this.versions.get(key, position + 1));
  }

  /**
   * The outcome of the dry run with the kernel's fuel, if nothing else can differ: the call and the code before it read
   * the same values, and the call returned the same bytes. Otherwise undefined: the transaction must be run to its end.
   */
  #confirm(node: number, number: number, outcomes: GpuOutcomes): LaneOutcome | undefined {
    const { transactions, planned, dryRuns, records, plan } = this.block;
    const position = planned[node];
    const outcome = dryRuns[position]?.outcome;
    if (outcome === undefined || outcome.messages.length !== 1 || outcome.undone !== undefined) return undefined;
    const [message] = outcome.messages;
    const place = placeOf(this.block, node);
    const own = records[place.records];
    const dry = dryResult(own, place.call);
    if (message.status !== 'OK' || dry === undefined || !bytesEqual(outcomes.result(number), dry.result))
      return undefined;
    for (let k = 0; k < keyCount(own, place.call); k++) {
      if (!sameValue(outcomes.seen(number, k), dryRead(own, place.call, k))) return undefined;
    }
    // The fuel left must cover the price of the result.
    const fuelLeft = outcomes.fuelLeft(number);
    const paidBefore = transactionFuel(transactions[position].tx) - callFuel(own, place.call);
    const paidAfter = message.fuelUsed - paidBefore - (callFuel(own, place.call) - dry.fuelLeft);
    if (paidAfter > fuelLeft) return undefined;
    // Without predecessors, nothing that it read before the call can have changed.
    const { offsets } = plan.graph.predecessors;
    const alone = offsets[node] === offsets[node + 1];
    if (!alone && !readsAreCurrent(outcome, position, this.versions)) return undefined;
    if (fuelLeft === dry.fuelLeft) return outcome;
    return { ...outcome, messages: [{ ...message, fuelUsed: message.fuelUsed + dry.fuelLeft - fuelLeft }] };
  }

  /** Records the reads that the kernel made; false if one of them read another value than the transaction now reads. */
  #recordReads(
    call: MessageCall,
    { records, call: number }: Pick<Place, 'records' | 'call'>,
    outcome: number,
    outcomes: GpuOutcomes,
  ): boolean {
    const own = this.block.records[records];
    const host = call.host(false);
    for (let k = 0; k < keyCount(own, number); k++) {
      const seen = outcomes.seen(outcome, k);
      if (seen === undefined) continue;
      const key = keyBytes(own, number, k);
      if (!bytesEqual(seen ?? undefined, call.peekStorage(key))) return false;
      host.storage(key);
    }
    return true;
  }

  #placesOfLater(): Map<LaneKey, Place> {
    if (this.#places !== undefined) return this.#places;
    const places = new Map<LaneKey, Place>();
    for (const { colours } of this.segments.slice(1)) {
      for (const { gpu } of colours) {
        for (const node of gpu) {
          const { records, call } = placeOf(this.block, node);
          for (let k = 0; k < keyCount(this.block.records[records], call); k++) {
            places.set(this.#laneKey(records, call, k), { records, call, key: k });
          }
        }
      }
    }
    this.#places = places;
    return places;
  }

  #writtenKeys(node: number): LaneKey[] {
    if (this.block.dryRuns[this.block.planned[node]]?.call === undefined) return [];
    const { records, call } = placeOf(this.block, node);
    const own = this.block.records[records];
    const keys: LaneKey[] = [];
    for (let k = 0; k < keyCount(own, call); k++)
      if (isWritten(own, call, k)) keys.push(this.#laneKey(records, call, k));
    return keys;
  }

  /** The context begins with the contract's id. */
  #laneKey(records: number, call: number, key: number): LaneKey {
    const own = this.block.records[records];
    return storageKeyOfBytes(contextBytes(own, call).subarray(0, 32), keyBytes(own, call, key));
  }
}

/**
 * Whether the kernel ran the call that the transaction now makes; earlier reads decide its program, context and fuel.
 */
function isSameCall(call: MessageCall, own: CallRecords, number: number): boolean {
  return (
    call.program.hash === programOf(own, number) &&
    call.fuel === callFuel(own, number) &&
    bytesEqual(call.context, contextBytes(own, number))
  );
}

function sameValue(a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return a === b;
  return bytesEqual(a, b);
}

function placeOf({ recordsOf, dryRuns, planned }: PlannedBlock, node: number): { records: number; call: number } {
  return { records: recordsOf[node], call: dryRuns[planned[node]]?.call ?? 0 };
}
