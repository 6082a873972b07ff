import { EnvironmentError } from '../../errors/errors.js';
import type { OpenDevice } from './device.js';

/** Words of the batch: little, so that it takes as long as waking the device does. */
const WORDS = 1_024;
const BYTES = 4 * WORDS;
const WORKGROUP = 64;
/** Measured so often at most; the first ones, in which drivers allocate and compile, are not counted. */
const ROUNDS = 12;
const FIRST_ROUNDS = 3;
/** After so many milliseconds no further one begins. */
const ENOUGH_MS = 100;
const FACTOR = 0x9e3779b1;

const SHADER = `
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(${WORKGROUP})
fn calibrate(@builtin(global_invocation_id) id: vec3u) {
  words[id.x] = words[id.x] * ${FACTOR}u + id.x;
}`;

/**
 * What a batch of next to nothing takes: microseconds from writing it until its results have been read, the least of a
 * few. Throws EnvironmentError GPU_MISMATCH if a result is wrong, and what the device throws; takes some milliseconds
 * on hardware, a tenth of a second at most unless one round takes longer.
 */
export async function measureLaunch({ device, flags }: Pick<OpenDevice, 'device' | 'flags'>): Promise<number> {
  const { usage, mapRead, compute } = flags;
  const layout = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: compute, buffer: { type: 'storage' } }],
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code: SHADER }), entryPoint: 'calibrate' },
  });
  const words = device.createBuffer({ size: BYTES, usage: usage.STORAGE | usage.COPY_DST | usage.COPY_SRC });
  const result = device.createBuffer({ size: BYTES, usage: usage.MAP_READ | usage.COPY_DST });
  try {
    const bindings = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: words } }] });
    const given = new Uint32Array(WORDS);
    let least = Number.POSITIVE_INFINITY;
    const begun = performance.now();
    for (let round = 0; round < ROUNDS && (round <= FIRST_ROUNDS || performance.now() - begun < ENOUGH_MS); round++) {
      for (let i = 0; i < WORDS; i++) given[i] = i ^ (round << 16);
      const started = performance.now();
      device.queue.writeBuffer(words, 0, given);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(WORDS / WORKGROUP);
      pass.end();
      encoder.copyBufferToBuffer(words, 0, result, 0, BYTES);
      device.queue.submit([encoder.finish()]);
      await result.mapAsync(mapRead);
      const found = new Uint32Array(result.getMappedRange().slice(0));
      const us = (performance.now() - started) * 1_000;
      result.unmap();
      if (round >= FIRST_ROUNDS) least = Math.min(least, us);
      assertRight(given, found);
    }
    return least;
  } finally {
    words.destroy();
    result.destroy();
  }
}

function assertRight(given: Uint32Array, found: Uint32Array): void {
  const wrong = given.findIndex((word, i) => found[i] !== (Math.imul(word, FACTOR) + i) >>> 0);
  if (wrong < 0) return;
  throw new EnvironmentError('GPU_MISMATCH', 'the GPU computed a wrong result while it was measured', {
    facts: { word: wrong, found: found[wrong] },
    hint: 'The CPU policies give the same state. Ask doctor.',
  });
}
