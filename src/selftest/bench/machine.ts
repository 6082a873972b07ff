/** What each report of a benchmark says of its run: figures of two machines are not taken for one another's. */
import { availableParallelism, cpus } from 'node:os';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import { newRunId } from '../../util/run-id.js';
import { VERSION } from '../../util/version.js';

export interface Machine {
  readonly processor: string;
  readonly threads: number;
  readonly node: string;
  /** undefined: there is no GPU, and the kernel was not measured. */
  readonly adapter: string | undefined;
}

export interface BenchRun {
  /** Names this run, in the files that come of it. */
  readonly run: string;
  /** When it began to be reported (ISO 8601). */
  readonly at: string;
  readonly version: string;
  readonly machine: Machine;
}

/** A run of a benchmark on this machine, with `gpu` if there is one. */
export function benchRun(gpu: Pick<GpuExecutor, 'adapter'> | undefined): BenchRun {
  return {
    run: newRunId(),
    at: new Date().toISOString(),
    version: VERSION,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown processor',
      threads: availableParallelism(),
      node: process.version,
      adapter: gpu && `${gpu.adapter.vendor} ${gpu.adapter.description}`,
    },
  };
}

/** The first line of a report on a terminal. */
export function runLine({ run, machine: { processor, threads, adapter } }: BenchRun): string {
  return `run ${run}: ${processor}, ${threads} threads, ${adapter ?? 'no GPU'}`;
}
