// Dry runs go through a block program by program, and nothing but the time tells.
import { describe, expect, it } from 'vitest';
import { dryRunAll } from '../../src/execute/analyse/dry-run.js';
import { BlockTasks } from '../../src/execute/tasks/block-tasks.js';
import { BlockBudget } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { grouped, targetOf } from '../../src/execute/tasks/grouped.js';
import { type LaneTransaction, scanBlock } from '../../src/lane/scan.js';
import type { LaneKey } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program, RunHost } from '../../src/program/types.js';
import { call, makeBlock, makeTx, PROBE, World } from '../lane/world.js';
import { padded } from '../program/limit-modules.js';

/** A world with `count` contracts of programs of their own, and a block that calls them in turns. */
function inTurns(count: number, rounds: number): { world: World; ids: string[]; transactions: LaneTransaction[] } {
  const world = new World();
  const ids = Array.from({ length: count }, (_, i) => world.deploy(padded(PROBE, PROBE.length + 10 + i)));
  const txs = Array.from({ length: count * rounds }, (_, i) =>
    makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(ids[i % count], 4, i) }] }),
  );
  const reader = { get: (key: LaneKey) => world.state.get(key) };
  return { world, ids, transactions: scanBlock(makeBlock([...txs, makeTx()]), reader) };
}

describe('transactions by what they call', () => {
  it('are put together, the first of each where it was', () => {
    expect(grouped([1, 12, 21, 2, 11, 22, 3], (n) => (n < 10 ? undefined : `${n % 10}`))).toEqual([
      ...[1, 2, 3],
      ...[12, 22],
      ...[21, 11],
    ]);
    expect(grouped([], () => 'a')).toEqual([]);
  });

  it('name the contract of their first message', () => {
    const { ids, transactions } = inTurns(3, 2);
    expect(transactions.map(targetOf)).toEqual([...ids, ...ids]);
    expect(targetOf({ ...transactions[0], protostones: [] })).toBeUndefined();
  });

  it('are dry-run one program after the other, with the results in the order of the block', async () => {
    const { world, transactions } = inTurns(5, 8);
    const context = {
      height: world.height,
      block: new Uint8Array(80),
      laneStartHeight: 0,
      dependent: 'demote',
    } as const;
    const truth = new ProgramRunner();
    const ran: string[] = [];
    const runner = {
      run: (program: Program, host: RunHost, fuel: number) => {
        ran.push(program.hash);
        return truth.run(program, host, fuel);
      },
    };
    const recording = { seed: 1, programs: undefined };
    const tasks = (with_: typeof runner | ProgramRunner): BlockTasks =>
      new BlockTasks(context, new CachingReader({ get: (key) => world.state.get(key) }), with_, recording);
    const found = await dryRunAll(transactions, tasks(runner), undefined, new BlockBudget());
    expect(ran).toHaveLength(40);
    expect(ran.filter((hash, i) => hash !== ran[i - 1])).toHaveLength(5);
    const expected = tasks(truth).dryRunAll(transactions, new BlockBudget());
    const bare = ({ outcome, program }: (typeof expected)[number]) => ({ outcome, program });
    expect(found.runs.map(bare)).toEqual(expected.map(bare));
    expect(new Set(found.runs.map(({ call }) => call)).size).toBe(40);
    expect([...found.recordsOf]).toEqual(new Array(40).fill(0));
  });
});
