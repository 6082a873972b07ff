/** Why threads run rows of a block that uses the kernel, for their receipts. */
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { RunReason } from '../../lane/run-reason.js';
import type { Program } from '../../program/types.js';

type KernelStates = Pick<GpuExecutor, 'kernelState'>;

export class ThreadReasons {
  /** Whether the kernel has failed as a whole. */
  hasFailed = false;
  /** Rows that the kernel gave up, or of which it saw something else. */
  readonly givenUp = new Set<number>();
  /** Hashes of programs that were asked for and had no kernel to run them. */
  readonly #withoutKernel = new Set<string>();

  /** `programOf`: what the call of a row runs, as far as the kernel could be asked for it. */
  constructor(private readonly programOf: (row: number) => Program | undefined) {}

  /** `gpu`, of which is noted which programs it has no kernel for. */
  watched(gpu: KernelStates): KernelStates {
    return {
      kernelState: (program, calls) => {
        const state = gpu.kernelState(program, calls);
        if (state !== 'ready') this.#withoutKernel.add(program.hash);
        return state;
      },
    };
  }

  /** Of `row`; undefined: it was no matter of the kernel. */
  of(row: number): RunReason | undefined {
    if (this.givenUp.has(row)) return 'given-up';
    if (this.hasFailed) return 'kernel-failed';
    const program = this.programOf(row);
    return program !== undefined && this.#withoutKernel.has(program.hash) ? 'no-kernel' : undefined;
  }
}
