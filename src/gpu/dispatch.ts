import { randomBytes } from 'node:crypto';
import { BufferPool } from './buffers.js';
import type { OpenDevice } from './device.js';
import {
  BUFFERS,
  type BufferName,
  OUTPUT_BYTES,
  PARAMS_BINDING,
  STATUS_HEAD_WORDS,
  WINDOW_SPARE_BYTES,
  WORKGROUP_SIZE,
} from './layout.js';
import { type PackedBatch, Packer, packParams } from './pack.js';
import type { ReadyKernel } from './programs.js';
import type { GpuCall, GpuCallResult, GpuTimings } from './types.js';
import { unpackResults } from './unpack.js';

/** Most calls of one dispatch; beyond it nothing is won, and the buffers grow. */
export const MAX_BATCH_CALLS = 65_536;
/** Most bytes of any one buffer of a batch, if the device allows as much. */
export const MAX_BATCH_BYTES = 512 * 1024 * 1024;

/** Runs batches of one kernel: pack, upload, dispatch, read back. One batch at a time: the buffers are shared. */
export class Dispatcher {
  readonly #packer = new Packer();
  readonly #pool: BufferPool;

  constructor(
    readonly opened: OpenDevice,
    readonly layout: GPUBindGroupLayout,
    readonly timings: GpuTimings,
  ) {
    this.#pool = new BufferPool(opened);
  }

  /** Runs `calls`, all of the kernel's program. Throws what Dawn throws when the device is lost or out of memory. */
  async run(kernel: ReadyKernel, calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    const { device } = this.opened;
    const started = performance.now();
    const batch = this.#packer.pack(calls, randomBytes(4).readUInt32LE());
    const packed = performance.now();
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    const stride = Math.ceil(calls.length / WORKGROUP_SIZE) * WORKGROUP_SIZE;
    const buffers = this.#upload(kernel, batch, stride);
    await device.queue.onSubmittedWorkDone();
    const uploaded = performance.now();
    const statusBytes = (STATUS_HEAD_WORDS + batch.statusWords) * 4;
    this.#submit(kernel, batch, buffers, stride, statusBytes);
    await device.queue.onSubmittedWorkDone();
    const done = performance.now();
    const validation = await device.popErrorScope();
    const memory = await device.popErrorScope();
    const failure = validation ?? memory;
    if (failure !== null) throw new Error(failure.message);
    const status = new Uint32Array(await this.#read('status_flags', buffers.status_flags, statusBytes));
    const output = await this.#read('output_state', buffers.output_state, (status[0] ?? 0) * 4);
    const results = unpackResults(calls, status.subarray(STATUS_HEAD_WORDS), new Uint8Array(output));
    this.timings.packMs += packed - started;
    this.timings.uploadMs += uploaded - packed;
    this.timings.kernelMs += done - uploaded;
    this.timings.readbackMs += performance.now() - done;
    return results;
  }

  close(): void {
    this.#pool.close();
  }

  #upload(kernel: ReadyKernel, batch: PackedBatch, stride: number): Record<BufferName | 'params', GPUBuffer> {
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = this.opened.flags.usage;
    const pool = this.#pool;
    const { bytes, place } = kernel.kernel.window;
    const params = packParams(batch.calls, stride, batch.stateMap.length, batch.seed);
    return {
      tx_payloads: pool.upload('tx_payloads', batch.txPayloads, STORAGE),
      input_state: pool.upload('input_state', batch.inputState, STORAGE),
      state_map: pool.upload('state_map', batch.stateMap, STORAGE),
      access_lists: pool.upload('access_lists', batch.accessLists, STORAGE),
      program_data: kernel.image,
      memory: pool.get('memory', place === 'storage' ? (bytes + WINDOW_SPARE_BYTES) * stride : 4, STORAGE | COPY_DST),
      output_state: pool.get('output_state', OUTPUT_BYTES * batch.calls, STORAGE | COPY_SRC),
      status_flags: pool.get(
        'status_flags',
        (STATUS_HEAD_WORDS + batch.statusWords) * 4,
        STORAGE | COPY_SRC | COPY_DST,
      ),
      params: pool.upload('params', params, UNIFORM),
    };
  }

  #submit(
    { pipeline, kernel }: ReadyKernel,
    batch: PackedBatch,
    buffers: Record<BufferName | 'params', GPUBuffer>,
    stride: number,
    statusBytes: number,
  ): void {
    const { device } = this.opened;
    const entries = BUFFERS.map(({ name }, binding) => ({ binding, resource: { buffer: buffers[name] } }));
    const bindGroup = device.createBindGroup({
      layout: this.layout,
      entries: [...entries, { binding: PARAMS_BINDING, resource: { buffer: buffers.params } }],
    });
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffers.status_flags, 0, statusBytes);
    if (kernel.window.place === 'storage')
      encoder.clearBuffer(buffers.memory, 0, (kernel.window.bytes + WINDOW_SPARE_BYTES) * stride);
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(batch.calls / WORKGROUP_SIZE));
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  /** A copy of the first `bytes` of a buffer. */
  async #read(name: string, source: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return new ArrayBuffer(0);
    const { device, flags } = this.opened;
    const staging = this.#pool.get(`${name} staging`, bytes, flags.usage.MAP_READ | flags.usage.COPY_DST);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(flags.mapRead, 0, bytes);
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    return copy;
  }
}
