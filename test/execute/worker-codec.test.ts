import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runSequential } from '../../src/execute/sequential.js';
import type { DryRun } from '../../src/execute/tasks/block-tasks.js';
import { BlockTasks } from '../../src/execute/tasks/block-tasks.js';
import { BlockBudget } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { ByteReader, ByteWriter } from '../../src/execute/threads/byte-stream.js';
import {
  decodeDryRuns,
  decodeItems,
  decodeOutcomes,
  decodeTransactions,
  encodeDryRuns,
  encodeItems,
  encodeOutcomes,
  encodeTransactions,
} from '../../src/execute/threads/worker-codec.js';
import { type LaneTransaction, scanBlock } from '../../src/lane/scan.js';
import type { CallStatus, LaneKey, LaneOutcome } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Protostone } from '../../src/protocol/types.js';
import { applyWrites } from '../../src/selftest/fuzz/fuzz.js';
import { FuzzBlocks } from '../../src/selftest/fuzz/fuzz-blocks.js';
import { builtPrograms } from '../../src/util/built-wasm.js';

const BLOCKS = 25;
const runner = new ProgramRunner();

/** Blocks of every kind of transaction, with what they did and what their dry runs found. */
const blocks: { transactions: LaneTransaction[]; outcomes: LaneOutcome[]; dryRuns: DryRun[] }[] = [];
const programs = builtPrograms();
const source = new FuzzBlocks('codec', new Map([['probe', programs.probe] as const, ['mint', programs.mint] as const]));
const state = new Map<LaneKey, Uint8Array>();
for (let height = 0; height < BLOCKS; height++) {
  const block = source.next(height, state);
  const before = new CachingReader({ get: (key) => state.get(key) });
  const context = { height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
  const transactions = scanBlock(block, before);
  const dryRuns = new BlockTasks(context, before, runner, { seed: 1, programs: undefined }).dryRunAll(
    transactions,
    new BlockBudget(),
  );
  const outcomes = runSequential(transactions, context, before, runner);
  for (const { writes } of outcomes) applyWrites(state, writes);
  blocks.push({ transactions, outcomes, dryRuns });
}

describe('what goes between the engine and its workers comes out as it went in', () => {
  it('transactions', () => {
    for (const { transactions } of blocks) same(decodeTransactions(encodeTransactions(transactions)), transactions);
  });

  it('transactions with the values that they see', () => {
    for (const { transactions, outcomes } of blocks) {
      const items = transactions.map((transaction, i) => ({ transaction, overrides: outcomes[i].reads }));
      same(decodeItems(encodeItems(items)), items);
    }
  });

  it('outcomes and dry runs', () => {
    for (const { outcomes, dryRuns } of blocks) {
      same(decodeOutcomes(encodeOutcomes(outcomes)), outcomes);
      same(decodeDryRuns(encodeDryRuns(dryRuns)), dryRuns);
    }
    const all = blocks.flatMap(({ dryRuns }) => dryRuns);
    // The blocks have what is to be kept apart.
    expect(new Set(all.map(({ outcome }) => outcome.undone === undefined)).size).toBe(2);
    expect(new Set(all.map(({ call }) => call === undefined)).size).toBe(2);
    expect(all.some(({ declaredWrites }) => declaredWrites.length > 0)).toBe(true);
  });

  it('every status of a message', () => {
    const [{ outcomes }] = blocks;
    const statuses = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED', 'STANDARD'] as const;
    const call = { depth: 2, kind: 'staticcall', target: '4:9', codeHash: 'ab'.repeat(32), fuelUsed: 7 } as const;
    const calls = statuses.slice(0, 5).map((status, i) => {
      const opcode = i === 0 ? undefined : '340282366920938463463374607431768211455';
      return { ...call, opcode, status: status as CallStatus, parcel: 1_024, transfers: 3, dataBytes: 2 ** 25 };
    });
    const common = {
      ...{ protostone: 2, shadowVout: 5, target: undefined, fuelUsed: 3_500_000, data: 'ff00', dataBytes: 2 },
      ...{ calls, callTotal: 700 },
    };
    const messages = statuses.map((status) => ({ ...common, status, error: status === 'OK' ? undefined : status }));
    const given = outcomes.slice(0, 1).map((outcome) => ({ ...outcome, messages }));
    same(decodeOutcomes(encodeOutcomes(given)), given);
  });

  it('protostones with every field at its limits', () => {
    const most = 2n ** 128n - 1n;
    const protostone: Protostone = {
      index: 3,
      shadowVout: 70_000,
      protocolTag: most,
      length: most,
      message: undefined,
      burn: 0n,
      pointer: 0xffffffff,
      refund: 0,
      from: undefined,
      edicts: [{ id: { block: most, tx: 0n }, amount: most, output: 2n ** 64n }],
    };
    const [{ transactions }] = blocks;
    const given = { ...transactions[0], protostones: [protostone], parents: [0, 5] };
    same(decodeTransactions(encodeTransactions([given])), [given]);
  });
});

/** As `toEqual`, which takes minutes over so many bytes. */
function same(actual: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(actual, expected)).toBe(true);
}

type Item = string | Uint8Array | bigint | number | undefined;
const item = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
  fc.uint8Array({ maxLength: 300 }),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
  fc.integer({ min: 0, max: 0xfffffffe }),
);

describe('bytes of messages', () => {
  it('hold any texts, values and numbers, however often one occurs', () => {
    fc.assert(
      fc.property(fc.array(item), fc.infiniteStream(fc.nat()), (items, picks) => {
        const all: Item[] = [...items, undefined];
        // Some again, the very same arrays.
        for (let i = 0; i < items.length; i++) all.push(all[picks.next().value % all.length]);
        const out = new ByteWriter();
        for (const value of all) write(out, value);
        const from = new ByteReader(out.finish());
        for (const value of all) expect(read(from, value)).toEqual(value);
      }),
    );
  });

  it('write a large value once, and grow beyond their first buffer', () => {
    const large = new Uint8Array(100_000).fill(7);
    const out = new ByteWriter();
    for (let i = 0; i < 50; i++) out.value(large);
    out.value(large.slice());
    const bytes = out.finish();
    expect(bytes.length).toBe(2 * large.length + 51 * 4);
    const from = new ByteReader(bytes);
    const values = Array.from({ length: 51 }, () => from.value());
    expect(new Set(values).size).toBe(2);
    for (const value of values) same(value, large);
  });
});

function write(out: ByteWriter, value: Item): void {
  if (typeof value === 'string') out.text(value);
  else if (typeof value === 'bigint') out.bigNumber(value);
  else if (typeof value === 'number') out.number(value);
  else out.value(value);
}

function read(from: ByteReader, like: Item): Item {
  if (typeof like === 'string') return from.text();
  if (typeof like === 'bigint') return from.bigNumber();
  return typeof like === 'number' ? from.number() : from.value();
}
