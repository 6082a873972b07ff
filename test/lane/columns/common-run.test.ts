import { describe, expect, test } from 'vitest';
import { BlockOffsets } from '../../../src/bitcoin/block-offsets.js';
import { mergeWrites } from '../../../src/execute/run/merge-writes.js';
import { runColumns, runSequential } from '../../../src/execute/sequential.js';
import { isCommon } from '../../../src/lane/columns/lane-columns.js';
import { scanColumns } from '../../../src/lane/columns/scan-columns.js';
import { scanBlock } from '../../../src/lane/scan.js';
import type { LaneKey, LaneOutcome } from '../../../src/lane/types.js';
import { ProgramRunner } from '../../../src/program/runner.js';
import { applyWrites } from '../../../src/selftest/fuzz/fuzz.js';
import { FuzzBlocks } from '../../../src/selftest/fuzz/fuzz-blocks.js';
import { builtPrograms, PROGRAM_NAMES } from '../../../src/util/built-wasm.js';

const built = builtPrograms();
const programs = new Map(PROGRAM_NAMES.map((name) => [name, built[name]]));

describe('transactions of the common kind', () => {
  test.each(['a', 'b', 'c', 'd'])('end as the generator ends them, on random blocks (%s)', (seed) => {
    const runner = new ProgramRunner();
    const statuses = new Map<string, number>();
    let common = 0;
    for (let world = 0; world < 4; world++) {
      const source = new FuzzBlocks(`common ${seed} ${world}`, programs);
      const state = new Map<LaneKey, Uint8Array>();
      const before = { get: (key: LaneKey) => state.get(key) };
      for (let height = 0; height < 20; height++) {
        const block = source.next(height, state);
        const context = { height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
        const expected = runSequential(scanBlock(block, before), context, before, runner);
        const columns = scanColumns(BlockOffsets.read(block.raw), before);
        const found: LaneOutcome[] = [];
        const writes = runColumns(columns, context, before, runner, (outcome) => found.push(outcome));
        expect(found).toEqual(expected);
        expect(writes).toEqual(mergeWrites(expected));
        found.forEach(({ messages }, row) => {
          if (!isCommon(columns, row)) return;
          common++;
          for (const { status } of messages) statuses.set(status, (statuses.get(status) ?? 0) + 1);
        });
        applyWrites(state, writes);
      }
    }
    expect(common).toBeGreaterThan(100);
    console.log(common, [...statuses]);
  });
});
