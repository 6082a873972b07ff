// Blocks that are run in parts, each over what those before it have written: what must be as one at a time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { LaneEngineOptions } from '../../src/execute/engine.js';
import { PartSizes } from '../../src/execute/rows/part-sizes.js';
import { shareWrites, WrittenState } from '../../src/execute/tasks/written-state.js';
import type { LaneKey, LaneOutcome, StateReader } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { fromBinaryString, toBinaryString } from '../../src/util/bytes.js';
import { PackedMap } from '../../src/util/packed-map.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const ROWS = 560;
/** A block of so many rows does not fit, 256 of them do. */
const MOST_BYTES = 330_000;
/** The same with the calls for the kernel. */
const MOST_WITH_CALLS = 480_000;

/** Counters, hot and own; now and then two messages, a new contract, one that spends what another left. */
function transactions(world: World, id: string): Transaction[] {
  const txs: Transaction[] = [];
  for (let i = 0; i < ROWS; i++) {
    if (i === 5) {
      txs.push(
        makeTx({ witnesses: [envelope(PROBE)], protostones: [{ pointer: 0, refund: 0, message: call('1:0', 0) }] }),
      );
    } else if (i % 50 === 7) txs.push(message(call(id, 4, i), call(id, 4, 0)));
    else if (i % 50 === 11) txs.push(message(call('2:2', 4, i)));
    else if (i % 50 === 13) {
      const far = txs[Math.max(0, i - 400)];
      const spend = [{ txid: far.txid, vout: 0 }];
      txs.push(makeTx({ spend, protostones: [{ pointer: 0, refund: 0, message: call(id, 4, 0) }] }));
    } else if (i % 50 === 17) {
      const spend = [world.give({ '2:1': 10n })];
      txs.push(makeTx({ spend, protostones: [{ pointer: 0, refund: 1, message: call(id, 9, 2, 1, 7) }] }));
    } else if (i % 50 === 19) {
      const spend = [{ txid: txs[i - 2].txid, vout: 0 }];
      txs.push(makeTx({ spend, protostones: [{ pointer: 0, refund: 1, message: call(id, 4, 3) }] }));
    } else txs.push(message(call(id, 4, i % 3 === 0 ? 0 : i)));
  }
  return txs;
}

describe('a block in parts', () => {
  const cases: [string, Partial<LaneEngineOptions>][] = [
    ['here', { policy: 'cpu', workers: 0 }],
    ['on workers', { policy: 'cpu', workers: 2 }],
    ['on workers, no reads predicted', { policy: 'cpu', workers: 2, predictReads: false }],
    ['in the kernel', { policy: 'gpu', workers: 2, gpu: new FakeGpu(), mostBlockBytes: MOST_WITH_CALLS }],
  ];
  it.each(cases)('leaves what it leaves one at a time: %s', async (_, options) => {
    const world = new World();
    const block = makeBlock(transactions(world, world.deploy()));
    const expected: LaneOutcome[] = [];
    const sequential = makeEngine({ policy: 'sequential', onOutcome: (_tx, outcome) => expected.push(outcome) });
    const truth = await sequential.processBlock(block, world.height, sourceOf(world));
    const outcomes: LaneOutcome[] = [];
    const own = makeEngine({ mostBlockBytes: MOST_BYTES, ...options, onOutcome: (_tx, made) => outcomes.push(made) });
    const result = await own.processBlock(BlockOffsets.read(block.raw), world.height, sourceOf(world));
    expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
    expect(sortedWrites(result)).toEqual(sortedWrites(truth));
    expect(result.statistics.lane).toEqual(truth.statistics.lane);
    expect(outcomes).toEqual(expected);
    const { statistics, plan, receipts } = result;
    const { executors } = statistics;
    expect([statistics.tooLarge, plan.laneTxs, executors.sequential < ROWS]).toEqual([0, ROWS, true]);
    // Those that spend what another part has left are dry-run.
    expect(plan.demoted).toBeGreaterThan(0);
    expect(plan.demoted).toBeLessThan(truth.plan.demoted);
    // Colours of a part come behind those of the parts before it.
    expect(Math.max(...receipts.map(({ colour }) => colour))).toBe(plan.colours);
    expect(receipts[ROWS - 1].colour).toBeGreaterThan(Math.max(...receipts.slice(0, 200).map(({ colour }) => colour)));
    expect(plan.widths.reduce((sum, width) => sum + width, 0)).toBe(ROWS - plan.demoted);
  });

  it('is as large as has room, and smaller after one that had none', () => {
    const sizes = new PartSizes(1_000_000);
    expect(sizes.partAt(0, 7_000)).toEqual({ from: 0, to: 7_000 });
    expect(sizes.partAt(0, 20_000)).toEqual({ from: 0, to: 10_000 });
    expect(sizes.partAt(0, 50_000)).toEqual({ from: 0, to: 16_384 });
    sizes.took({ from: 0, to: 16_384 }, 16_384 * 10);
    expect(sizes.partAt(16_384, 50_000)).toEqual({ from: 16_384, to: 50_000 });
    expect(sizes.partAt(16_384, 200_000)).toEqual({ from: 16_384, to: 66_384 });
    sizes.took({ from: 0, to: 16_384 }, 16_384 * 500);
    expect(sizes.partAt(16_384, 50_000)).toEqual({ from: 16_384, to: 17_384 });
    expect(sizes.shrink({ from: 16_384, to: 17_384 })).toBe(true);
    expect(sizes.partAt(16_384, 50_000)).toEqual({ from: 16_384, to: 16_640 });
    expect(sizes.shrink({ from: 16_384, to: 16_640 })).toBe(false);
    sizes.took({ from: 16_384, to: 16_640 }, 1);
    // Not again and again in one block.
    expect([0, 1, 2, 3].map(() => sizes.shrink({ from: 16_640, to: 82_176 }))).toEqual([true, true, true, false]);
  });
});

describe('the state after parts of a block', () => {
  const names = fc.constantFrom(...Array.from({ length: 24 }, (_, i) => `store/${'x'.repeat(32)}/${i % 7}${i}`));
  const values = fc.option(fc.uint8Array({ minLength: 1, maxLength: 5 }), { nil: undefined });
  const writes = fc.array(fc.tuple(names, values), { maxLength: 12 }).map((list) => new Map(list));

  /** As a store reads: all ways of it. */
  function reader(rows: ReadonlyMap<LaneKey, Uint8Array>): StateReader {
    return {
      get: (key) => rows.get(key),
      getAt: (bytes, start, end) => rows.get(toBinaryString(bytes.subarray(start, end))),
      getMany: (keys) => keys.map((key) => rows.get(key)),
      getManyAt: (bytes, starts, ends) =>
        [...starts].map((start, i) => rows.get(toBinaryString(bytes.subarray(start, ends[i])))),
      allUnder: (prefix, most) => {
        const found = [...rows].filter(([key]) => key.startsWith(prefix));
        return found.length > most ? undefined : new Map(found);
      },
    };
  }

  it('is that before it with all writes, however it is asked for', () => {
    fc.assert(
      fc.property(writes, fc.array(writes, { maxLength: 4 }), fc.integer({ min: 0, max: 30 }), (first, parts, most) => {
        const rows = new Map(
          [...first].filter((row): row is [LaneKey, Uint8Array<ArrayBuffer>] => row[1] !== undefined),
        );
        const state = new WrittenState(reader(new Map(rows)));
        let count = 0;
        for (const part of parts) {
          state.add(shareWrites(PackedMap.from(part)));
          count += part.size;
          for (const [key, value] of part) {
            if (value === undefined) rows.delete(key);
            else rows.set(key, value);
          }
        }
        const keys = [...new Set([...first.keys(), ...parts.flatMap((part) => [...part.keys()]), 'code/none'])];
        const expected = keys.map((key) => rows.get(key));
        expect(keys.map((key) => state.get(key))).toEqual(expected);
        expect(state.getMany?.(keys)).toEqual(expected);
        const bytes = fromBinaryString(keys.join(''));
        const ends = Uint32Array.from(keys, (_, i) => keys.slice(0, i + 1).join('').length);
        const starts = Uint32Array.from(keys, (key, i) => ends[i] - key.length);
        expect(state.getManyAt?.(bytes, starts, ends)).toEqual(expected);
        expect(keys.map((_, i) => state.getAt?.(bytes, starts[i], ends[i]))).toEqual(expected);
        const all = state.allUnder?.('store/', most, 1_000_000);
        if (all !== undefined) expect([...all].sort()).toEqual([...rows].sort());
        else expect(Math.max(rows.size, first.size, count / 16)).toBeGreaterThanOrEqual(Math.min(most, 1));
        if (most === 30 && count > 0) expect(all).toBeDefined();
      }),
    );
  });

  it('offers no way of reading that the state before the block has not', () => {
    const { getAt, getMany, getManyAt, allUnder } = new WrittenState({ get: () => undefined });
    expect([getAt, getMany, getManyAt, allUnder]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
