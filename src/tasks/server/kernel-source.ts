/** Where an engine's kernel comes from: a device of this machine, or that of a GPU server. */
import { openGpuExecutor, openTriedGpuExecutor } from '../../gpu/gpu-executor.js';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import { readAddress } from './address.js';
import type { Priority } from './messages.js';
import { RemoteExecutor } from './remote-executor.js';
import { readToken } from './token.js';

export interface KernelChoice {
  /** `unix:PATH` or `tcp:HOST:PORT`; not given: a device of this machine. */
  readonly gpuServer?: string | undefined;
  /** File of the token that the server wants. */
  readonly gpuTokenFile?: string | undefined;
  /** Longest wait for a batch, and for any sign of the server, in milliseconds. */
  readonly gpuTimeout?: number | undefined;
  /** For a device of this machine: kernels are waited for, however long they take. */
  readonly patient?: boolean | undefined;
}

export class KernelSource {
  /** What a server's queue goes by, from the next batch on. */
  priority: Priority;
  /** The server's, if it is one. */
  readonly isRemote: boolean;
  /** Opens the first executor; `onNoise` hears what drivers print meanwhile. Rejects with GPU_UNAVAILABLE. */
  readonly open: (onNoise?: (line: string) => void) => Promise<GpuExecutor>;
  /** Opens another one in the place of one whose device is lost. */
  readonly reopen: () => Promise<GpuExecutor>;

  /** Opens nothing yet. Throws UsageError USAGE_GPU_SERVER. */
  constructor(choice: KernelChoice, priority: Priority) {
    this.priority = priority;
    const { gpuServer, gpuTokenFile, gpuTimeout: timeoutMs, patient } = choice;
    this.isRemote = gpuServer !== undefined;
    if (gpuServer === undefined) {
      this.open = (onNoise) => openTriedGpuExecutor({ patient }, onNoise);
      this.reopen = () => openGpuExecutor({ patient });
      return;
    }
    const address = readAddress(gpuServer);
    const token = gpuTokenFile === undefined ? undefined : readToken(gpuTokenFile);
    const connect = (): Promise<GpuExecutor> =>
      RemoteExecutor.connect({ address, token, priority: () => this.priority, timeoutMs });
    this.open = connect;
    this.reopen = connect;
  }
}
