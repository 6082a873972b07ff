// Blocks given as offsets, run by their rows: what must be as the generator has it one transaction at a time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import { LaneEngine, type LaneEngineOptions } from '../../src/execute/engine.js';
import { RowTable } from '../../src/execute/rows/row-table.js';
import { NO_VERSION, RowVersions } from '../../src/execute/rows/row-versions.js';
import { BlockBudget } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { RowTasks } from '../../src/execute/tasks/row-tasks.js';
import { columnsOf, sharedColumns } from '../../src/lane/columns/lane-columns.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import type { LaneBlockResult, LaneKey, LaneOutcome } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { encodeCellpack } from '../../src/protocol/encode.js';
import { applyWrites, comparable } from '../../src/selftest/fuzz/fuzz.js';
import { concatBytes, fromBinaryString, u128Bytes } from '../../src/util/bytes.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf, turnPointer } from './engines.js';

/** Runs the block by its rows, and compares all of it with what the generator makes of the parsed block. */
async function run(
  world: World,
  txs: readonly Transaction[],
  options: Partial<LaneEngineOptions> | LaneEngine,
): Promise<LaneBlockResult> {
  const outcomes: LaneOutcome[] = [];
  const engine =
    options instanceof LaneEngine
      ? options
      : makeEngine({ ...options, onOutcome: (_, outcome) => outcomes.push(outcome) });
  const block = makeBlock(txs);
  const result = await engine.processBlock(BlockOffsets.read(block.raw), world.height, sourceOf(world));
  const expected: LaneOutcome[] = [];
  const sequential = makeEngine({ policy: 'sequential', onOutcome: (_, outcome) => expected.push(outcome) });
  const truth = await sequential.processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  expect(result.statistics.lane).toEqual(truth.statistics.lane);
  if (!(options instanceof LaneEngine)) expect(outcomes).toEqual(expected);
  return result;
}

const messages = (count: number, make: (i: number) => Uint8Array): Transaction[] =>
  Array.from({ length: count }, (_, i) => message(make(i)));

describe('rows', () => {
  it.each([0, 2])('keep dry runs whose reads nobody changed, and run the rest again: %i workers', async (workers) => {
    const world = new World();
    const id = world.deploy();
    const txs = [...messages(10, (i) => call(id, 4, i)), ...messages(3, () => call(id, 4, 0))];
    const result = await run(world, txs, { workers });
    expect(result.plan).toMatchObject({ laneTxs: 13, colours: 4, widths: [10, 1, 1, 1], edges: 3 });
    expect(result.statistics.executors).toEqual({ reuse: 10, gpu: 0, cpu: 3, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    expect(result.receipts.map(({ colour }) => colour)).toEqual([...new Array(10).fill(1), 2, 3, 4]);
  });

  it.each([0, 2])('never keep the dry run of a program that asked whether it was one: %i workers', async (workers) => {
    const world = new World();
    const id = world.deploy();
    const txs = messages(20, (i) => call(id, 18, i, i + 20));
    const result = await run(world, txs, { workers });
    expect(result.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 20, sequential: 0 });
    expect(result.plan.widths).toEqual([20]);
    // The same where several messages leave it to the generator.
    const two = Array.from({ length: 20 }, (_, i) => message(call(id, 18, i, i + 20), call(id, 18, i, i + 20)));
    expect((await run(world, two, { workers })).statistics.executors.cpu).toBe(20);
  });

  it('are ordered by keys that programs declare, which stay out of the receipt', async () => {
    const world = new World();
    const id = world.deploy();
    const result = await run(
      world,
      messages(2, (i) => call(id, 18, i, 7)),
      {},
    );
    expect(result.plan.widths).toEqual([1, 1]);
    expect(result.receipts[0].writes).toHaveLength(1);
  });

  it('see in later batches on workers what earlier ones wrote, of both kinds', async () => {
    const world = new World();
    const id = world.deploy();
    const one = (i: number) => message(call(id, 4, i));
    const two = (i: number) => message(call(id, 4, i), call(id, 4, i));
    const txs = [one, two, one, two].flatMap((make) => Array.from({ length: 24 }, (_, i) => make(i)));
    const result = await run(world, txs, { workers: 2 });
    expect(result.plan.widths).toEqual([24, 24, 24, 24]);
    expect(result.statistics).toMatchObject({ batches: 3, repaired: 0 });
    expect(result.statistics.executors).toEqual({ reuse: 24, gpu: 0, cpu: 72, sequential: 0 });
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 3n)).toBe(6n);
  });

  it('call a contract that the block has made before them, whichever code has its id', async () => {
    const world = new World();
    world.deploy();
    const witnesses = [envelope(PROBE)];
    const make = () => makeTx({ witnesses, protostones: [{ pointer: 0, refund: 0, message: call('1:0', 0) }] });
    const txs = [make(), make(), ...messages(30, (i) => call(i % 2 === 0 ? '2:2' : '2:3', 4, i))];
    const result = await run(world, txs, { workers: 2 });
    const statuses = new Set(result.receipts.map(({ messages: [{ status }] }) => status));
    expect([...statuses]).toEqual(['OK']);
  });

  it('of one block know nothing of the keys of the block before, on the workers and here', async () => {
    const world = new World();
    const id = world.deploy();
    for (const workers of [0, 1]) {
      const engine = makeEngine({ workers });
      for (let height = 0; height < 3; height++) {
        const txs = [
          ...messages(12, (i) => call(id, 4, i * (height + 1))),
          ...messages(12, (i) => call(id, 4, 30 - i)),
        ];
        const result = await run(world, txs, engine);
        applyWrites(world.state, result.writes);
        world.height++;
      }
    }
  });

  it('that are repaired leave nothing of what they wrote first', async () => {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 5, 0, 1));
    // `follow` increments the counter that a pointer names, which a demoted transaction turns from 1 to 2.
    const { parent, turns } = turnPointer(id, 2);
    const result = await run(world, [parent, turns, message(call(id, 6, 0)), message(call(id, 4, 7))], {});
    expect(result.receipts.map(({ repaired }) => repaired)).toEqual([false, false, true, false]);
    expect(result.statistics).toMatchObject({ repaired: 1, demoted: 1 });
    expect(result.statistics.executors).toEqual({ reuse: 2, gpu: 0, cpu: 0, sequential: 2 });
    applyWrites(world.state, result.writes);
    expect([world.counter(id, 1n), world.counter(id, 2n)]).toEqual([0n, 1n]);
  });

  it('with edicts or several sheets to spend are left to the generator', async () => {
    const world = new World();
    const id = world.deploy();
    const [block, tx] = id.split(':').map(BigInt);
    const edicts = [{ id: { block, tx }, amount: 3n, output: 1n }];
    const spends = Array.from({ length: 20 }, (_, i) => [
      world.give({ '2:1': 10n }),
      ...(i % 2 === 0 ? [world.give({ '2:1': 5n })] : []),
    ]);
    const txs = spends.map((spend, i) =>
      makeTx({
        spend,
        protostones: [{ pointer: 0, refund: 1, message: call(id, 9, 2, 1, 7), edicts: i % 3 === 0 ? edicts : [] }],
      }),
    );
    const result = await run(world, txs, { workers: 2 });
    applyWrites(world.state, result.writes);
    expect(world.sheet(txs[0], 1)).toEqual({ '2:1': 3n });
  });

  it('keep the status of a message that is not for the lane, and of one that nobody can read', async () => {
    const world = new World();
    const elsewhere = message(encodeCellpack({ block: 2n, tx: 1n }, [4, 1]));
    const { receipts } = await run(world, [elsewhere, message(new Uint8Array(15).fill(0xff))], {});
    expect(receipts.map(({ messages: [{ status }] }) => status)).toEqual(['STANDARD', 'REJECTED']);
  });

  it('too many for their budget are run one at a time, and counted', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = messages(40, (i) => call(id, 4, i % 2 === 0 ? 0 : i));
    const fell: string[] = [];
    const budgets = [0, ...Array.from({ length: 12 }, (_, i) => 10_000 + 2_000 * i), undefined];
    for (const [workers, mostBlockBytes] of [...budgets.map((most) => [0, most] as const), [2, 10_000] as const]) {
      const { statistics } = await run(world, txs, { workers, mostBlockBytes });
      const { tooLarge, executors, ms } = statistics;
      fell.push(tooLarge === 0 ? 'no' : ms.plan === undefined ? 'in dry runs' : 'after them');
      if (tooLarge === 1) expect(executors.sequential).toBe(40);
    }
    expect([fell[0], fell.at(-2), fell.at(-1)]).toEqual(['in dry runs', 'no', 'in dry runs']);
    expect(fell).toContain('after them');
  });
});

describe('records of rows', () => {
  it('say what each row does over the values meant for it, and no other row sees these', () => {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 4, 0));
    const [counter] = [...world.state].find(([key]) => key.startsWith('store/')) as [LaneKey, Uint8Array];
    const reader = { get: (key: LaneKey) => world.state.get(key) };
    const block = BlockOffsets.read(makeBlock(messages(4, () => call(id, 4, 0))).raw);
    const columns = scanColumns(block, reader);
    const context = { height: 5, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
    const before = new CachingReader(reader);
    const tasks = new RowTasks(1, columns, context, before, new ProgramRunner());
    const table = new RowTable(4, before);
    // Rows 0 and 2 see 9 in place of 1; row 3 sees no counter at all.
    const bytes = concatBytes(fromBinaryString(counter), u128Bytes(9n));
    const [end, value] = [counter.length, bytes.length];
    const words = Uint32Array.from([0, end, end, value, 0, end, end, value, 0, end, 0, 0]);
    const rows = Uint32Array.from([0, 1, 2, 3]);
    const overrides = { ends: Uint32Array.from([4, 4, 8, 12]), words, bytes };
    for (let again = 0; again < 2; again++) {
      table.take(tasks.run({ rows, overrides }, 1e6), new BlockBudget());
      const written = Array.from(rows, (row) => {
        return table.state.bytes[table.words.list[table.valuesOf(row)]];
      });
      expect(written).toEqual([10, 2, 10, 1]);
    }
    table.take(tasks.run({ rows, overrides: undefined }, 1e6), new BlockBudget());
    expect(table.state.bytes[table.words.list[table.valuesOf(3)]]).toBe(2);
  });

  it('hold no long code, whichever contracts the messages of one transaction call, in whatever round', () => {
    const world = new World();
    const padding = concatBytes(Uint8Array.of(0, 0x81, 0x80, 0x08), new Uint8Array(0x20001));
    const ids = Array.from({ length: 20 }, (_, i) => world.deploy(concatBytes(PROBE, padding.fill(i, 4 + 1))));
    const reader = { get: (key: LaneKey) => world.state.get(key) };
    const block = BlockOffsets.read(makeBlock([message(...ids.map((id) => call(id, 4, 0)))]).raw);
    const context = { height: 5, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
    const before = new CachingReader(reader);
    const tasks = new RowTasks(1, scanColumns(block, reader), context, before, new ProgramRunner());
    const rows = Uint32Array.of(0);
    const table = new RowTable(1, before);
    // In the second round the keys have their numbers.
    for (let round = 0; round < 2; round++) {
      table.take(tasks.run({ rows, overrides: undefined }, 1e6), new BlockBudget());
      expect(table.isOk(0)).toBe(true);
    }
    const codes = ids.length * padding.length;
    expect(tasks.bytes).toBeLessThan(codes / 2);
  });

  it('name the same keys when a thread numbers them anew between two pieces', () => {
    const world = new World();
    const id = world.deploy();
    const reader = { get: (key: LaneKey) => world.state.get(key) };
    const block = BlockOffsets.read(makeBlock(messages(6, (i) => call(id, 4, i % 3))).raw);
    const columns = columnsOf(sharedColumns(scanColumns(block, reader)));
    const context = { height: 5, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
    const keysOf = (mostKept: number | undefined): string[][] => {
      const before = new CachingReader(reader);
      const tasks = new RowTasks(1, columns, context, before, new ProgramRunner(), undefined, mostKept);
      const table = new RowTable(6, before);
      const other = new RowTasks(2, columns, context, before, new ProgramRunner());
      for (const row of [4, 1, 3, 0, 5, 2]) {
        const rows = Uint32Array.of(row);
        const thread = row === 3 ? other : tasks;
        table.take(thread.run({ rows, overrides: undefined }, 1e6), new BlockBudget());
      }
      const { reads, writes } = table.accessSets(Uint32Array.from([0, 1, 2, 3, 4, 5]));
      return [reads, writes].map(({ values }) => Array.from(values, (key) => table.state.keyText(key)));
    };
    expect(keysOf(0)).toEqual(keysOf(undefined));
    expect(new Set(keysOf(0)[1]).size).toBeGreaterThanOrEqual(3);
  });
});

describe('versions of rows', () => {
  it('give each row the newest write of a row before it', () => {
    const put = fc.record({ row: fc.nat(9), key: fc.nat(2), value: fc.nat(99) });
    fc.assert(
      fc.property(fc.uniqueArray(put, { maxLength: 30, selector: ({ row, key }) => row * 10 + key }), (puts) => {
        const versions = new RowVersions();
        for (const { row, key, value } of puts) versions.put(row, key, value, value + 1);
        for (let key = 0; key < 4; key++) {
          for (let row = 0; row <= 10; row++) {
            const [newest] = puts.filter((each) => each.key === key && each.row < row).sort((a, b) => b.row - a.row);
            const found = versions.find(key, row);
            expect(found === NO_VERSION ? undefined : versions.start(found)).toBe(newest?.value);
            if (found !== NO_VERSION) expect(versions.end(found)).toBe(versions.start(found) + 1);
          }
        }
      }),
    );
  });
});
