import { ForwardingExecutor } from '../gpu/pack/forwarding.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import type { Program } from '../program/types.js';

/** An executor without kernels for some programs: several processes can share the kernels of a chain between them. */
export class PartialExecutor extends ForwardingExecutor {
  /** `has`: whether the program with this hash runs in the kernel; the CPU runs the others. */
  constructor(
    inner: GpuExecutor,
    private readonly has: (hash: string) => boolean,
  ) {
    super(inner);
  }

  override supports(program: Program): ReturnType<GpuExecutor['supports']> {
    if (!this.has(program.hash)) return { ok: false, reason: 'another process has its kernel' };
    return super.supports(program);
  }

  override kernelState(program: Program, calls: number): ReturnType<GpuExecutor['kernelState']> {
    return this.has(program.hash) ? super.kernelState(program, calls) : 'none';
  }

  override async prepare(program: Program): Promise<void> {
    if (this.has(program.hash)) await super.prepare(program);
  }
}
