// Blocks that are cut into pieces of any size leave what whole ones leave.
import { expect, it, onTestFinished } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { ForwardingExecutor } from '../../src/gpu/pack/forwarding.js';
import type { GpuBlock, GpuBlockRun } from '../../src/gpu/pack/types.js';
import { PieceRun } from '../../src/gpu/pieces/piece-run.js';
import { applyWrites, BLOCKS_PER_WORLD, comparable } from '../../src/selftest/fuzz/fuzz.js';
import { FuzzBlocks } from '../../src/selftest/fuzz/fuzz-blocks.js';
import { FUZZ_PROGRAMS } from '../../src/selftest/fuzz/fuzz-programs.js';
import { V8Device } from '../../src/testing/gpu-server/v8-device.js';
import { builtPrograms } from '../../src/util/built-wasm.js';

class InPieces extends ForwardingExecutor {
  pieces = 0;
  largest = 0;

  constructor(
    readonly device: V8Device,
    readonly mostCalls: number,
  ) {
    super(device);
  }

  override async begin(block: GpuBlock): Promise<GpuBlockRun> {
    return new PieceRun(block, {
      mostCalls: () => this.mostCalls,
      atATime: 2,
      run: async (piece) => {
        this.pieces++;
        this.largest = Math.max(this.largest, piece.records.count);
        return (await (await this.device.begin(piece)).run(0)).readback;
      },
    });
  }
}

it.each([1, 2, 7, 16_384])('random blocks in pieces of %i calls leave what is true', async (mostCalls) => {
  const gpu = new InPieces(new V8Device(), mostCalls);
  const rules = { laneStartHeight: 0, dependent: 'demote', workers: 0 } as const;
  const engine = new LaneEngine({ policy: 'gpu', gpu, crossCheck: 100, ...rules });
  const uncut = new LaneEngine({ policy: 'gpu', gpu: new V8Device(), ...rules });
  const truth = new LaneEngine({ policy: 'sequential', ...rules });
  onTestFinished(async () => {
    await engine.close();
    await uncut.close();
    await truth.close();
  });
  const built: Readonly<Record<string, Uint8Array>> = builtPrograms();
  const programs = new Map(FUZZ_PROGRAMS.filter((name) => name !== 'actor').map((name) => [name, built[name]]));
  let ran = 0;
  for (let world = 0; world < 4; world++) {
    const blocks = new FuzzBlocks(`pieces ${world}`, programs);
    const state = new Map<string, Uint8Array>();
    for (let height = 0; height < BLOCKS_PER_WORLD; height++) {
      const block = BlockOffsets.read(blocks.next(height, state).raw);
      const source = { reader: { get: (key: string) => state.get(key) } };
      const result = await engine.processBlock(block, height, source);
      const expected = await truth.processBlock(block, height, source);
      expect(result.receipts.map(comparable)).toEqual(expected.receipts.map(comparable));
      expect(new Map(result.writes)).toEqual(new Map(expected.writes));
      // What a piece writes is what the next one reads: no call runs again that need not.
      const { executors, repaired } = (await uncut.processBlock(block, height, source)).statistics;
      expect(result.statistics).toMatchObject({ executors, repaired });
      ran += result.statistics.executors.gpu;
      applyWrites(state, expected.writes);
    }
  }
  expect(engine.health).toMatchObject({ gpu: 'healthy', gpuFailures: 0, kernelFailures: 0 });
  expect(ran).toBeGreaterThan(100);
  expect(gpu.largest).toBeLessThanOrEqual(mostCalls);
  expect(gpu.pieces).toBeGreaterThan(mostCalls === 1 ? 100 : 10);
});
