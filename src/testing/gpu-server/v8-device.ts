import type { KernelState } from '../../gpu/device/kernel-cache.js';
import { type KernelFailure, KernelFailures, type KernelStage } from '../../gpu/device/kernel-failures.js';
import { AddressSpace } from '../../gpu/pack/address-space.js';
import { MappedOutcomes } from '../../gpu/pack/outcomes.js';
import { type PackedBlock, type PackedSegment, Packer } from '../../gpu/pack/pack.js';
import { contextBytes, keyBytes, keyCount, keyFlags, programOf } from '../../gpu/pack/records.js';
import { SlotValues } from '../../gpu/pack/slot-values.js';
import { noTimings } from '../../gpu/pack/timings.js';
import type {
  DeviceExecutor,
  GpuBlock,
  GpuCall,
  GpuCallResult,
  GpuExecutor,
  GpuStatus,
  ReadbackOutcomes,
  ReadbackRun,
  SegmentReadback,
} from '../../gpu/pack/types.js';
import { runIndependent } from '../../gpu/run-calls.js';
import {
  CALL_RECORD,
  KEY_READ,
  KEY_RECORD,
  KEY_WRITTEN,
  NONE,
  RESULT,
  STATUSES,
  WRITTEN_ADDRESS,
} from '../../gpu/translate/layout.js';
import { parseResult } from '../../program/result.js';
import { ProgramRunner } from '../../program/runner.js';
import { type Program, REVERT_REASONS } from '../../program/types.js';
import { EMPTY_BYTES, toBinaryString } from '../../util/bytes.js';

class Stopped extends Error {
  constructor(readonly status: 'PUNT' | 'ACCESS_VIOLATION') {
    super(status);
  }
}

interface Ended {
  readonly status: GpuStatus;
  readonly detail: number;
  readonly fuelLeft: number;
  readonly result: Uint8Array | undefined;
}

/**
 * V8 in the place of a device: it takes what a device is given, and leaves the same columns. `beforeSegment` may throw
 * or wait. Not as a kernel, it knows a program from the first call on.
 */
export class V8Device implements DeviceExecutor {
  readonly adapter = { vendor: 'none', description: 'V8 in the place of a device', software: false };
  readonly timings = noTimings();
  readonly runner = new ProgramRunner();
  readonly #failures = new KernelFailures();
  segments = 0;
  calls = 0;

  constructor(readonly beforeSegment: (segment: number) => Promise<void> | void = () => undefined) {}

  supports(): { readonly ok: true } {
    return { ok: true };
  }

  kernelState(_program: Program, _calls: number): KernelState {
    return 'ready';
  }

  async prepare(): Promise<void> {}

  dropKernel(program: string, stage: KernelStage, error: unknown): void {
    this.#failures.add(program, stage, error);
  }

  get kernelFailures(): GpuExecutor['kernelFailures'] {
    const { count, last } = this.#failures;
    return { count, last };
  }

  onKernelFailure(listener: (failure: KernelFailure) => void): void {
    this.#failures.listener = listener;
  }

  async begin(block: GpuBlock): Promise<ReadbackRun> {
    return new V8Run(this, block);
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return runIndependent(calls, {
      supports: () => true,
      compile: async () => true,
      firstWindow: () => 0,
      skipWindow: () => undefined,
      begin: (block) => this.begin(block),
    });
  }

  async close(): Promise<void> {}
}

class V8Run implements ReadbackRun {
  readonly #packed: PackedBlock;
  readonly #addresses: AddressSpace;
  /** By slot: where its value is. */
  readonly #now: Uint32Array;

  constructor(
    readonly device: V8Device,
    readonly block: GpuBlock,
  ) {
    if (block.independent === true) throw new RangeError('independent calls are not for this device');
    const { records } = block;
    this.#packed = new Packer().measure(block, { maxCalls: () => Number.POSITIVE_INFINITY });
    this.#addresses = new AddressSpace(records.bytes, records.bytes.length, 2 ** 24);
    const { VALUE_AT, VALUE_BYTES } = KEY_RECORD.offset;
    this.#now = Uint32Array.from({ length: this.#packed.slots }, (_, key) => {
      const at = key * KEY_RECORD.words;
      return records.keys[at + VALUE_BYTES] === NONE ? NONE : records.keys[at + VALUE_AT];
    });
  }

  async run(number: number): Promise<ReadbackOutcomes> {
    await this.device.beforeSegment(this.device.segments++);
    const { records, segments } = this.block;
    const packed = this.#packed;
    const segment = packed.segments[number];
    const { firstAccess, outAt } = packed;
    const readback = {
      results: new Uint32Array((segment.end - segment.first) * RESULT.words),
      seen: new Uint32Array(firstAccess[segment.end] - firstAccess[segment.first]),
      output: new Uint8Array(4 * (outAt[segment.end] - outAt[segment.first])),
    };
    this.#addresses.addOutput(outAt[segment.first], outAt[segment.end], readback.output);
    let first = segment.first;
    for (const { length } of segments[number]) {
      for (let call = first; call < first + length; call++) this.#call(segment, call, readback);
      this.#apply(segment, first, first + length, readback);
      first += length;
    }
    const isAlone = packed.segments.length === 1;
    return new MappedOutcomes(records, packed, segment, readback, this.#addresses.read, isAlone);
  }

  set(key: number, value: Uint8Array | undefined): void {
    const placed = value && this.#addresses.place(value);
    if (value === undefined || placed !== undefined) this.#now[key] = placed === undefined ? NONE : placed.at + 4;
  }

  close(): void {}

  #apply(segment: PackedSegment, first: number, end: number, { results, seen, output }: SegmentReadback): void {
    const { outAt } = this.#packed;
    const values = new SlotValues(this.#packed.slots);
    values.apply(
      this.block.records,
      this.#packed,
      { dispatches: [], first, end },
      {
        results: results.subarray((first - segment.first) * RESULT.words),
        seen,
        output: output.subarray(4 * (outAt[first] - outAt[segment.first])),
      },
    );
    values.at.forEach((at, slot) => {
      if (at !== NONE) this.#now[slot] = (WRITTEN_ADDRESS | (4 * outAt[first] + at)) >>> 0;
    });
  }

  #call(segment: PackedSegment, packedCall: number, { results, seen, output }: SegmentReadback): void {
    const { outAt } = this.#packed;
    const ended = this.#run(segment, packedCall, seen);
    const room = 4 * (outAt[packedCall + 1] - outAt[packedCall]);
    const fits = ended.result === undefined || ended.result.length <= room;
    const at = (packedCall - segment.first) * RESULT.words;
    results[at + RESULT.offset.STATUS] = STATUSES.indexOf(fits ? ended.status : 'PUNT') | (ended.detail << 8);
    results[at + RESULT.offset.FUEL] = ended.fuelLeft;
    results[at + RESULT.offset.BYTES] = ended.result === undefined || !fits ? NONE : ended.result.length;
    if (fits && ended.result !== undefined) output.set(ended.result, 4 * (outAt[packedCall] - outAt[segment.first]));
    this.device.calls++;
  }

  #run(segment: PackedSegment, packedCall: number, seen: Uint32Array): Ended {
    const { records, programs } = this.block;
    const { callOf, firstAccess, slotOf } = this.#packed;
    const call = callOf[packedCall];
    const program = programs.get(programOf(records, call));
    if (program === undefined) throw new RangeError('a call of no program');
    const reads = new Map<string, number>();
    const writes = new Set<string>();
    for (let k = 0; k < keyCount(records, call); k++) {
      const name = toBinaryString(keyBytes(records, call, k));
      if ((keyFlags(records, call, k) & KEY_READ) !== 0) reads.set(name, k);
      if ((keyFlags(records, call, k) & KEY_WRITTEN) !== 0) writes.add(name);
    }
    const stop = (status: 'PUNT' | 'ACCESS_VIOLATION'): never => {
      throw new Stopped(status);
    };
    const punt = (): never => stop('PUNT');
    const head = call * CALL_RECORD.words;
    try {
      const run = this.device.runner.run(
        program,
        {
          isDryRun: false,
          height: records.heads[head + CALL_RECORD.offset.HEIGHT],
          context: contextBytes(records, call).slice(),
          get transaction() {
            return punt();
          },
          get block() {
            return punt();
          },
          storage: (key) => {
            const k = reads.get(toBinaryString(key));
            if (k === undefined) return stop('ACCESS_VIOLATION');
            const access = firstAccess[packedCall] + k;
            const address = this.#now[slotOf[access]];
            seen[access - firstAccess[segment.first]] = address;
            if (address === NONE) return undefined;
            const value = this.#addresses.read(address).slice();
            return value.length === 0 && (address & WRITTEN_ADDRESS) !== 0 ? undefined : value;
          },
          sequence: punt,
          balance: punt,
          declareRead: () => undefined,
          declareWrite: () => undefined,
          texts: { log: punt, aborted: punt },
          call: punt,
        },
        records.heads[head + CALL_RECORD.offset.FUEL],
      );
      const written = parseResult(run.result ?? EMPTY_BYTES)?.storage.keys() ?? [];
      for (const key of written) if (!writes.has(key)) stop('ACCESS_VIOLATION');
      return { ...run, detail: REVERT_REASONS.indexOf(run.reason) };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      return { status: error.status, detail: 0, fuelLeft: 0, result: undefined };
    }
  }
}
