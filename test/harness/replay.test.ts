import { describe, expect, it } from 'vitest';
import { ContractChain } from '../../src/contract-chain/contract-chain.js';
import { fuelChanges, readFuel, writeFuel } from '../../src/harness/fuel-file.js';
import { FuzzRandom } from '../../src/harness/random.js';
import { RecordingChain } from '../../src/harness/recording-chain.js';
import { type RecordedRun, Replayer, recordedRun } from '../../src/harness/replay.js';
import type { TestReport } from '../../src/harness/run-tests.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { temporaryFolder } from '../helpers/cli.js';

function played(): RecordedRun {
  const recording = new RecordingChain();
  const chain = new ContractChain(recording);
  const token = chain.deploy(builtPrograms().mint, [0, 10, 5]);
  chain.call(token, [77]);
  chain.rollback(1);
  chain.block((send) => {
    for (let i = 0; i < 3; i++) send({ target: token, inputs: [77] });
  });
  chain.call(token, [99], { send: { '2:1': 7 }, to: chain.account('bob') });
  return recordedRun(recording);
}

describe('another executor goes the way of a chain', () => {
  it('through reorgs to the same receipts and state', async () => {
    const replayer = new Replayer('in batches');
    expect(await replayer.differenceIn(played())).toBeUndefined();
    await replayer.close();
  });

  it('and says where it left something else', async () => {
    const replayer = new Replayer('in batches');
    const run = played();
    expect(run.steps.map(({ kind }) => kind)).toEqual(['mine', 'mine', 'rollback', 'mine', 'mine']);
    const other = run.steps.map((step, at) => (at === 3 ? { ...step, receipts: new Uint8Array(1) } : step));
    expect(await replayer.differenceIn({ ...run, steps: other })).toBe('in batches: other receipts in block 2');
    expect(await replayer.differenceIn({ ...run, state: '00' })).toBe('in batches: another state at the end');
    // What a reorg took back would stay.
    const straight = run.steps.filter(({ kind }) => kind === 'mine');
    expect(await replayer.differenceIn({ ...run, steps: straight })).toBe('in batches: another state at the end');
    await replayer.close();
  });
});

const report = (name: string, fuel: number | undefined, failed = false): TestReport => ({
  ...{ name, file: 'tests/a.test.ts', parts: 1, ms: 1, fuel, runs: [] },
  failure: failed ? { message: 'no', stack: [] } : undefined,
});

it('fuel is kept by test, and what changed is named', () => {
  const file = `${temporaryFolder()}/fuel.txt`;
  expect(readFuel(file).size).toBe(0);
  writeFuel(file, [report('b', 20), report('a: 1  2', 10), report('random', undefined), report('bad', 5, true)]);
  const known = readFuel(file);
  expect([...known]).toEqual([
    ['tests/a.test.ts: a: 1  2', 10],
    ['tests/a.test.ts: b', 20],
  ]);
  const after = [report('b', 21), report('c', 1)];
  expect(fuelChanges(known, after, false)).toEqual([
    { name: 'tests/a.test.ts: a: 1  2', before: 10, after: undefined },
    { name: 'tests/a.test.ts: b', before: 20, after: 21 },
    { name: 'tests/a.test.ts: c', before: undefined, after: 1 },
  ]);
  expect(fuelChanges(known, after, true).map(({ name }) => name.slice(-1))).toEqual(['b', 'c']);
});

it('random numbers are those of their seed, of every length', () => {
  const draw = (seed: string): bigint[] => {
    const random = new FuzzRandom(seed);
    return Array.from({ length: 300 }, () => random.bigint(40));
  };
  expect(draw('1')).toEqual(draw('1'));
  expect(draw('1')).not.toEqual(draw('2'));
  const lengths = draw('1').map((value) => (value === 0n ? 0 : value.toString(2).length));
  expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([0, 40]);
  const random = new FuzzRandom('3');
  const seen = new Set(Array.from({ length: 200 }, () => random.below(5)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
});
