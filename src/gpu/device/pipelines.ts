import { BoundedCache } from '../../program/lru.js';
import { inErrorScopes, type OpenDevice } from './device.js';

/** Pipelines that are kept for other programs with the same text, the ones used last. */
const MAX_SHARED = 64;

/**
 * Compiles the texts of kernels. Programs that differ only in what no kernel sees, as custom sections or the values of
 * static data, have the same text: they share one compilation and one pipeline.
 */
export class Pipelines {
  readonly #shared = new BoundedCache<Promise<GPUComputePipeline>>(MAX_SHARED, MAX_SHARED);
  readonly #layout: GPUPipelineLayout;

  constructor(
    private readonly opened: OpenDevice,
    bindings: GPUBindGroupLayout,
  ) {
    this.#layout = opened.device.createPipelineLayout({ bindGroupLayouts: [bindings] });
  }

  /** The pipeline of a kernel's text. Rejects with what the device says; the next call with that text tries again. */
  compile(wgsl: string): Promise<GPUComputePipeline> {
    const known = this.#shared.get(wgsl);
    if (known !== undefined) return known;
    const pipeline = this.#compile(wgsl);
    this.#shared.set(wgsl, pipeline, 1);
    pipeline.catch(() => void this.#shared.take(wgsl));
    return pipeline;
  }

  async #compile(wgsl: string): Promise<GPUComputePipeline> {
    const { device } = this.opened;
    const module = await inErrorScopes(device, () => device.createShaderModule({ code: wgsl }));
    return device.createComputePipelineAsync({ layout: this.#layout, compute: { module, entryPoint: 'main' } });
  }
}
