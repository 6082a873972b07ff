import { EnvironmentError } from '../errors.js';
import type { Program } from '../program/types.js';
import { type OpenDevice, openDevice } from './device.js';
import { Dispatcher, MAX_BATCH_BYTES, MAX_BATCH_CALLS } from './dispatch.js';
import { OUTPUT_BYTES } from './layout.js';
import { packedBytes } from './pack.js';
import { ProgramCache, WINDOWS } from './programs.js';
import type { GpuCall, GpuCallResult, GpuLane, GpuTimings } from './types.js';
import { puntResult } from './unpack.js';

/** Opens the GPU side of the parallel lane. Throws `EnvironmentError` GPU_UNAVAILABLE where there is no usable GPU. */
export async function openGpuLane(): Promise<GpuLane> {
  return new DawnLane(await openDevice());
}

class DawnLane implements GpuLane {
  readonly adapter: GpuLane['adapter'];
  readonly timings: GpuTimings = { packMs: 0, uploadMs: 0, kernelMs: 0, readbackMs: 0 };
  readonly #opened: OpenDevice;
  readonly #programs: ProgramCache;
  readonly #dispatcher: Dispatcher;
  /** The buffers are shared, so one `run` waits for the one before it. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(opened: OpenDevice) {
    this.#opened = opened;
    this.adapter = opened.adapter;
    this.#programs = new ProgramCache(opened);
    this.#dispatcher = new Dispatcher(opened, this.#programs.layout, this.timings);
  }

  supports(program: Program): { ok: true } | { ok: false; reason: string } {
    const reason = this.#programs.refusal(program);
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    const turn = this.#last.then(() => this.#runAll(calls));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    if (this.#closed) return;
    this.#closed = true;
    this.#dispatcher.close();
    this.#opened.close();
  }

  async #runAll(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    const results: GpuCallResult[] = calls.map((call) => puntResult(call, 'unsupported'));
    const groups = new Map<string, number[]>();
    calls.forEach(({ program }, i) => {
      const group = groups.get(program.hash);
      if (group === undefined) groups.set(program.hash, [i]);
      else group.push(i);
    });
    try {
      this.#checkAlive();
      // Drivers take seconds over a kernel: all of this batch at once.
      await Promise.all([...groups.values()].map(([first]) => this.#compile(calls[first ?? 0]?.program)));
      for (const group of groups.values()) await this.#runProgram(calls, group, results);
    } catch (error) {
      throw await this.#explain(error);
    }
    return results;
  }

  async #compile(program: Program | undefined): Promise<void> {
    if (program === undefined || this.#programs.refusal(program) !== undefined) return;
    await this.#programs.kernel(program, this.#programs.firstWindow(program));
  }

  /** Runs the calls numbered `group`, all of one program, with larger memory windows as they need them. */
  async #runProgram(calls: readonly GpuCall[], group: readonly number[], results: GpuCallResult[]): Promise<void> {
    const program = calls[group[0] ?? 0]?.program;
    if (program === undefined || this.#programs.refusal(program) !== undefined) return;
    let left = group;
    for (let window = this.#programs.firstWindow(program); window < WINDOWS.length && left.length > 0; window++) {
      const ready = await this.#programs.kernel(program, window);
      this.#checkAlive();
      if (ready === undefined) return;
      for (const chunk of this.#chunks(calls, left, window)) {
        const part = await this.#dispatcher.run(
          ready,
          chunk.flatMap((i) => calls[i] ?? []),
        );
        chunk.forEach((i, k) => {
          const result = part[k];
          if (result !== undefined) results[i] = result;
        });
      }
      const tight = left.filter((i) => results[i]?.puntReason === 'window');
      if (tight.length * 2 > left.length) this.#programs.skipWindow(program, window);
      left = tight;
    }
  }

  /** Splits call numbers so that every buffer of a batch stays below what the device binds. */
  *#chunks(calls: readonly GpuCall[], group: readonly number[], window: number): Generator<number[]> {
    const limit = Math.min(MAX_BATCH_BYTES, this.#opened.device.limits.maxStorageBufferBindingSize);
    const size = WINDOWS[window];
    const perCall = Math.max(OUTPUT_BYTES, size?.place === 'storage' ? size.bytes : 0);
    const most = Math.max(1, Math.min(MAX_BATCH_CALLS, Math.floor(limit / perCall) - 64));
    let chunk: number[] = [];
    let bytes = 0;
    for (const i of group) {
      const call = calls[i];
      if (call === undefined) continue;
      const more = packedBytes(call);
      // Such a call stays a PUNT.
      if (more > limit / 2) continue;
      if (chunk.length > 0 && (chunk.length >= most || bytes + more > limit / 2)) {
        yield chunk;
        chunk = [];
        bytes = 0;
      }
      chunk.push(i);
      bytes += more;
    }
    if (chunk.length > 0) yield chunk;
  }

  #checkAlive(): void {
    if (this.#closed) throw new EnvironmentError('GPU_DEVICE_LOST', 'the GPU lane is closed');
    const lost = this.#opened.lost();
    if (lost !== undefined) throw new Error(lost);
  }

  /** The error to reject with: GPU_DEVICE_LOST if the device is gone, else GPU_FAILED. */
  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof EnvironmentError || error instanceof RangeError) return error;
    // The loss is announced after the calls that fail for it.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const lost = this.#opened.lost();
    const message = error instanceof Error ? error.message : String(error);
    if (lost === undefined) {
      return new EnvironmentError('GPU_FAILED', `the GPU refuses a batch: ${message}`, {
        hint: 'The CPU policies give the same state.',
        cause: error,
      });
    }
    return new EnvironmentError('GPU_DEVICE_LOST', `the GPU device was lost: ${lost}`, {
      hint: 'The CPU policies give the same state.',
      cause: error,
    });
  }
}
