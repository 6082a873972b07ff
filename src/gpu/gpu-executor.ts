import { EnvironmentError } from '../errors/errors.js';
import type { Program } from '../program/types.js';
import { BlockRun, type DeviceResources } from './block-run.js';
import { BufferPool } from './device/buffers.js';
import { measureLaunch } from './device/calibrate.js';
import { type OpenDevice, openDevice } from './device/device.js';
import { type KernelState, ProgramCache, type ReadyKernel } from './device/kernel-cache.js';
import { type KernelFailure, KernelFailures, type KernelStage, messageOf } from './device/kernel-failures.js';
import { KERNEL_LIMITS, type KernelLimits, PATIENT_LIMITS } from './device/kernel-limits.js';
import { StagingPool } from './device/staging.js';
import { TIMEOUT_MS, withTimeout } from './device/time-limit.js';
import { tryAdapter } from './device/trial.js';
import { Packer, type PackLimits, unpackable } from './pack/pack.js';
import { noTimings } from './pack/timings.js';
import type {
  DeviceExecutor,
  GpuBlock,
  GpuCall,
  GpuCallResult,
  GpuExecutor,
  GpuTimings,
  ReadbackOutcomes,
  ReadbackRun,
} from './pack/types.js';
import { runIndependent } from './run-calls.js';
import { WINDOW_SPARE_BYTES, WORKGROUP_SIZE } from './translate/layout.js';

export interface GpuExecutorOptions {
  /** Wait after every phase, so that {@link GpuTimings} has a figure for each; slower. */
  readonly measure?: boolean;
  /** Longest wait for a batch; 0: none is in time. Default: 30 s on hardware, 10 minutes on a software driver. */
  readonly timeoutMs?: number;
  /** For tests and measurements: kernels of any size that a driver can compile at all, without a time limit. */
  readonly patient?: boolean;
  /** Limits on the cost of a compilation; default: those of the kind of driver. */
  readonly kernels?: Partial<KernelLimits>;
}

/**
 * Opens the kernel executor on the best GPU. Throws `EnvironmentError` GPU_UNAVAILABLE where there is no usable GPU.
 */
export async function openGpuExecutor(options: GpuExecutorOptions = {}): Promise<DawnExecutor> {
  return new DawnExecutor(await openDevice(), options);
}

/**
 * The same after a process of its own has asked for the adapter: nothing that drivers print there gets to this one's
 * streams, and one that crashes ends that one. `onNoise` hears what they printed.
 */
export async function openTriedGpuExecutor(
  options: GpuExecutorOptions = {},
  onNoise?: (line: string) => void,
): Promise<DawnExecutor> {
  await tryAdapter({ onNoise });
  return openGpuExecutor(options);
}

/** The kernel executor on a device that Dawn opened. */
export class DawnExecutor implements DeviceExecutor {
  readonly adapter: GpuExecutor['adapter'];
  readonly timings: GpuTimings = noTimings();
  readonly #opened: OpenDevice;
  readonly #programs: ProgramCache;
  readonly #buffers: BufferPool;
  readonly #staging: StagingPool;
  readonly #packer = new Packer();
  readonly #failures = new KernelFailures();
  readonly #options: GpuExecutorOptions;
  /** The previous block. Buffers are shared, so each block waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(opened: OpenDevice, options: GpuExecutorOptions = {}) {
    this.#opened = opened;
    this.#options = options;
    this.adapter = opened.adapter;
    const usual = KERNEL_LIMITS[opened.adapter.software ? 'software' : 'hardware'];
    const limits = { ...(options.patient ? PATIENT_LIMITS : usual), ...options.kernels };
    this.#programs = new ProgramCache(opened, limits, this.#failures);
    this.#buffers = new BufferPool(opened);
    this.#staging = new StagingPool(opened);
  }

  supports(program: Program): { ok: true } | { ok: false; reason: string } {
    const reason = this.#programs.noKernelReason(program);
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  kernelState(program: Program, calls: number): KernelState {
    return this.#programs.state(program, calls);
  }

  prepare(program: Program): Promise<void> {
    return this.#programs.prepare(program);
  }

  dropKernel(hash: string, stage: KernelStage, error: unknown): void {
    this.#programs.dropKernel(hash, stage, error);
  }

  get kernelFailures(): GpuExecutor['kernelFailures'] {
    const { count, last } = this.#failures;
    return { count, last };
  }

  onKernelFailure(listener: (failure: KernelFailure) => void): void {
    this.#failures.listener = listener;
  }

  async calibrate(): Promise<number> {
    try {
      this.#checkAlive();
      const measured = measureLaunch(this.#opened);
      await withTimeout(measured, this.#timeoutMs);
      return await measured;
    } catch (error) {
      throw await this.#explain(error);
    }
  }

  begin(block: GpuBlock): Promise<ReadbackRun> {
    return this.#begin(block, undefined);
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return runIndependent(calls, {
      supports: (program) => this.supports(program).ok,
      compile: async (program, window) => (await this.#programs.kernel(program, window)) !== undefined,
      firstWindow: (program) => this.#programs.firstWindow(program),
      skipWindow: (program, window) => this.#programs.skipWindow(program, window),
      begin: (block, window) => this.#begin(block, window),
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    if (this.#closed) return;
    this.#closed = true;
    this.#buffers.close();
    this.#staging.close();
    this.#opened.close();
  }

  /** `window`: number of the memory window for all programs; if not given, each program has its own. */
  async #begin(block: GpuBlock, window: number | undefined): Promise<ReadbackRun> {
    const before = this.#last;
    let release = (): void => {};
    this.#last = new Promise<void>((resolve) => {
      release = resolve;
    });
    await before;
    try {
      this.#checkAlive();
      this.#checkStray();
      const kernels = await this.#kernels(block, window);
      this.#checkAlive();
      const started = performance.now();
      const limits: PackLimits = { maxCalls: (hash) => this.#maxCalls(kernels.get(hash)) };
      const packed = this.#packing(block, limits, () => this.#packer.measure(block, limits));
      this.timings.packMs += performance.now() - started;
      const limit = this.#opened.device.limits.maxStorageBufferBindingSize;
      const largest = Math.max(packed.bytes, packed.outputWords * 4);
      if (largest > Math.min(limit, 2 ** 31 - 1)) {
        throw new EnvironmentError('GPU_FAILED', 'a batch is larger than a buffer that the GPU can bind', {
          facts: { bytes: largest, limit },
        });
      }
      const run = new BlockRun(this.#resources(block, window, release), block, packed, kernels, (target) =>
        this.#packing(block, limits, () => this.#packer.write(block, packed, target)),
      );
      return new ExplainedRun(run, (error) => this.#failed(error));
    } catch (error) {
      release();
      throw await this.#failed(error);
    }
  }

  /** Longest wait for a batch. */
  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? TIMEOUT_MS[this.adapter.software ? 'software' : 'hardware'];
  }

  #resources(block: GpuBlock, window: number | undefined, onClose: () => void): DeviceResources {
    return {
      opened: this.#opened,
      layout: this.#programs.layout,
      buffers: this.#buffers,
      staging: this.#staging,
      timings: this.timings,
      measure: this.#options.measure ?? false,
      timeoutMs: this.#timeoutMs,
      seed: block.seed,
      onSmallWindow: (hash, small) => {
        const program = block.programs.get(hash);
        // With independent calls, runIndependent does this, and runs them again with a larger window.
        if (program !== undefined && window === undefined) this.#programs.skipWindow(program, small);
      },
      onClose,
    };
  }

  /** Packs. If that fails, each program whose calls cannot be packed on their own either loses its kernel. */
  #packing<T>(block: GpuBlock, limits: PackLimits, pack: () => T): T {
    try {
      return pack();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) {
        for (const [hash, failure] of unpackable(block, limits)) this.dropKernel(hash, 'pack', failure);
      }
      throw error;
    }
  }

  /** All kernels of a block, compiled at once: a driver may need seconds for each. Throws if a program has none. */
  async #kernels(block: GpuBlock, window: number | undefined): Promise<Map<string, ReadyKernel>> {
    const compiled = [...block.programs].map(async ([hash, program]): Promise<[string, ReadyKernel]> => {
      const kernel = await this.#programs.kernel(program, window ?? this.#programs.firstWindow(program));
      if (kernel === undefined) throw new Error(`no kernel for program ${hash}`);
      return [hash, kernel];
    });
    return new Map(await Promise.all(compiled));
  }

  #maxCalls(kernel: ReadyKernel | undefined): number {
    const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = this.#opened.device.limits;
    const most = maxComputeWorkgroupsPerDimension * WORKGROUP_SIZE;
    const window = kernel?.kernel.window;
    if (window?.place !== 'storage') return most;
    const fits = Math.floor(maxStorageBufferBindingSize / (window.bytes + WINDOW_SPARE_BYTES)) - WORKGROUP_SIZE;
    return Math.max(1, Math.min(most, fits));
  }

  #checkAlive(): void {
    if (this.#closed) throw new EnvironmentError('GPU_DEVICE_LOST', 'the GPU executor is closed');
    const lost = this.#opened.lost();
    if (lost !== undefined) throw new Error(lost);
  }

  /** Errors of the device outside any batch are reported as a failure of the next block, and never printed. */
  #checkStray(): void {
    const stray = this.#opened.stray.take();
    if (stray === undefined) return;
    throw new EnvironmentError('GPU_FAILED', `the GPU reported an error: ${stray.message}`, {
      facts: { errors: stray.count },
      hint: 'The CPU policies give the same state.',
    });
  }

  /** Drops all buffers: one may be invalid, and a hanging batch may still write to others. */
  #failed(error: unknown): Promise<unknown> {
    this.#buffers.close();
    return this.#explain(error);
  }

  /** The error to reject with: GPU_DEVICE_LOST if the device is lost, else GPU_FAILED. */
  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof EnvironmentError) return error;
    // The loss is announced after the calls that fail because of it.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const lost = this.#opened.lost();
    const message = messageOf(error);
    const options = { hint: 'The CPU policies give the same state.', cause: error };
    return lost === undefined
      ? new EnvironmentError('GPU_FAILED', `the GPU rejected a batch: ${message}`, options)
      : new EnvironmentError('GPU_DEVICE_LOST', `the GPU device was lost: ${lost}`, options);
  }
}

/** A run whose failures have stable error codes. */
class ExplainedRun implements ReadbackRun {
  constructor(
    readonly inner: BlockRun,
    readonly explain: (error: unknown) => Promise<unknown>,
  ) {}

  async run(number: number): Promise<ReadbackOutcomes> {
    try {
      return await this.inner.run(number);
    } catch (error) {
      throw await this.explain(error);
    }
  }

  set(key: number, value: Uint8Array | undefined): void {
    this.inner.set(key, value);
  }

  close(): void {
    this.inner.close();
  }
}
