import { BoundedCache } from '../../program/lru.js';
import type { Program } from '../../program/types.js';
import { BUFFERS, PARAMS_BINDING, PARAMS_STRIDE } from '../translate/layout.js';
import { type Kernel, type MemoryWindow, translateProgram } from '../translate/module.js';
import { CompileQueue } from './compile-queue.js';
import { inErrorScopes, type OpenDevice } from './device.js';
import type { KernelFailures, KernelStage } from './kernel-failures.js';
import { FEWEST_CALLS, type KernelLimits, tooLarge } from './kernel-limits.js';
import { Pipelines } from './pipelines.js';

/**
 * Sizes of the memory window of an invocation, tried in order: a program starts with the first that leaves room after
 * its static data, and a call that stores outside is run again with the next. The smaller a private array, the faster,
 * for all of it must be zeroed: on an NVIDIA H200 a batch of claims takes 0.65 ms with 2 KiB and 0.81 ms with 8 KiB.
 */
export const WINDOWS: readonly MemoryWindow[] = [
  { bytes: 2 * 1024, place: 'private', fromData: true },
  { bytes: 8 * 1024, place: 'private' },
  { bytes: 64 * 1024, place: 'storage' },
];

/** The largest window that a program starts with. */
const LARGEST_FIRST_WINDOW = 1;
/** Bytes assumed for a call's context, keys, values and result, until it is found to need more. */
const ROOM = 1024;

/** `waiting`: not compiled yet, or not worth it so far; `none`: the program has no kernel. */
export type KernelState = 'ready' | 'waiting' | 'none';

export interface ReadyKernel {
  /** Program hash and window number; unique on a device. */
  readonly id: string;
  /** Number of its window. */
  readonly window: number;
  readonly kernel: Kernel;
  readonly pipeline: GPUComputePipeline;
  /** The buffer `program_data`. */
  readonly image: GPUBuffer;
}

/** Most programs kept, and most bytes of their kernels: text, data and (estimated) pipelines. */
const MAX_PROGRAMS = 4_096;
const MAX_BYTES = 512 * 1024 * 1024;
/** Bytes counted for an entry and for a compiled kernel, whose real size is not known. */
const ENTRY_BYTES = 1_024;
const PIPELINE_BYTES = 1024 * 1024;

interface Entry {
  /** Calls that asked for a kernel before its compilation began. */
  calls: number;
  /** Whether translation was tried. */
  translated: boolean;
  /** A caller waits however long it takes: no time limit. */
  patient: boolean;
  readonly kernels: (Kernel | undefined)[];
  readonly ready: (Promise<ReadyKernel | undefined> | undefined)[];
  /** Numbers of the windows whose compilation has ended, well or not. */
  readonly settled: Set<number>;
  /** Why there is no kernel; undefined if there is one, or may be. */
  reason: string | undefined;
  /** Number of the window that its calls start with. */
  first: number;
}

/**
 * Kernels of programs, translated and compiled once per program hash. If a step fails, the program has no kernel;
 * nothing is thrown because of a program.
 */
export class ProgramCache {
  readonly #entries = new BoundedCache<Entry>(MAX_PROGRAMS, MAX_BYTES);
  readonly #queue: CompileQueue;
  readonly layout: GPUBindGroupLayout;
  readonly #pipelines: Pipelines;

  constructor(
    readonly opened: OpenDevice,
    readonly limits: KernelLimits,
    readonly failures: KernelFailures,
  ) {
    const { device, flags } = opened;
    this.#queue = new CompileQueue({ running: limits.compiling, waiting: limits.waiting });
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
    this.#pipelines = new Pipelines(opened, this.layout);
  }

  /** Why `program` has no kernel; undefined if the translator takes it. */
  noKernelReason(program: Program): string | undefined {
    return this.#translated(program).reason;
  }

  /** State of the kernel of `program`, which `calls` calls ask for; see {@link GpuExecutor.kernelState}. */
  state(program: Program, calls: number): KernelState {
    const entry = this.#entry(program.hash);
    if (entry.reason !== undefined) return 'none';
    if (entry.settled.has(entry.first)) return 'ready';
    entry.calls += calls;
    if (entry.calls < FEWEST_CALLS || entry.ready[entry.first] !== undefined || !this.#queue.hasRoom) return 'waiting';
    if (this.#translated(program).reason !== undefined) return 'none';
    void this.kernel(program, entry.first);
    return 'waiting';
  }

  /** Waits for the kernel of `program` without a time limit, even if the queue is full. */
  async prepare(program: Program): Promise<void> {
    const entry = this.#translated(program);
    if (entry.reason !== undefined) return;
    entry.patient = true;
    await this.kernel(program, entry.first);
  }

  /** The program with this hash has no kernel from now on. */
  dropKernel(hash: string, stage: KernelStage, error: unknown): void {
    const entry = this.#entry(hash);
    // Only the first reason is kept, counted and logged.
    entry.reason ??= this.failures.add(hash, stage, error);
  }

  /** Number of the window that calls of `program` start with. */
  firstWindow(program: Program): number {
    return this.#translated(program).first;
  }

  /** Most calls needed a larger window than `window`: start with the next one from now on. */
  skipWindow(program: Program, window: number): void {
    const entry = this.#translated(program);
    if (window + 1 < WINDOWS.length) entry.first = Math.max(entry.first, window + 1);
  }

  /** The compiled kernel with window number `window`; undefined if there is none, and then there never will be. */
  kernel(program: Program, window: number): Promise<ReadyKernel | undefined> {
    const entry = this.#translated(program);
    entry.ready[window] ??= this.#queue
      .run(() => this.#compile(program, entry, window))
      .catch((error: unknown) => {
        if (this.opened.lost() === undefined) this.dropKernel(program.hash, 'compile', error);
        return undefined;
      })
      .finally(() => {
        entry.settled.add(window);
        this.#weigh(program.hash, entry);
      });
    return entry.ready[window];
  }

  #entry(hash: string): Entry {
    let entry = this.#entries.get(hash);
    if (entry === undefined) {
      entry = {
        calls: 0,
        translated: false,
        patient: false,
        kernels: [],
        ready: [],
        settled: new Set(),
        reason: undefined,
        first: this.limits.firstWindow,
      };
      this.#weigh(hash, entry);
    }
    return entry;
  }

  /** The entry with its first kernel translated. */
  #translated(program: Program): Entry {
    const entry = this.#entry(program.hash);
    if (entry.translated || entry.reason !== undefined) return entry;
    entry.translated = true;
    // The reasons why there is no kernel hold for every window.
    this.#translate(program, entry, entry.first);
    while (
      entry.first < LARGEST_FIRST_WINDOW &&
      entry.reason === undefined &&
      (entry.kernels[entry.first]?.room ?? 0) < ROOM
    ) {
      this.#translate(program, entry, ++entry.first);
    }
    this.#weigh(program.hash, entry);
    return entry;
  }

  #translate(program: Program, entry: Entry, window: number): void {
    const size = WINDOWS[window];
    if (size === undefined) throw new RangeError('no such window');
    try {
      const translation = translateProgram(program, size);
      const reason = translation.ok ? tooLarge(translation.kernel.inlined, this.limits) : translation.reason;
      if (reason !== undefined) entry.reason ??= reason;
      else if (translation.ok) entry.kernels[window] = translation.kernel;
    } catch (error) {
      this.dropKernel(program.hash, 'translate', error);
    }
  }

  async #compile(program: Program, entry: Entry, window: number): Promise<ReadyKernel | undefined> {
    if (entry.kernels[window] === undefined && entry.reason === undefined) this.#translate(program, entry, window);
    const kernel = entry.kernels[window];
    if (kernel === undefined || entry.reason !== undefined) return undefined;
    const { device, flags } = this.opened;
    const image = await inErrorScopes(device, () =>
      device.createBuffer({
        size: Math.max(4, kernel.image.byteLength),
        usage: flags.usage.STORAGE | flags.usage.COPY_DST,
      }),
    );
    const late = this.#watch(program.hash, entry);
    try {
      const pipeline = await this.#pipelines.compile(kernel.wgsl);
      if (entry.reason !== undefined) return undefined;
      const words = new Uint8Array(kernel.image.buffer, 0, kernel.image.byteLength).slice();
      await inErrorScopes(device, () => device.queue.writeBuffer(image, 0, words));
      return { id: `${program.hash} ${window}`, window, kernel, pipeline, image };
    } finally {
      clearTimeout(late);
    }
  }

  /** Gives up on a driver that takes too long. It compiles to the end all the same, and the result is dropped. */
  #watch(hash: string, entry: Entry): NodeJS.Timeout | undefined {
    const { compileMs } = this.limits;
    if (!Number.isFinite(compileMs)) return undefined;
    const late = setTimeout(() => {
      if (!entry.patient) this.dropKernel(hash, 'compile', `the driver took longer than ${compileMs} ms`);
    }, compileMs);
    late.unref();
    return late;
  }

  /** Updates the entry's weight in the cache, which drops the least recently used ones. */
  #weigh(hash: string, entry: Entry): void {
    const kernels = entry.kernels.reduce(
      (sum, k) => sum + (k === undefined ? 0 : k.wgsl.length + k.image.byteLength),
      0,
    );
    this.#entries.set(hash, entry, ENTRY_BYTES + kernels + entry.settled.size * PIPELINE_BYTES);
  }
}
