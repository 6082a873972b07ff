import type { KernelState } from '../../src/gpu/device/kernel-cache.js';
import { type KernelFailure, KernelFailures, type KernelStage } from '../../src/gpu/device/kernel-failures.js';
import type { CallColumns } from '../../src/gpu/pack/records.js';
import {
  contextBytes,
  isWritten,
  keyAt,
  keyBytes,
  keyCount,
  keyFlags,
  keyNumber,
  programOf,
} from '../../src/gpu/pack/records.js';
import { noTimings } from '../../src/gpu/pack/timings.js';
import type {
  GpuBlock,
  GpuBlockRun,
  GpuCall,
  GpuCallResult,
  GpuExecutor,
  GpuOutcomes,
  GpuStatus,
  SharedOutcomes,
} from '../../src/gpu/pack/types.js';
import { runIndependent } from '../../src/gpu/run-calls.js';
import {
  CALL_RECORD,
  KEY_READ,
  KEY_RECORD,
  NONE,
  RESULT,
  STATUSES,
  WRITTEN_ADDRESS,
} from '../../src/gpu/translate/layout.js';
import { parseResult } from '../../src/program/result.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { type Program, REVERT_REASONS, type RevertReason } from '../../src/program/types.js';
import { EMPTY_BYTES, toBinaryString } from '../../src/util/bytes.js';

class Undeclared extends Error {}
class Punted extends Error {}

interface Ended {
  readonly status: GpuStatus;
  readonly reason: RevertReason;
  readonly fuelLeft: number;
  readonly result: Uint8Array | undefined;
  readonly seen: ReadonlyMap<number, Uint8Array | null>;
}

/** A kernel that is V8 inside and keeps the kernel's contract: declared keys only, values of its own, may punt. */
export class FakeGpu implements GpuExecutor {
  readonly adapter = { vendor: 'none', description: 'V8 behind the kernel interface', software: false };
  readonly timings = noTimings();
  readonly runner = new ProgramRunner();
  readonly #failures = new KernelFailures();
  batches = 0;
  calls = 0;
  /** Values that the host set between segments. */
  told = 0;
  compiled = true;
  /** Hashes of programs that are too large for a kernel. */
  readonly tooLarge = new Set<string>();
  /** Whether threads may go through outcomes. */
  shares = true;
  /** Called before each segment: throw to fail it. */
  beforeBatch: (batch: number) => void = () => {};
  /** Calls to punt, by number since creation. */
  punts: (call: number) => boolean = () => false;

  supports(): { readonly ok: true } {
    return { ok: true };
  }

  kernelState({ hash }: Program): KernelState {
    if (this.tooLarge.has(hash)) return 'none';
    return this.compiled ? 'ready' : 'waiting';
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

  async begin(block: GpuBlock): Promise<GpuBlockRun> {
    return new FakeRun(this, block);
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return runIndependent(calls, {
      supports: () => true,
      compile: async () => true,
      firstWindow: () => 0,
      skipWindow: () => {},
      begin: (block) => this.begin(block),
    });
  }

  async close(): Promise<void> {}
}

class FakeRun implements GpuBlockRun {
  /** By key of the block, or by call and key if these are independent. */
  readonly #values = new Map<string, Uint8Array | undefined>();

  constructor(
    readonly gpu: FakeGpu,
    readonly block: GpuBlock,
  ) {}

  async run(number: number): Promise<GpuOutcomes> {
    this.gpu.beforeBatch(this.gpu.batches++);
    const ended: Ended[] = [];
    const { segments, records } = this.block;
    const calls = segments[number].flatMap((colour) => [...colour]);
    const isShared = this.gpu.shares && segments.length === 1;
    for (const colour of segments[number]) {
      const writes: [string, Uint8Array | undefined][] = [];
      for (const call of colour) ended.push(this.#call(this.block.records, call, writes));
      for (const [key, value] of writes) this.#values.set(key, value);
    }
    return {
      count: ended.length,
      status: (i) => ended[i].status,
      reason: (i) => ended[i].reason,
      fuelLeft: (i) => ended[i].fuelLeft,
      result: (i) => ended[i].result,
      puntReason: (i) => (ended[i].status === 'PUNT' ? 'fake' : undefined),
      seen: (i, key) => ended[i].seen.get(key),
      shared: () => (isShared ? shareOutcomes(ended, calls, records) : undefined),
      writes: () => {
        throw new Error('not what the engine asks for');
      },
    };
  }

  set(key: number, value: Uint8Array | undefined): void {
    this.gpu.told++;
    this.#values.set(`${key}`, value);
  }

  close(): void {}

  #name(records: CallColumns, call: number, key: number): string {
    const number = keyNumber(records, call, key);
    return this.block.independent === true ? `${call}/${number}` : `${number}`;
  }

  #value(records: CallColumns, call: number, key: number): Uint8Array | undefined {
    const name = this.#name(records, call, key);
    if (this.#values.has(name)) return this.#values.get(name);
    const at = keyAt(records, call, key);
    const length = records.keys[at + KEY_RECORD.offset.VALUE_BYTES];
    const from = records.keys[at + KEY_RECORD.offset.VALUE_AT];
    return length === NONE ? undefined : records.bytes.slice(from, from + length);
  }

  #call(records: CallColumns, call: number, writes: [string, Uint8Array | undefined][]): Ended {
    const { gpu } = this;
    const head = call * CALL_RECORD.words;
    const seen = new Map<number, Uint8Array | null>();
    const end = (status: GpuStatus): Ended => ({ status, reason: 'none', fuelLeft: 0, result: undefined, seen });
    if (gpu.punts(gpu.calls++)) return end('PUNT');
    const reads = new Map<string, number>();
    const written = new Map<string, number>();
    for (let k = 0; k < keyCount(records, call); k++) {
      const name = toBinaryString(keyBytes(records, call, k));
      if ((keyFlags(records, call, k) & KEY_READ) !== 0) reads.set(name, k);
      if (isWritten(records, call, k)) written.set(name, k);
    }
    let stop: 'PUNT' | 'ACCESS_VIOLATION' | undefined;
    const punt = (): never => {
      stop ??= 'PUNT';
      throw new Punted();
    };
    const program = this.block.programs.get(programOf(records, call)) as Program;
    try {
      const fuel = records.heads[head + CALL_RECORD.offset.FUEL];
      const run = gpu.runner.run(
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
            const at = reads.get(toBinaryString(key));
            if (at === undefined) {
              stop ??= 'ACCESS_VIOLATION';
              throw new Undeclared();
            }
            const value = this.#value(records, call, at);
            seen.set(at, value ?? null);
            return value;
          },
          sequence: punt,
          balance: punt,
          declareRead: () => {},
          declareWrite: () => {},
          texts: { log: punt, aborted: punt },
          call: punt,
        },
        fuel,
      );
      if (stop !== undefined) return end(stop);
      const result = parseResult(run.result ?? EMPTY_BYTES);
      for (const key of result?.storage.keys() ?? []) if (!written.has(key)) return end('ACCESS_VIOLATION');
      if (result !== undefined && result.fuel <= run.fuelLeft) {
        for (const [key, value] of result.storage) {
          const name = this.#name(records, call, written.get(key) as number);
          writes.push([name, value.length === 0 ? undefined : value]);
        }
      }
      return { ...run, seen };
    } catch (error) {
      if (stop !== undefined) return end(stop);
      throw error;
    }
  }
}

/** As the device leaves them: words of each call, addresses of what it read, results and values in one output. */
function shareOutcomes(ended: readonly Ended[], calls: readonly number[], records: CallColumns): SharedOutcomes {
  const output: number[] = [];
  const put = (bytes: Uint8Array): number => {
    while (output.length % 4 !== 0) output.push(0);
    const at = output.length;
    for (const byte of bytes) output.push(byte);
    return at;
  };
  const results = new Uint32Array(ended.length * RESULT.words);
  const [outAt, firstAccess]: number[][] = [[], []];
  const seen: number[] = [];
  ended.forEach((end, i) => {
    const at = i * RESULT.words;
    const { STATUS, FUEL, BYTES } = RESULT.offset;
    results[at + STATUS] = STATUSES.indexOf(end.status) + (REVERT_REASONS.indexOf(end.reason) << 8);
    results[at + FUEL] = end.fuelLeft;
    results[at + BYTES] = end.result?.length ?? NONE;
    outAt.push(put(end.result ?? EMPTY_BYTES) / 4);
    firstAccess.push(seen.length);
    for (let key = 0; key < keyCount(records, calls[i]); key++) {
      const value = end.seen.get(key);
      if (value === undefined || value === null) seen.push(value === null ? NONE : 0);
      else {
        put(Uint8Array.of(value.length, value.length >> 8, value.length >> 16, 0));
        seen.push((WRITTEN_ADDRESS | put(value)) >>> 0);
      }
    }
  });
  const words = (list: ArrayLike<number>) => {
    const out = new Uint32Array(new SharedArrayBuffer(4 * list.length));
    out.set(list);
    return out;
  };
  const bytes = (list: ArrayLike<number>) => {
    const out = new Uint8Array(new SharedArrayBuffer(list.length));
    out.set(list);
    return out;
  };
  return {
    calls: {
      count: records.count,
      programs: records.programs,
      heads: words(records.heads),
      accesses: words(records.accesses),
      keys: words(records.keys),
      bytes: bytes(records.bytes),
    },
    segment: { first: 0, end: ended.length },
    packed: { packedOf: words(ended.map((_, i) => i)), firstAccess: words(firstAccess), outAt: words(outAt) },
    readback: { results: words(results), seen: words(seen), output: bytes(output) },
  };
}
