import type { Program } from '../program/types.js';
import type { OpenDevice } from './device.js';
import { BUFFERS, PARAMS_BINDING, PARAMS_STRIDE } from './layout.js';
import { type Kernel, type MemoryWindow, translateProgram } from './translate/module.js';

/**
 * Sizes of the memory an invocation holds, tried in order: a program starts with the first that leaves room behind its static
 * data, and a call that stores behind it is run again with the next. The smaller a private array, the faster: on an NVIDIA H200 the
 * claims of a batch take 0.65 ms with 2 KiB and 0.81 ms with 8 KiB, which all have to be zeroed.
 */
export const WINDOWS: readonly MemoryWindow[] = [
  { bytes: 2 * 1024, place: 'private', fromData: true },
  { bytes: 8 * 1024, place: 'private' },
  { bytes: 64 * 1024, place: 'storage' },
];

/** The window that a program starts with at the latest. */
const ROOMIEST = 1;
/** Bytes that a call needs for its context, keys, values and result, unless it is found to need more. */
const ROOM = 1024;

export interface ReadyKernel {
  /** Program hash and window: names it among the kernels of a device. */
  readonly id: string;
  readonly kernel: Kernel;
  readonly pipeline: GPUComputePipeline;
  /** The buffer `program_data`. */
  readonly image: GPUBuffer;
}

interface Entry {
  readonly kernels: (Kernel | undefined)[];
  readonly ready: (Promise<ReadyKernel | undefined> | undefined)[];
  /** Numbers of the windows whose kernel is compiled (or refused by the driver). */
  readonly settled: Set<number>;
  /** Why there is no kernel; undefined if there is one. */
  reason: string | undefined;
  /** Window that its calls start with. */
  first: number;
}

/** Kernels of programs, translated and compiled once per program hash. */
export class ProgramCache {
  readonly #entries = new Map<string, Entry>();
  readonly layout: GPUBindGroupLayout;
  readonly #pipelineLayout: GPUPipelineLayout;

  constructor(readonly opened: OpenDevice) {
    const { device, flags } = opened;
    const storage = BUFFERS.map(
      ({ access }, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: flags.compute,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      }),
    );
    this.layout = device.createBindGroupLayout({
      entries: [
        ...storage,
        {
          binding: PARAMS_BINDING,
          visibility: flags.compute,
          buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: PARAMS_STRIDE },
        },
      ],
    });
    this.#pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [this.layout] });
  }

  /** Why `program` has no kernel, or undefined if it has one. */
  refusal(program: Program): string | undefined {
    return this.#entry(program).reason;
  }

  /** Number of the window that calls of `program` start with. */
  firstWindow(program: Program): number {
    return this.#entry(program).first;
  }

  /** Most calls needed a larger window: start with it from now on. */
  skipWindow(program: Program, window: number): void {
    const entry = this.#entry(program);
    if (window + 1 < WINDOWS.length) entry.first = Math.max(entry.first, window + 1);
  }

  /** The compiled kernel with window number `window`; undefined (and refused from then on) if the driver does not take it. */
  kernel(program: Program, window: number): Promise<ReadyKernel | undefined> {
    const entry = this.#entry(program);
    entry.ready[window] ??= this.#compile(program, entry, window).finally(() => entry.settled.add(window));
    return entry.ready[window];
  }

  /** Whether {@link kernel} would answer at once; if not, the compilation begins now. */
  isReady(program: Program, window: number): boolean {
    const entry = this.#entry(program);
    if (entry.reason !== undefined || entry.settled.has(window)) return true;
    void this.kernel(program, window);
    return false;
  }

  #entry(program: Program): Entry {
    let entry = this.#entries.get(program.hash);
    if (entry === undefined) {
      entry = { kernels: [], ready: [], settled: new Set(), reason: undefined, first: 0 };
      // What is refused is so with any window.
      entry.reason = this.#translate(program, entry, 0);
      while (entry.first < ROOMIEST && entry.reason === undefined && (entry.kernels[entry.first]?.room ?? 0) < ROOM) {
        entry.reason = this.#translate(program, entry, ++entry.first);
      }
      this.#entries.set(program.hash, entry);
    }
    return entry;
  }

  #translate(program: Program, entry: Entry, window: number): string | undefined {
    const size = WINDOWS[window];
    if (size === undefined) return 'no such window';
    const translation = translateProgram(program, size);
    if (!translation.ok) return translation.reason;
    entry.kernels[window] = translation.kernel;
    return undefined;
  }

  async #compile(program: Program, entry: Entry, window: number): Promise<ReadyKernel | undefined> {
    if (entry.kernels[window] === undefined) this.#translate(program, entry, window);
    const kernel = entry.kernels[window];
    if (kernel === undefined) return undefined;
    const { device, flags, lost } = this.opened;
    try {
      const module = device.createShaderModule({ code: kernel.wgsl });
      const pipeline = await device.createComputePipelineAsync({
        layout: this.#pipelineLayout,
        compute: { module, entryPoint: 'main' },
      });
      const image = device.createBuffer({
        size: Math.max(4, kernel.image.byteLength),
        usage: flags.usage.STORAGE | flags.usage.COPY_DST,
      });
      device.queue.writeBuffer(image, 0, new Uint8Array(kernel.image.buffer, 0, kernel.image.byteLength).slice());
      return { id: `${program.hash} ${window}`, kernel, pipeline, image };
    } catch (error) {
      if (lost() === undefined && window === entry.first) {
        entry.reason = `the driver refuses the kernel: ${error instanceof Error ? error.message : String(error)}`;
      }
      return undefined;
    }
  }
}
