import { once } from 'node:events';
import { kernelError } from '../gpu/device/kernel-failures.js';
import { openGpuExecutor } from '../gpu/gpu-executor.js';
import { CpuBackend } from '../tasks/cpu/pool.js';
import { FastSide } from '../tasks/health/fast-side.js';
import { KernelBackend } from '../tasks/kernel/backend.js';
import { openTaskDevice, type TaskDevice } from '../tasks/kernel/device.js';
import { readAddress } from '../tasks/server/address.js';
import { LaneDesk } from '../tasks/server/lane-desk.js';
import { startTaskServer, type TaskServerOptions } from '../tasks/server/server.js';
import { readToken } from '../tasks/server/token.js';

const MIB = 1024 * 1024;

export interface GpuServerOptions {
  readonly listen: string;
  readonly tokenFile?: string;
  readonly jobs: number;
  readonly memory: number;
  readonly gpu: boolean;
}

/**
 * `warpshrew gpu-server`: serves calls of contracts and batch tasks until a signal ends it. Throws UsageError
 * USAGE_GPU_SERVER, EnvironmentError GPU_UNAVAILABLE, ENV_PORT_IN_USE or ENV_LISTEN_FAILED.
 */
export async function gpuServerCommand(options: GpuServerOptions): Promise<{ text: string; exitStatus: number }> {
  const address = readAddress(options.listen);
  const token = options.tokenFile === undefined ? undefined : readToken(options.tokenFile);
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const { sides, adapter, close } = options.gpu ? await withGpu() : withoutGpu();
  try {
    const server = await startTaskServer({
      ...sides,
      address,
      token,
      adapter,
      jobs: options.jobs,
      mostBytes: options.memory * MIB,
      onDropped: (why) => log(`a client was dropped: ${why}`),
    });
    process.stdout.write(`GPU server on ${server.address}: ${adapter} (Ctrl-C ends it)\n`);
    await stopped;
    const { done, failed } = server.figures;
    await server.close();
    return { text: `${done} jobs done, ${failed} failed`, exitStatus: 0 };
  } finally {
    await close();
  }
}

/** What does the work of a server. */
interface Workers {
  readonly sides: Pick<TaskServerOptions, 'fast' | 'lane'>;
  readonly adapter: string;
  /** Closes what no server has taken over. */
  close(): Promise<void>;
}

async function withGpu(): Promise<Workers> {
  let opened: TaskDevice | undefined = await openTaskDevice();
  const { vendor, description, software } = opened.adapter;
  const fast = new FastSide({
    open: async () => {
      const device = opened ?? (await openTaskDevice());
      opened = undefined;
      return new KernelBackend(device);
    },
    onFailure: (error) => log(error instanceof Error ? error.message : String(error)),
    onHealth: ({ from, to, why }) => log(`the kernel is ${to} (before: ${from}): ${why}`),
  });
  const lane = new LaneDesk({
    device: software ? 'software' : 'hardware',
    open: async () => {
      const executor = await openGpuExecutor();
      executor.onKernelFailure((failure) => log(kernelError(failure).explain()));
      return executor;
    },
    onFailure: (error) => log(`calls of contracts: ${error instanceof Error ? error.message : String(error)}`),
    onHealth: ({ from, to, why }) => log(`the kernel of contracts is ${to} (before: ${from}): ${why}`),
  });
  return { sides: { fast, lane }, adapter: `${vendor} ${description}`.trim(), close: async () => opened?.close() };
}

/** Batch tasks on the cores of this machine. Calls of contracts are refused: their clients have cores, too. */
function withoutGpu(): Workers {
  const fast = new FastSide({ open: async () => new CpuBackend() });
  return { sides: { fast }, adapter: 'no GPU, all cores', close: async () => undefined };
}

function log(line: string): void {
  process.stderr.write(`gpu-server: ${line}\n`);
}
