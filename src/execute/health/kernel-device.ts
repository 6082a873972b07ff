/** The kernel's executor as an engine has it: with its health, and with a new device in the place of a lost one. */
import { type ErrorCode, WarpshrewError } from '../../errors/errors.js';
import { type KernelFailure, messageOf } from '../../gpu/device/kernel-failures.js';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import { encodeDump } from './call-dump.js';
import { CrossCheck, type DisputedCall, KernelMismatch } from './cross-check.js';
import type { EngineHealth } from './engine-health.js';
import { type KernelCause, KernelHealth, type KernelTransition } from './kernel-health.js';
import { KernelLoad, type KernelLoadOptions } from './kernel-load.js';

/** Keeps dumps. What it throws is counted, and nothing else happens. */
export interface DumpPlace {
  write(name: string, dump: Uint8Array): void;
}

export interface KernelDeviceOptions extends KernelLoadOptions {
  readonly gpu?: GpuExecutor;
  /** Opens an executor on a new device after a loss; without it a loss is final. The engine closes what it opened. */
  readonly reopenGpu?: () => Promise<GpuExecutor>;
  /** There is no executor yet, and `reopenGpu` may give one later: its absence counts as an opening that has failed. */
  readonly awaitsGpu?: boolean;
  /** Hears once of every program that lost its kernel to a failure; the CPU runs it. */
  readonly onKernelFailure?: (failure: KernelFailure) => void;
  /** Hears of every failure of the kernel as a whole; the block goes on on the CPU. */
  readonly onGpuFailure?: (error: unknown) => void;
  /** Hears of every transition of the kernel's health. */
  readonly onKernelHealth?: (transition: KernelTransition) => void;
  /** Share of the kernel's results that the CPU recomputes before they are used, in per cent; none if not given. */
  readonly crossCheck?: number;
  /** Where dumps of disputed calls are kept; nowhere if not given. */
  readonly dumpPlace?: DumpPlace;
  /** Hears of each dump that could not be kept, and why. */
  readonly onDumpLost?: (why: string) => void;
  /** Milliseconds of a clock that never goes back; that of the process if not given. */
  readonly now?: () => number;
}

/** Without a kernel nothing is ever asked of it. */
export class KernelDevice {
  readonly crossCheck: CrossCheck;
  readonly load: KernelLoad;
  readonly #options: KernelDeviceOptions;
  readonly #health: KernelHealth;
  #gpu: GpuExecutor | undefined;
  /** Whether the device of `#gpu` is lost. */
  #isLost = false;
  #isAwaited: boolean;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #failures = 0;
  #lastFailure: ErrorCode | undefined;
  #checked = 0;
  #dumps = 0;
  #lostDumps = 0;
  /** Of executors before this one. */
  #kernelFailures = 0;
  #lastKernelFailure: KernelFailure | undefined;

  constructor(options: KernelDeviceOptions) {
    this.#options = options;
    this.load = new KernelLoad(options);
    this.crossCheck = new CrossCheck(options.crossCheck ?? 0);
    const { gpu, reopenGpu, onKernelHealth: onTransition, onKernelFailure, now = () => performance.now() } = options;
    this.#health = new KernelHealth({ now, canReopen: reopenGpu !== undefined, onTransition });
    this.#gpu = gpu;
    this.#isAwaited = gpu === undefined && reopenGpu !== undefined && options.awaitsGpu === true;
    if (onKernelFailure !== undefined) gpu?.onKernelFailure(onKernelFailure);
  }

  /** The executor, if a block may use it now. */
  get usable(): GpuExecutor | undefined {
    return this.#isLost || !this.#health.mayUse ? undefined : this.#gpu;
  }

  /** Whether there is one that no block may use now, after failures. */
  get isPaused(): boolean {
    return this.#gpu !== undefined && this.usable === undefined;
  }

  /** A block is about to begin. A lost device that may be probed gets a successor, opened beside the blocks to come. */
  blockBegins(): void {
    const { reopenGpu } = this.#options;
    if (this.#isAwaited && !this.#isLost) {
      this.#isLost = true;
      this.#health.failed('not-opened');
    }
    if (!this.#isLost || reopenGpu === undefined || this.#opening !== undefined || !this.#health.mayUse) return;
    this.#health.begins();
    this.#opening = this.#reopen(reopenGpu).finally(() => {
      this.#opening = undefined;
    });
  }

  /** Has the device measured beside whatever runs; `hear` gets microseconds. A failure is one of the kernel. */
  calibrate(hear: (us: number) => void): void {
    const failed = (error: unknown): void => {
      if (!this.#isClosed) this.failed(error);
    };
    void this.#gpu?.calibrate?.().then(hear, failed);
  }

  /** The kernel is about to run something. */
  begins(): void {
    this.#health.begins();
  }

  checked(count: number): void {
    this.#checked += count;
  }

  succeeded(checked: number): void {
    this.#health.succeeded(checked);
  }

  failed(error: unknown): void {
    const code = error instanceof WarpshrewError ? error.code : 'INTERNAL';
    this.#failures++;
    this.#lastFailure = code;
    if (code === 'GPU_DEVICE_LOST') this.#isLost = true;
    if (error instanceof KernelMismatch) this.#keep(error.disputed);
    this.#options.onGpuFailure?.(error);
    this.#health.failed(causeOf(code));
  }

  get figures(): Pick<
    EngineHealth,
    'gpu' | 'gpuFailures' | 'lastGpuFailure' | 'kernelFailures' | 'lastKernelFailure' | 'kernel'
  > {
    const kernels = this.#gpu?.kernelFailures;
    const { probeInMs, ...report } = this.#health.report;
    const probeAt = probeInMs === undefined ? undefined : new Date(Date.now() + probeInMs).toISOString();
    return {
      gpu: this.#gpu === undefined && !this.#isAwaited ? 'none' : this.#health.state,
      gpuFailures: this.#failures,
      lastGpuFailure: this.#lastFailure,
      kernelFailures: this.#kernelFailures + (kernels?.count ?? 0),
      lastKernelFailure: kernels?.last ?? this.#lastKernelFailure,
      kernel: {
        ...report,
        probeAt,
        checkedCalls: this.#checked,
        dumps: this.#dumps,
        lostDumps: this.#lostDumps,
        ...this.load.figures,
      },
    };
  }

  /** Closes what was opened here. Does not wait for a device that is being opened: it is closed when it comes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#gpu !== this.#options.gpu) await this.#gpu?.close();
  }

  #keep(disputed: DisputedCall): void {
    const { dumpPlace, onDumpLost } = this.#options;
    this.#checked++;
    if (dumpPlace === undefined) return;
    try {
      const { txid, call } = disputed;
      const dump = encodeDump(disputed, this.#gpu?.adapter.description ?? '');
      if (dump === undefined) throw new Error('it is too large');
      dumpPlace.write(`${call.height}-${txid.slice(0, 16)}`, dump);
      this.#dumps++;
    } catch (error) {
      this.#lostDumps++;
      onDumpLost?.(`a dump of a disputed call is lost: ${messageOf(error)}`);
    }
  }

  async #reopen(open: () => Promise<GpuExecutor>): Promise<void> {
    try {
      const gpu = await open();
      if (this.#isClosed) {
        await gpu.close();
        return;
      }
      const before = this.#gpu;
      this.#kernelFailures += before?.kernelFailures.count ?? 0;
      this.#lastKernelFailure = before?.kernelFailures.last ?? this.#lastKernelFailure;
      const { onKernelFailure } = this.#options;
      if (onKernelFailure !== undefined) gpu.onKernelFailure(onKernelFailure);
      this.#gpu = gpu;
      this.#isLost = false;
      this.#isAwaited = false;
      await before?.close();
    } catch {
      // Whatever it is: the health says so, and the next cool-down is twice as long.
      this.#health.failed('not-opened');
    }
  }
}

function causeOf(code: ErrorCode): KernelCause {
  if (code === 'GPU_DEVICE_LOST') return 'device-lost';
  if (code === 'GPU_TIMEOUT') return 'timeout';
  return code === 'GPU_MISMATCH' ? 'mismatch' : 'failure';
}
