// Contracts that a block creates, clones and calls: a run in a batch may see a clone without the code that it points
// at, because what others have written is only a guess there.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import { InternalError } from '../../src/errors/errors.js';
import { RowTable } from '../../src/execute/rows/row-table.js';
import { BlockBudget } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { AT } from '../../src/execute/tasks/row-records.js';
import { RowTasks } from '../../src/execute/tasks/row-tasks.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import { codeKey } from '../../src/lane/keys.js';
import { decodeReceipt } from '../../src/lane/receipt-bytes.js';
import type { LaneKey } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { idBytes } from '../../src/protocol/alkane-id.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { concatBytes, fromBinaryString } from '../../src/util/bytes.js';
import { builtProgram, call, envelope, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const MINT = envelope(builtProgram('mint'));
const PROBE = envelope(builtProgram('probe'));

type Step = { readonly does: 'create' | 'clone' | 'call' | 'both'; readonly n: number };

/** `n`: the contract that is cloned or called; those of a block are the first few numbers. */
function transactionOf({ does, n }: Step): Transaction {
  const create = { pointer: 0, refund: 0, message: call('1:0', 0) };
  if (does === 'create') return makeTx({ witnesses: [n % 2 === 0 ? MINT : PROBE], protostones: [create] });
  if (does === 'clone') return message(call(`5:${n}`, 0));
  if (does === 'both') return message(call(`5:${n}`, 0), call(`2:${n + 1}`, 4, n));
  return message(call(`2:${n}`, 4, n));
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom('create', 'clone', 'clone', 'call', 'call', 'both'),
  n: fc.integer({ min: 2, max: 6 }),
});

/** Enough for several threads in each of a few batches, and for the kernel: calls of the probe `id`. */
const othersOf = (id: string): Transaction[] =>
  Array.from({ length: 6 * 16 }, (_, i) => message(call(id, 18, i % 16, (i >> 4) ** 3 * 100 + i)));

const create = (then?: Uint8Array): Transaction =>
  makeTx({
    witnesses: [PROBE],
    protostones: [call('1:0', 0), ...(then === undefined ? [] : [then])].map((each) => ({
      pointer: 0,
      refund: 0,
      message: each,
    })),
  });

/** Narrow batches are divided as well. */
const HALVES = { fewest: 2, share: () => 0.5, learn() {} };

it.each([
  ['cpu', 2],
  ['gpu', 2],
  ['gpu', 0],
  ['balance', 2],
] as const)('a call of a clone of what the block creates, in a batch: %s, %i workers', async (policy, workers) => {
  const world = new World();
  const id = world.deploy();
  // The dry runs of all of them take the same number: the third one clones what only the second one's next run creates,
  // and the fourth one calls that clone, which its dry run has not found.
  const first = Number(id.split(':')[1]) + 1;
  const chain = [create(), create(), create(call(`5:${first + 1}`, 0)), create(call(`2:${first + 3}`, 4, 1))];
  const block = makeBlock([...chain, ...othersOf(id)]);
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
  expect(truth.receipts[3].messages.map(({ status }) => status)).toEqual(['OK', 'OK']);
  const gpu = policy === 'cpu' ? undefined : new FakeGpu();
  const engine = makeEngine({ policy, gpu, workers, balance: HALVES });
  const offsets = BlockOffsets.read(block.raw, block.raw.length);
  const result = await engine.processBlock(offsets, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  expect(result.statistics.batches).toBeGreaterThan(3);
});

it.each(['cpu', 'gpu', 'balance'] as const)(
  'clones of what the block creates come out the same under %s',
  async (policy) => {
    const sequential = makeEngine({ policy: 'sequential' });
    const gpu = policy === 'cpu' ? undefined : new FakeGpu();
    const engine = makeEngine({ policy, gpu, workers: policy === 'gpu' ? 0 : 1, balance: HALVES });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
        const world = new World();
        const id = world.deploy();
        const block = makeBlock([...steps.map(transactionOf), ...othersOf(id)]);
        const truth = await sequential.processBlock(block, world.height, sourceOf(world));
        const offsets = BlockOffsets.read(block.raw, block.raw.length);
        const result = await engine.processBlock(offsets, world.height, sourceOf(world));
        expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
        expect(sortedWrites(result)).toEqual(sortedWrites(truth));
      }),
      { numRuns: 60 },
    );
  },
);

describe('a clone whose original is missing', () => {
  const CLONE = codeKey({ block: 2n, tx: 5n });
  const code = concatBytes(Uint8Array.of(1), idBytes({ block: 2n, tx: 6n }));
  // Of the common kind, and one that the generator runs.
  const txs = [message(call('2:5', 4, 0)), message(call('2:5', 4, 0), call('2:5', 4, 0))];

  function tasksOver(state: ReadonlyMap<LaneKey, Uint8Array>): { tasks: RowTasks; table: RowTable } {
    const reader = { get: (key: LaneKey) => state.get(key) };
    const block = BlockOffsets.read(makeBlock(txs).raw);
    const context = { height: 5, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
    const before = new CachingReader(reader);
    const tasks = new RowTasks(1, scanColumns(block, reader), context, before, new ProgramRunner());
    return { tasks, table: new RowTable(txs.length, before) };
  }

  it.each([0, 1])('ends row %i as one without code where the clone is a guess', (row) => {
    const { tasks, table } = tasksOver(new Map());
    const bytes = concatBytes(fromBinaryString(CLONE), code);
    const words = Uint32Array.of(0, CLONE.length, CLONE.length, bytes.length);
    const overrides = { ends: Uint32Array.of(4), words, bytes };
    table.take(tasks.run({ rows: Uint32Array.of(row), overrides }, 1e6), new BlockBudget());
    const { list } = table.words;
    const at = table.recordOf(row);
    const { messages } = decodeReceipt(table.state.bytes.subarray(list[at + AT.receipt], list[at + AT.receiptEnd]));
    expect(messages[0]).toMatchObject({ status: 'REJECTED', error: 'no code at the target' });
  });

  it.each([0, 1])('is an error of the program in a state, whatever row %i does', (row) => {
    const { tasks } = tasksOver(new Map([[CLONE, code]]));
    const run = () => tasks.run({ rows: Uint32Array.of(row), overrides: undefined }, 1e6);
    expect(run).toThrow(InternalError);
  });
});
