/// <reference types="@webgpu/types" />
import { EnvironmentError } from '../errors.js';

/** Numeric flags that the browser has as globals. */
export interface GpuFlags {
  readonly usage: typeof GPUBufferUsage;
  readonly mapRead: number;
  readonly mapWrite: number;
  readonly compute: number;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly flags: GpuFlags;
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Why the device was lost, once it is. */
  lost(): string | undefined;
  /** Destroys the device and lets the process end. */
  close(): void;
}

// Dawn dies at random if the object that create() returns is collected while a GPU object lives: held here until the last device
// is closed. The process does not end while it is held.
let root: GPU | undefined;
let openDevices = 0;

function unavailable(message: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('GPU_UNAVAILABLE', message, {
    hint: 'Use the CPU policies, or run the command with the bundled software driver: npm run software-gpu -- COMMAND',
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
    throw unavailable('the WebGPU implementation does not load on this system', cause);
  }
  root ??= dawn.create([]);
  openDevices++;
  const release = (): void => {
    if (--openDevices === 0) root = undefined;
  };
  try {
    const adapter = await root.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw unavailable('there is no GPU adapter');
    return await fromAdapter(adapter, dawn.globals, release);
  } catch (cause) {
    release();
    throw cause instanceof EnvironmentError ? cause : unavailable('the GPU adapter gives no device', cause);
  }
}

async function fromAdapter(adapter: GPUAdapter, globals: object, release: () => void): Promise<OpenDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  let lost: string | undefined;
  let closed = false;
  void device.lost.then((info) => {
    if (!closed) lost = info.message || info.reason;
  });
  const { vendor, description, architecture } = adapter.info;
  const software = adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${description} ${architecture}`);
  return {
    device,
    flags: flagsOf(globals),
    adapter: { vendor, description, software },
    lost: () => lost,
    close: () => {
      if (closed) return;
      closed = true;
      device.destroy();
      release();
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
