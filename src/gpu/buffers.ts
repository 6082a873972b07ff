import type { OpenDevice } from './device.js';

/** Buffers by name that grow and are kept from batch to batch. */
export class BufferPool {
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(readonly opened: OpenDevice) {}

  /** The buffer `name` with room for `bytes`; what it held is lost when it grows. */
  get(name: string, bytes: number, usage: number): GPUBuffer {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.size < bytes) {
      buffer?.destroy();
      const limit = this.opened.device.limits.maxStorageBufferBindingSize;
      const size = Math.max(bytes, Math.min(2 ** Math.ceil(Math.log2(Math.max(bytes, 4096))), limit));
      buffer = this.opened.device.createBuffer({ label: name, size: Math.ceil(size / 4) * 4, usage });
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }

  /** The storage buffer `name` holding `words`. */
  upload(name: string, words: Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>, usage: number): GPUBuffer {
    const buffer = this.get(name, words.byteLength, usage | this.opened.flags.usage.COPY_DST);
    if (words.byteLength > 0) this.opened.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
