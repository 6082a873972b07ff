import type { KernelFailure, KernelStage } from '../gpu/device/kernel-failures.js';
import type { GpuBlock, GpuBlockRun, GpuCall, GpuCallResult, GpuExecutor, GpuTimings } from '../gpu/pack/types.js';
import type { Program } from '../program/types.js';

/** An executor without kernels for some programs: several processes can share the kernels of a chain between them. */
export class PartialExecutor implements GpuExecutor {
  /** `has`: whether the program with this hash runs in the kernel; the CPU runs the others. */
  constructor(
    private readonly inner: GpuExecutor,
    private readonly has: (hash: string) => boolean,
  ) {}

  get adapter(): GpuExecutor['adapter'] {
    return this.inner.adapter;
  }

  get timings(): GpuTimings {
    return this.inner.timings;
  }

  get kernelFailures(): GpuExecutor['kernelFailures'] {
    return this.inner.kernelFailures;
  }

  supports(program: Program): ReturnType<GpuExecutor['supports']> {
    if (!this.has(program.hash)) return { ok: false, reason: 'another process has its kernel' };
    return this.inner.supports(program);
  }

  kernelState(program: Program, calls: number): ReturnType<GpuExecutor['kernelState']> {
    return this.has(program.hash) ? this.inner.kernelState(program, calls) : 'none';
  }

  async prepare(program: Program): Promise<void> {
    if (this.has(program.hash)) await this.inner.prepare(program);
  }

  dropKernel(hash: string, stage: KernelStage, error: unknown): void {
    this.inner.dropKernel(hash, stage, error);
  }

  onKernelFailure(listener: (failure: KernelFailure) => void): void {
    this.inner.onKernelFailure(listener);
  }

  begin(block: GpuBlock): Promise<GpuBlockRun> {
    return this.inner.begin(block);
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return this.inner.run(calls);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
