import type { Program } from '../../program/types.js';
import type { KernelFailure, KernelStage } from '../device/kernel-failures.js';
import type { GpuBlock, GpuBlockRun, GpuCall, GpuCallResult, GpuExecutor, GpuTimings } from './types.js';

/** An executor that leaves everything to another one: what differs is for its subclasses to say. */
export abstract class ForwardingExecutor implements GpuExecutor {
  constructor(protected readonly inner: GpuExecutor) {}

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
    return this.inner.supports(program);
  }

  kernelState(program: Program, calls: number): ReturnType<GpuExecutor['kernelState']> {
    return this.inner.kernelState(program, calls);
  }

  prepare(program: Program): Promise<void> {
    return this.inner.prepare(program);
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

  get calibrate(): GpuExecutor['calibrate'] {
    const { inner } = this;
    return inner.calibrate?.bind(inner);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
