/// <reference types="@webgpu/types" preserve="true" />
import { EnvironmentError } from '../../errors/errors.js';
import { pollCalmly } from './calm-polling.js';

/** Numeric flags that the browser has as globals. */
export interface GpuFlags {
  readonly usage: typeof GPUBufferUsage;
  readonly mapRead: number;
  readonly mapWrite: number;
  readonly compute: number;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  /** Errors outside any error scope. Never printed. */
  readonly stray: StrayErrors;
  readonly flags: GpuFlags;
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Why the device was lost; undefined while it works. */
  lost(): string | undefined;
  /**
   * Destroys the device, so that the process can end. Blocks this thread until the driver has finished compiling: a
   * thread that ended earlier would crash the process.
   */
  close(): void;
}

// Never released: Dawn crashes at random if the object that create() returns is garbage-collected while any GPU object
// is alive, even one of a closed device. It does not keep the process alive once every device is closed.
let root: GPU | undefined;

/** Errors of a device outside any error scope. Without a listener, Dawn prints them to standard output. */
class StrayErrors {
  #count = 0;
  #last: string | undefined;

  constructor(device: GPUDevice) {
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#count++;
      this.#last = event.error.message;
    });
  }

  /** Number of errors since the last call, and the last one's message; undefined if there were none. */
  take(): { readonly count: number; readonly message: string } | undefined {
    const message = this.#last;
    if (message === undefined) return undefined;
    const taken = { count: this.#count, message };
    this.#count = 0;
    this.#last = undefined;
    return taken;
  }
}

const SCOPES = ['internal', 'out-of-memory', 'validation'] as const;

/** Does `work` on the device synchronously; rejects with the error that the device reports for it. */
export async function inErrorScopes<T>(device: GPUDevice, work: () => T): Promise<T> {
  for (const scope of SCOPES) device.pushErrorScope(scope);
  let errors: Promise<(GPUError | null)[]>;
  let result: T;
  try {
    result = work();
  } finally {
    errors = Promise.all(SCOPES.map(() => device.popErrorScope()));
    // If `work` throws, nothing awaits these.
    errors.catch(() => undefined);
  }
  for (const error of await errors) if (error !== null) throw new Error(error.message);
  return result;
}

function unavailable(message: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('GPU_UNAVAILABLE', message, {
    hint: 'Use the CPU policies, or run it with the bundled software driver: warpshrew software-gpu -- COMMAND',
    cause,
  });
}

/**
 * Opens a device of the best adapter with all of the adapter's limits.
 * Throws `EnvironmentError` GPU_UNAVAILABLE if Dawn cannot be loaded, or there is no adapter, or it gives no device.
 */
export async function openDevice(): Promise<OpenDevice> {
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch (cause) {
    throw unavailable('the WebGPU implementation cannot be loaded on this system', cause);
  }
  root ??= dawn.create([]);
  try {
    const adapter = await root.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw unavailable('there is no GPU adapter');
    return await fromAdapter(adapter, dawn.globals);
  } catch (cause) {
    throw cause instanceof EnvironmentError ? cause : unavailable('the GPU adapter gives no device', cause);
  }
}

async function fromAdapter(adapter: GPUAdapter, globals: object): Promise<OpenDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  let lost: string | undefined;
  let closed = false;
  void device.lost.then((info) => {
    if (!closed) lost = info.message || info.reason;
  });
  const { vendor, description, architecture } = adapter.info;
  const software = adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${description} ${architecture}`);
  if (software) pollCalmly();
  return {
    device,
    stray: new StrayErrors(device),
    flags: flagsOf(globals),
    adapter: { vendor, description, software },
    lost: () => lost,
    close: () => {
      if (closed) return;
      closed = true;
      device.destroy();
    },
  };
}

function flagsOf(globals: object): GpuFlags {
  const { GPUBufferUsage, GPUMapMode, GPUShaderStage } = globals as Pick<
    typeof globalThis,
    'GPUBufferUsage' | 'GPUMapMode' | 'GPUShaderStage'
  >;
  return {
    usage: GPUBufferUsage,
    mapRead: GPUMapMode.READ,
    mapWrite: GPUMapMode.WRITE,
    compute: GPUShaderStage.COMPUTE,
  };
}
