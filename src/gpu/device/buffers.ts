import type { OpenDevice } from './device.js';
import { sizeClass } from './staging.js';

const MAX_BIND_GROUPS = 1_024;

/** Named device buffers, which grow and are kept between blocks, and the bind groups that use them. */
export class BufferPool {
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();

  constructor(readonly opened: OpenDevice) {}

  /** The buffer `name` with room for `bytes`. When it has to grow, its content is lost. */
  get(name: string, bytes: number, usage: number): GPUBuffer {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.size < bytes) {
      buffer?.destroy();
      this.#bindGroups.clear();
      const limit = this.opened.device.limits.maxStorageBufferBindingSize;
      const size = Math.max(bytes, Math.min(sizeClass(bytes), limit));
      buffer = this.opened.device.createBuffer({ label: name, size: Math.ceil(size / 4) * 4, usage });
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }

  /** The bind group of kernel `id`, created again only after a buffer has grown. */
  bindGroup(id: string, describe: () => GPUBindGroupDescriptor): GPUBindGroup {
    let group = this.#bindGroups.get(id);
    if (group === undefined) {
      // They keep alive buffers of kernels that may have been dropped.
      if (this.#bindGroups.size >= MAX_BIND_GROUPS) this.#bindGroups.clear();
      group = this.opened.device.createBindGroup(describe());
      this.#bindGroups.set(id, group);
    }
    return group;
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#bindGroups.clear();
  }
}
