// Programs that are too large for a kernel: their messages run on workers, and the others where they do anyway.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { call, makeBlock, PROBE, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const MESSAGES = 40;
/** The probe with custom bytes: what it does is the same, and its hash is another one. */
function otherProbe(probe: Uint8Array): Uint8Array {
  return Uint8Array.of(...probe, 0, 2, 1, 0x78);
}

describe('messages to programs without a kernel', () => {
  it('run on workers with one result, under gpu and under auto, beside those that the kernel runs', async () => {
    const gpu = new FakeGpu();
    const engines = (['gpu', 'auto'] as const).map((policy) => makeEngine({ policy, gpu, workers: 2 }));
    const world = new World();
    const small = world.deploy();
    const code = otherProbe(PROBE);
    const large = world.deploy(code);
    gpu.tooLarge.add(createHash('sha256').update(code).digest('hex'));
    for (let height = 0; height < 4; height++) {
      // All of them change one counter of their contract: no dry run is their result.
      const calls = Array.from({ length: MESSAGES }, (_, i) => message(call(i % 2 === 0 ? small : large, 4, 1)));
      const block = makeBlock(calls);
      const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
      for (const engine of engines) {
        const before = gpu.calls;
        const result = await engine.processBlock(block, world.height, sourceOf(world));
        expect(sortedWrites(result)).toEqual(sortedWrites(truth));
        expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
        // The kernel had no more than the messages to the small one.
        expect(gpu.calls - before).toBeLessThanOrEqual(MESSAGES / 2);
        if (engine !== engines[0]) continue;
        expect(result.statistics).toMatchObject({ punted: MESSAGES / 2, executors: { gpu: MESSAGES / 2 } });
      }
    }
  });
});

describe('the translator', () => {
  it('says what a program has too much of', () => {
    const turns = Array.from({ length: 4_000 }, () => [i32(1), op(OP.drop)]).flat();
    const b = new WasmBuilder();
    for (let i = 0; i < 8; i++) b.function('()->()', turns);
    const calls = Array.from({ length: 8 }, (_, i) => op(OP.call, i));
    const program = prepareProgram(b.execute([...calls, i32(4)]).bytes());
    const made = translateProgram(program, { bytes: 2_048, place: 'private' });
    expect(made).toEqual({ ok: false, reason: 'more than 60000 instructions' });
  });
});
