import type { BufferPool } from './device/buffers.js';
import type { OpenDevice } from './device/device.js';
import type { ReadyKernel } from './device/kernel-cache.js';
import type { StagingPool } from './device/staging.js';
import { withTimeout } from './device/time-limit.js';
import { AddressSpace } from './pack/address-space.js';
import { MappedOutcomes } from './pack/outcomes.js';
import { type Dispatch, type PackedBlock, type PackedSegment, statusWords } from './pack/pack.js';
import type { GpuBlock, GpuTimings, ReadbackRun } from './pack/types.js';
import {
  BUFFERS,
  type BufferName,
  NONE,
  PARAMS,
  PARAMS_STRIDE,
  PUNTS,
  RESULT,
  SLOT,
  stopCode,
  WINDOW_SPARE_BYTES,
  WORKGROUP_SIZE,
} from './translate/layout.js';

/** Most fuel that one submission to a hardware GPU may burn: far below what drivers take for a hang. */
const SUBMISSION_FUEL = 2e11;
/** Status word of a call that stored outside its window. */
const WINDOW_PUNT = stopCode('PUNT', PUNTS.indexOf('window'));
/** Independent calls that are given back run far more slowly: one in so many with too small a window counts. */
const FEW_TOO_SMALL = 16;
/** Room in `input_state` for the values that the CPU sets between segments. */
const VALUE_ROOM = 256 * 1024;

/** What all runs of an executor share. */
export interface DeviceResources {
  readonly opened: OpenDevice;
  readonly layout: GPUBindGroupLayout;
  readonly buffers: BufferPool;
  readonly staging: StagingPool;
  readonly timings: GpuTimings;
  /** Whether to wait after every phase, so that each can be measured. */
  readonly measure: boolean;
  readonly timeoutMs: number;
  readonly seed: number;
  /** Many calls of a dispatch needed more memory than their window holds, the one with this number. */
  onSmallWindow(programHash: string, window: number): void;
  onClose(): void;
}

/** A packed block on the device; its kernels are compiled. */
export class BlockRun implements ReadbackRun {
  readonly #buffers: Readonly<Record<BufferName | 'params', GPUBuffer>>;
  readonly #mapped: GPUBuffer[] = [];
  readonly #addresses: AddressSpace;
  readonly #begun: Promise<(GPUError | null)[]>;
  #dispatched = 0;
  #closed = false;

  constructor(
    readonly resources: DeviceResources,
    readonly block: GpuBlock,
    readonly packed: PackedBlock,
    readonly kernels: ReadonlyMap<string, ReadyKernel>,
    write: (target: ArrayBuffer) => void,
  ) {
    const { device } = resources.opened;
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    try {
      this.#buffers = this.#makeBuffers();
      const { bytes } = packed.sections.input_state;
      this.#addresses = new AddressSpace(block.records.bytes, bytes, this.#buffers.input_state.size - bytes);
      this.#upload(write);
    } finally {
      this.#begun = Promise.all([device.popErrorScope(), device.popErrorScope()]);
      // Awaited when the first segment runs; a device lost before that is reported there too.
      this.#begun.catch(() => undefined);
    }
  }

  async run(number: number): Promise<MappedOutcomes> {
    const { packed, resources } = this;
    const { device, flags } = resources.opened;
    const segment = packed.segments[number];
    if (segment === undefined) throw new RangeError('no such segment');
    const started = performance.now();
    throwFirst(await this.#begun);
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    if (resources.measure) await device.queue.onSubmittedWorkDone();
    const uploaded = performance.now();
    this.#dispatchAll(segment);
    if (resources.measure) await device.queue.onSubmittedWorkDone();
    const ran = performance.now();
    const size = this.#readbackSize(segment);
    const staging = resources.staging.takeForReading(size.bytes);
    this.#copyBack(segment, staging, size);
    const scopes = [device.popErrorScope(), device.popErrorScope()];
    const mapped = staging.mapAsync(flags.mapRead, 0, size.bytes);
    try {
      await withTimeout(Promise.all([mapped, ...scopes]), resources.timeoutMs);
    } catch (error) {
      // Not reused: the device may still write to it.
      staging.destroy();
      throw error;
    }
    this.#mapped.push(staging);
    throwFirst(await Promise.all(scopes));
    resources.timings.uploadMs += uploaded - started;
    resources.timings.kernelMs += ran - uploaded;
    resources.timings.readbackMs += performance.now() - ran;
    resources.timings.deviceMs += performance.now() - started;
    resources.timings.dispatches += segment.dispatches.length;
    resources.timings.bytesDown += size.bytes;
    const range = staging.getMappedRange(0, size.bytes);
    const output = new Uint8Array(range, size.resultBytes + size.seenBytes, size.outputBytes);
    this.#addresses.addOutput(packed.outAt[segment.first], packed.outAt[segment.end], output);
    const readback = {
      results: new Uint32Array(range, 0, size.resultBytes / 4),
      seen: new Uint32Array(range, size.resultBytes, size.seenBytes / 4),
      output,
    };
    this.#reportSmallWindows(segment, readback.results);
    const isAlone = packed.segments.length === 1;
    return new MappedOutcomes(this.block.records, packed, segment, readback, this.#addresses.read, isAlone);
  }

  set(key: number, value: Uint8Array | undefined): void {
    const { queue } = this.resources.opened.device;
    if (this.block.independent === true || key >= this.packed.slots) throw new RangeError('no such key');
    let address = NONE;
    if (value !== undefined) {
      const placed = this.#addresses.place(value);
      // Without room the old value stays: a transaction that reads it is found stale and run again.
      if (placed === undefined) return;
      queue.writeBuffer(this.#buffers.input_state, placed.at, placed.bytes);
      this.resources.timings.bytesUp += placed.bytes.length;
      address = placed.at + 4;
    }
    queue.writeBuffer(this.#buffers.state_map, (key * SLOT.words + SLOT.offset.VALUE) * 4, Uint32Array.of(address));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const buffer of this.#mapped) this.resources.staging.giveBackRead(buffer);
    this.resources.onClose();
  }

  #reportSmallWindows({ dispatches, first }: PackedSegment, results: Uint32Array): void {
    for (const dispatch of dispatches) {
      let tooSmall = 0;
      for (let i = dispatch.first; i < dispatch.first + dispatch.count; i++) {
        if (results[(i - first) * RESULT.words + RESULT.offset.STATUS] === WINDOW_PUNT) tooSmall++;
      }
      if (tooSmall * (this.block.independent === true ? FEW_TOO_SMALL : 2) <= dispatch.count) continue;
      this.resources.onSmallWindow(dispatch.programHash, this.#kernel(dispatch.programHash).window);
    }
  }

  #makeBuffers(): Record<BufferName | 'params', GPUBuffer> {
    const { packed } = this;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = this.resources.opened.flags.usage;
    const { sections } = packed;
    const pool = this.resources.buffers;
    const stateBytes = sections.input_state.bytes + VALUE_ROOM;
    const limit = this.resources.opened.device.limits.maxStorageBufferBindingSize;
    let memoryBytes = 4;
    for (const { dispatches } of packed.segments) {
      for (const dispatch of dispatches) memoryBytes = Math.max(memoryBytes, this.#memoryBytes(dispatch));
    }
    const image = this.kernels.values().next().value?.image;
    if (image === undefined) throw new RangeError('a block without kernels');
    return {
      tx_payloads: pool.get('tx_payloads', sections.tx_payloads.bytes, STORAGE | COPY_DST),
      input_state: pool.get('input_state', Math.min(stateBytes, limit), STORAGE | COPY_DST),
      state_map: pool.get('state_map', sections.state_map.bytes, STORAGE | COPY_DST),
      access_lists: pool.get('access_lists', sections.access_lists.bytes, STORAGE | COPY_DST),
      // Every program has its own: see #bindGroup.
      program_data: image,
      memory: pool.get('memory', memoryBytes, STORAGE | COPY_DST),
      output_state: pool.get('output_state', packed.outputWords * 4, STORAGE | COPY_SRC),
      status_flags: pool.get('status_flags', statusWords(packed) * 4, STORAGE | COPY_SRC | COPY_DST),
      params: pool.get('params', sections.params.bytes, UNIFORM | COPY_DST),
    };
  }

  #upload(write: (target: ArrayBuffer) => void): void {
    const { packed, resources } = this;
    const { device } = resources.opened;
    const staging = resources.staging.takeForWriting(packed.bytes);
    const started = performance.now();
    const target = staging.getMappedRange();
    write(target);
    this.#writeParams(target);
    staging.unmap();
    resources.timings.packMs += performance.now() - started;
    resources.timings.bytesUp += packed.bytes;
    const encoder = device.createCommandEncoder();
    for (const name of ['tx_payloads', 'access_lists', 'state_map', 'input_state', 'params'] as const) {
      const { at, bytes } = packed.sections[name];
      if (bytes > 0) encoder.copyBufferToBuffer(staging, at, this.#buffers[name], 0, bytes);
    }
    encoder.clearBuffer(this.#buffers.status_flags, 0, statusWords(packed) * 4);
    device.queue.submit([encoder.finish()]);
    resources.staging.giveBackWritten(staging);
  }

  #writeParams(target: ArrayBuffer): void {
    const { packed, resources } = this;
    const { at, bytes } = packed.sections.params;
    const words = new Uint32Array(target, at, bytes / 4);
    let entry = 0;
    for (const { dispatches } of packed.segments) {
      for (const { first, count } of dispatches) {
        words[entry + PARAMS.offset.FIRST] = first;
        words[entry + PARAMS.offset.COUNT] = count;
        words[entry + PARAMS.offset.STRIDE] = strideOf(count);
        words[entry + PARAMS.offset.SEED] = resources.seed;
        words[entry + PARAMS.offset.SEEN_AT] = packed.calls * RESULT.words;
        entry += PARAMS_STRIDE / 4;
      }
    }
  }

  #memoryBytes({ programHash, count }: Dispatch): number {
    const { window } = this.#kernel(programHash).kernel;
    return window.place === 'storage' ? (window.bytes + WINDOW_SPARE_BYTES) * strideOf(count) : 0;
  }

  #kernel(programHash: string): ReadyKernel {
    const kernel = this.kernels.get(programHash);
    if (kernel === undefined) throw new RangeError('a program without a kernel');
    return kernel;
  }

  /** One encoder for the whole segment, unless its calls could keep a shared GPU busy for too long. */
  #dispatchAll(segment: PackedSegment): void {
    const { device } = this.resources.opened;
    const { fuelBefore } = this.packed;
    const limit = this.resources.opened.adapter.software ? Number.POSITIVE_INFINITY : SUBMISSION_FUEL;
    let encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let fuel = 0;
    for (const dispatch of segment.dispatches) {
      const more = fuelBefore[dispatch.first + dispatch.count] - fuelBefore[dispatch.first];
      if (fuel > 0 && fuel + more > limit) {
        pass?.end();
        pass = undefined;
        device.queue.submit([encoder.finish()]);
        encoder = device.createCommandEncoder();
        fuel = 0;
      }
      fuel += more;
      const memory = this.#memoryBytes(dispatch);
      if (memory > 0) {
        pass?.end();
        pass = undefined;
        encoder.clearBuffer(this.#buffers.memory, 0, memory);
      }
      pass ??= encoder.beginComputePass();
      const kernel = this.#kernel(dispatch.programHash);
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, this.#bindGroup(kernel), [this.#dispatched++ * PARAMS_STRIDE]);
      pass.dispatchWorkgroups(Math.ceil(dispatch.count / WORKGROUP_SIZE));
    }
    pass?.end();
    device.queue.submit([encoder.finish()]);
  }

  #bindGroup(kernel: ReadyKernel): GPUBindGroup {
    const buffers = { ...this.#buffers, program_data: kernel.image };
    return this.resources.buffers.bindGroup(kernel.id, () => ({
      layout: this.resources.layout,
      entries: [
        ...BUFFERS.map(({ name }, binding) => ({ binding, resource: { buffer: buffers[name] } })),
        { binding: BUFFERS.length, resource: { buffer: buffers.params, offset: 0, size: PARAMS_STRIDE } },
      ],
    }));
  }

  #readbackSize({ first, end }: PackedSegment): ReadbackSize {
    const { firstAccess, outAt } = this.packed;
    const resultBytes = (end - first) * RESULT.words * 4;
    const seenBytes = (firstAccess[end] - firstAccess[first]) * 4;
    const outputBytes = (outAt[end] - outAt[first]) * 4;
    return { resultBytes, seenBytes, outputBytes, bytes: resultBytes + seenBytes + outputBytes };
  }

  #copyBack({ first }: PackedSegment, staging: GPUBuffer, size: ReadbackSize): void {
    const { device } = this.resources.opened;
    const { status_flags, output_state } = this.#buffers;
    const { calls, firstAccess, outAt } = this.packed;
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(status_flags, first * RESULT.words * 4, staging, 0, size.resultBytes);
    if (size.seenBytes > 0) {
      const at = (calls * RESULT.words + firstAccess[first]) * 4;
      encoder.copyBufferToBuffer(status_flags, at, staging, size.resultBytes, size.seenBytes);
    }
    if (size.outputBytes > 0) {
      const to = size.resultBytes + size.seenBytes;
      encoder.copyBufferToBuffer(output_state, outAt[first] * 4, staging, to, size.outputBytes);
    }
    device.queue.submit([encoder.finish()]);
  }
}

interface ReadbackSize {
  readonly resultBytes: number;
  readonly seenBytes: number;
  readonly outputBytes: number;
  readonly bytes: number;
}

function throwFirst(failures: readonly (GPUError | null)[]): void {
  for (const failure of failures) if (failure !== null) throw new Error(failure.message);
}

function strideOf(count: number): number {
  return Math.ceil(count / WORKGROUP_SIZE) * WORKGROUP_SIZE;
}
