import type { OpenDevice } from './device.js';

/** Smallest staging buffer, in bytes. */
const SMALLEST = 64 * 1024;

/** The smallest power of two that holds `bytes`, at least {@link SMALLEST}. */
export function sizeClass(bytes: number): number {
  let size = SMALLEST;
  while (size < bytes) size *= 2;
  return size;
}

/** Buffers between the CPU and the device, kept by usage and size class. Those for writing are kept mapped. */
export class StagingPool {
  readonly #write = new Map<number, GPUBuffer[]>();
  readonly #read = new Map<number, GPUBuffer[]>();
  #closed = false;

  constructor(readonly opened: OpenDevice) {}

  /**
   * A buffer mapped for writing, with room for `bytes`. Return it with {@link giveBackWritten} once it is submitted.
   */
  takeForWriting(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const { MAP_WRITE, COPY_SRC } = this.opened.flags.usage;
    return (
      this.#write.get(size)?.pop() ??
      this.opened.device.createBuffer({
        label: 'staging to write',
        size,
        usage: MAP_WRITE | COPY_SRC,
        mappedAtCreation: true,
      })
    );
  }

  /** Takes back an unmapped buffer; it is free again when the device has copied from it. */
  giveBackWritten(buffer: GPUBuffer): void {
    buffer.mapAsync(this.opened.flags.mapWrite).then(
      () => this.#keep(this.#write, buffer),
      // The device is lost, and the buffer with it.
      () => buffer.destroy(),
    );
  }

  /** A buffer to copy into and then map for reading, with room for `bytes`. */
  takeForReading(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const { MAP_READ, COPY_DST } = this.opened.flags.usage;
    return (
      this.#read.get(size)?.pop() ??
      this.opened.device.createBuffer({ label: 'staging to read', size, usage: MAP_READ | COPY_DST })
    );
  }

  /** Takes back a buffer that was mapped for reading, or was to be. */
  giveBackRead(buffer: GPUBuffer): void {
    buffer.unmap();
    this.#keep(this.#read, buffer);
  }

  close(): void {
    this.#closed = true;
    for (const pool of [this.#write, this.#read]) {
      for (const buffers of pool.values()) for (const buffer of buffers) buffer.destroy();
      pool.clear();
    }
  }

  #keep(pool: Map<number, GPUBuffer[]>, buffer: GPUBuffer): void {
    if (this.#closed) {
      buffer.destroy();
      return;
    }
    const list = pool.get(buffer.size);
    if (list === undefined) pool.set(buffer.size, [buffer]);
    else list.push(buffer);
  }
}
