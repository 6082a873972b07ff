import type { GpuCall, GpuCallResult, GpuLane } from '../../src/gpu/types.js';
import { parseResult } from '../../src/program/result.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { EMPTY_BYTES, toBinaryString } from '../../src/util/bytes.js';

class Undeclared extends Error {}
class Declined extends Error {}

/** A kernel that is V8 inside and keeps the kernel's contract: declared keys only, no state of its own, may decline. */
export class FakeGpu implements GpuLane {
  readonly adapter = { vendor: 'none', description: 'V8 behind the kernel interface', software: false };
  readonly timings = { packMs: 0, uploadMs: 0, kernelMs: 0, readbackMs: 0 };
  readonly #runner = new ProgramRunner();
  batches = 0;
  calls = 0;
  /** Called before each batch: throw to fail it. */
  beforeBatch: (batch: number) => void = () => {};
  /** Calls to decline, by number since creation. */
  declines: (call: number) => boolean = () => false;

  supports(): { readonly ok: true } {
    return { ok: true };
  }

  async run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    this.beforeBatch(this.batches++);
    return calls.map((call) => (this.declines(this.calls++) ? nothing('PUNT', call) : this.#one(call)));
  }

  async close(): Promise<void> {}

  #one(call: GpuCall): GpuCallResult {
    const reads = new Map(call.reads.map(({ key }, i) => [toBinaryString(key), i]));
    const touched = call.reads.map(() => false);
    let stop: 'PUNT' | 'ACCESS_VIOLATION' | undefined;
    const decline = (): never => {
      stop ??= 'PUNT';
      throw new Declined();
    };
    try {
      const end = this.#runner.run(call.program, {
        isDryRun: false,
        height: call.height,
        context: call.context,
        get transaction() {
          return decline();
        },
        get block() {
          return decline();
        },
        storage: (key) => {
          const at = reads.get(toBinaryString(key));
          if (at === undefined) {
            stop ??= 'ACCESS_VIOLATION';
            throw new Undeclared();
          }
          touched[at] = true;
          return call.reads[at].value;
        },
        sequence: decline,
        balance: decline,
        declareRead: () => {},
        declareWrite: () => {},
      });
      if (stop !== undefined) return nothing(stop, call);
      const writes = new Set(call.writes.map(toBinaryString));
      for (const key of parseResult(end.result ?? EMPTY_BYTES)?.storage.keys() ?? []) {
        if (!writes.has(key)) return nothing('ACCESS_VIOLATION', call);
      }
      return { ...end, touched, puntReason: undefined };
    } catch (error) {
      if (stop !== undefined) return nothing(stop, call);
      throw error;
    }
  }
}

function nothing(status: 'PUNT' | 'ACCESS_VIOLATION', call: GpuCall): GpuCallResult {
  const touched = call.reads.map(() => true);
  return { status, reason: 'none', fuelLeft: 0, result: undefined, touched, puntReason: 'fake' };
}
