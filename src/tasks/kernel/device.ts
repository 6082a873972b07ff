import { EnvironmentError } from '../../errors/errors.js';
import { BufferPool } from '../../gpu/device/buffers.js';
import { inErrorScopes, type OpenDevice, openDevice } from '../../gpu/device/device.js';
import { messageOf } from '../../gpu/device/kernel-failures.js';
import { Pipelines } from '../../gpu/device/pipelines.js';
import { StagingPool } from '../../gpu/device/staging.js';
import { TIMEOUT_MS, withTimeout } from '../../gpu/device/time-limit.js';
import type { WorkKind } from '../work/work.js';
import type { Segment } from './segments.js';
import { kernelOf, workgroupsOf } from './texts.js';
import { SegmentClock, type SegmentTrace } from './trace.js';

/** What runs segments. */
export interface TaskDevice {
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Most bytes of one buffer. */
  readonly mostBytes: number;
  /** Compiles the kernel for a kind of work, unless it is; rejects as `run` does. */
  prepare(kind: WorkKind): Promise<void>;
  /**
   * Fills the segment's room, and says whether the kernel has set its flag. Three are under way at a time. Rejects with
   * an EnvironmentError GPU_DEVICE_LOST, GPU_TIMEOUT or GPU_FAILED.
   */
  run(segment: Segment): Promise<boolean>;
  close(): Promise<void>;
}

export interface TaskDeviceOptions {
  /** Longest wait for a segment, in milliseconds; default: 30 s on hardware, 10 minutes on a software driver. */
  readonly timeoutMs?: number | undefined;
  /** Hears of each segment that is done; each of its steps is a submission of its own then. */
  readonly onSegment?: ((trace: SegmentTrace) => void) | undefined;
}

interface ReadyTask {
  readonly pipeline: GPUComputePipeline;
  readonly data: GPUBuffer;
}

type SegmentBuffers = Readonly<
  Record<'task' | 'input' | 'output' | 'flag' | 'params' | 'staging' | 'reading', GPUBuffer>
>;

/** Segments under way at a time: one is computed while the next is packed and the one before is read back. */
const SLOTS = 3;
const PARAMS_BYTES = 256;
const FLAG_BYTES = 4;

/** Throws EnvironmentError GPU_UNAVAILABLE where there is no usable GPU. */
export async function openTaskDevice(options: TaskDeviceOptions = {}): Promise<TaskDevice> {
  return new DawnTasks(await openDevice(), options);
}

/** Kernels of batch tasks on a device that Dawn opened. */
export class DawnTasks implements TaskDevice {
  readonly adapter: TaskDevice['adapter'];
  readonly mostBytes: number;
  readonly #opened: OpenDevice;
  readonly #timeoutMs: number;
  readonly #onSegment: TaskDeviceOptions['onSegment'];
  readonly #layout: GPUBindGroupLayout;
  readonly #pipelines: Pipelines;
  readonly #tasks = new Map<WorkKind, Promise<ReadyTask>>();
  readonly #staging: StagingPool;
  readonly #slots: BufferPool[];
  /** The slots that are free, and who waits for one. */
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #isClosed = false;

  constructor(opened: OpenDevice, { timeoutMs, onSegment }: TaskDeviceOptions = {}) {
    this.#opened = opened;
    this.#onSegment = onSegment;
    this.adapter = opened.adapter;
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS[opened.adapter.software ? 'software' : 'hardware'];
    const { device, flags } = opened;
    this.mostBytes = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize, 2 ** 31 - 4);
    const types: GPUBufferBindingType[] = ['read-only-storage', 'read-only-storage', 'storage', 'storage'];
    this.#layout = device.createBindGroupLayout({
      entries: [
        ...types.map((type, binding) => ({ binding, visibility: flags.compute, buffer: { type } })),
        { binding: types.length, visibility: flags.compute, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ],
    });
    this.#pipelines = new Pipelines(opened, this.#layout);
    this.#staging = new StagingPool(opened);
    this.#slots = Array.from({ length: SLOTS }, () => new BufferPool(opened));
    this.#free = this.#slots.map((_, slot) => slot);
  }

  async prepare(kind: WorkKind): Promise<void> {
    try {
      this.#check();
      await withTimeout(this.#task(kind), this.#timeoutMs);
    } catch (error) {
      throw await this.#explain(error);
    }
  }

  async run(segment: Segment): Promise<boolean> {
    this.#underWay++;
    const slot = this.#free.pop() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)));
    try {
      this.#check();
      return await this.#run(segment, this.#slots[slot]);
    } catch (error) {
      // A buffer may be invalid, and a hanging submission may still write to it.
      this.#slots[slot].close();
      throw await this.#explain(error);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(slot);
      else next(slot);
      this.#underWay--;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    for (const slot of this.#slots) slot.close();
    this.#staging.close();
    this.#opened.close();
  }

  async #run(segment: Segment, slot: BufferPool): Promise<boolean> {
    const { device, flags } = this.#opened;
    const task = await this.#task(segment.kind);
    const size = FLAG_BYTES + segment.back.bytes;
    let reading: GPUBuffer | undefined;
    let mapped: Promise<undefined> | undefined;
    const clock = this.#onSegment === undefined ? undefined : new SegmentClock();
    const submitted = inErrorScopes(device, () => {
      const staging = this.#staging.takeForReading(size);
      reading = staging;
      this.#submit(segment, slot, task, staging, clock);
      mapped = staging.mapAsync(flags.mapRead, 0, size);
    });
    try {
      await withTimeout(Promise.all([submitted, mapped]), this.#timeoutMs);
    } catch (error) {
      // Not reused: the device may still write to it.
      reading?.destroy();
      mapped?.catch(() => undefined);
      throw error;
    }
    if (reading === undefined) throw new RangeError('nothing was submitted');
    clock?.mark('readStart');
    const range = new Uint8Array(reading.getMappedRange(0, size));
    const flag = range[0] !== 0;
    segment.read(range.subarray(FLAG_BYTES));
    this.#staging.giveBackRead(reading);
    clock?.mark('readEnd');
    if (clock !== undefined) this.#onSegment?.(clock.traceOf(segment));
    return flag;
  }

  #submit(segment: Segment, slot: BufferPool, task: ReadyTask, reading: GPUBuffer, clock?: SegmentClock): void {
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = this.#opened.flags.usage;
    const { dispatches, inputBytes } = segment;
    const input = slot.get('task input', segment.inPlace ? 4 : Math.max(4, inputBytes), STORAGE | COPY_DST);
    const output = slot.get('task output', Math.max(4, segment.outputBytes), STORAGE | COPY_SRC | COPY_DST);
    const flag = slot.get('task flag', FLAG_BYTES, STORAGE | COPY_SRC | COPY_DST);
    const params = slot.get('task params', Math.max(1, dispatches.length) * PARAMS_BYTES, UNIFORM | COPY_DST);
    const paramBytes = dispatches.length * PARAMS_BYTES;
    clock?.mark('packStart');
    const staging = this.#packed(segment, paramBytes);
    clock?.mark('packEnd');
    try {
      const buffers = { task: task.data, input, output, flag, params, staging, reading };
      this.#encode(segment, slot, task.pipeline, buffers, clock);
    } catch (error) {
      staging.destroy();
      throw error;
    }
    clock?.mark('submitted');
    this.#staging.giveBackWritten(staging);
  }

  #encode(
    segment: Segment,
    slot: BufferPool,
    pipeline: GPUComputePipeline,
    { task, input, output, flag, params, staging, reading }: SegmentBuffers,
    clock: SegmentClock | undefined,
  ): void {
    const { device } = this.#opened;
    const { dispatches, inputBytes } = segment;
    const paramBytes = dispatches.length * PARAMS_BYTES;
    let encoder = device.createCommandEncoder();
    /** Where a trace is wanted, each step is a submission of its own, so that its end can be seen. */
    const endStep = (step: 'uploaded' | 'computed'): void => {
      if (clock === undefined) return;
      device.queue.submit([encoder.finish()]);
      clock.markWhen(step, device.queue.onSubmittedWorkDone());
      encoder = device.createCommandEncoder();
    };
    if (inputBytes > 0) encoder.copyBufferToBuffer(staging, 0, segment.inPlace ? output : input, 0, inputBytes);
    if (paramBytes > 0) encoder.copyBufferToBuffer(staging, inputBytes, params, 0, paramBytes);
    encoder.clearBuffer(flag, 0, FLAG_BYTES);
    endStep('uploaded');
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const buffers = [task, input, output, flag];
    const group = slot.bindGroup(segment.kind, () => ({
      layout: this.#layout,
      entries: [
        ...buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
        { binding: buffers.length, resource: { buffer: params, offset: 0, size: PARAMS_BYTES } },
      ],
    }));
    dispatches.forEach(({ invocations }, i) => {
      pass.setBindGroup(0, group, [i * PARAMS_BYTES]);
      pass.dispatchWorkgroups(workgroupsOf(segment.kind, invocations));
    });
    pass.end();
    endStep('computed');
    encoder.copyBufferToBuffer(flag, 0, reading, 0, FLAG_BYTES);
    const { at, bytes } = segment.back;
    if (bytes > 0) encoder.copyBufferToBuffer(output, at, reading, FLAG_BYTES, bytes);
    device.queue.submit([encoder.finish()]);
  }

  /** The segment's input and its parameters in staging memory: from the caller's columns in one copy. */
  #packed(segment: Segment, paramBytes: number): GPUBuffer {
    const { dispatches, inputBytes } = segment;
    const staging = this.#staging.takeForWriting(inputBytes + paramBytes);
    const target = staging.getMappedRange();
    segment.write(new Uint8Array(target, 0, inputBytes));
    dispatches.forEach(({ invocations, params: [first, second, third] }, i) => {
      new Uint32Array(target, inputBytes + i * PARAMS_BYTES, 4).set([invocations, first, second, third]);
    });
    staging.unmap();
    return staging;
  }

  /** The kernel for a kind of work, compiled once. A failure is forgotten, so that the next segment tries again. */
  #task(kind: WorkKind): Promise<ReadyTask> {
    let task = this.#tasks.get(kind);
    if (task === undefined) {
      task = this.#compile(kind);
      this.#tasks.set(kind, task);
      task.catch(() => this.#tasks.delete(kind));
    }
    return task;
  }

  async #compile(kind: WorkKind): Promise<ReadyTask> {
    const { device, flags } = this.#opened;
    const { wgsl, data } = kernelOf(kind);
    const pipeline = await this.#pipelines.compile(wgsl);
    const buffer = await inErrorScopes(device, () => {
      const made = device.createBuffer({ size: data.byteLength, usage: flags.usage.STORAGE | flags.usage.COPY_DST });
      device.queue.writeBuffer(made, 0, Uint32Array.from(data));
      return made;
    });
    return { pipeline, data: buffer };
  }

  #check(): void {
    if (this.#isClosed) throw new EnvironmentError('GPU_DEVICE_LOST', 'the device of batch tasks is closed');
    const lost = this.#opened.lost();
    if (lost !== undefined) throw new Error(lost);
    const stray = this.#opened.stray.take();
    if (stray !== undefined) throw new Error(stray.message);
  }

  async #explain(error: unknown): Promise<EnvironmentError> {
    if (error instanceof EnvironmentError) return error;
    // The loss is announced after the calls that fail because of it.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const lost = this.#opened.lost();
    const options = { hint: 'The CPU does it instead.', cause: error };
    return lost === undefined
      ? new EnvironmentError('GPU_FAILED', `the GPU rejected a batch: ${messageOf(error)}`, options)
      : new EnvironmentError('GPU_DEVICE_LOST', `the GPU device was lost: ${lost}`, options);
  }
}
