// The device is measured at the start, beside the first blocks: what it takes, and what happens when it fails then.
import { expect, it } from 'vitest';
import { CostModel } from '../../../src/execute/choose/cost-model.js';
import { LaneEngine, type LaneEngineOptions } from '../../../src/execute/engine.js';
import { FAULTS, FaultyGpu } from '../../../src/testing/gpu-faults/faulty-gpu.js';
import { call, makeBlock, World } from '../../lane/world.js';
import { message, sortedWrites, sourceOf } from '../engines.js';
import { FakeGpu } from '../fake-gpu.js';

const RULES = { laneStartHeight: 0, dependent: 'demote', workers: 0 } as const;

/** A device that takes so many microseconds. */
class MeasuredGpu extends FakeGpu {
  measured = 0;
  constructor(readonly us: number) {
    super();
  }
  async calibrate(): Promise<number> {
    this.measured++;
    return this.us;
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

const engineOf = (options: Partial<LaneEngineOptions>): LaneEngine =>
  new LaneEngine({ policy: 'auto', ...RULES, ...options });

it.each(['auto', 'balance'] as const)(
  '%s knows what waking the device takes before a block has told',
  async (policy) => {
    const costs = new CostModel();
    expect(costs.launch).toBe(1_000);
    const gpu = new MeasuredGpu(170);
    const engine = engineOf({ policy, costs, gpu });
    await turns();
    expect([costs.launch, gpu.measured]).toEqual([170, 1]);
    await engine.close();
  },
);

it('is not measured under gpu or sequential, nor where its costs are known; a time below belief is none', async () => {
  const known = new CostModel();
  known.restoreLaunch(300);
  const [gpu, asked] = [new MeasuredGpu(170), new MeasuredGpu(0)];
  const engines = [
    engineOf({ policy: 'gpu', gpu }),
    engineOf({ policy: 'sequential', gpu }),
    engineOf({ costs: known, gpu }),
  ];
  const costs = new CostModel();
  engines.push(engineOf({ costs, gpu: asked }));
  await turns();
  expect([gpu.measured, known.launch]).toEqual([0, 300]);
  expect([asked.measured, costs.launch]).toEqual([1, 50]);
  for (const engine of engines) await engine.close();
});

it('what blocks told counts more than a calibration that ends late', () => {
  const costs = new CostModel();
  costs.ranOnGpu({ calls: new Map([['a', 1]]), segments: 1, dispatches: 1, ms: 0.6 });
  const told = costs.launch;
  for (let i = 0; i < 3; i++) costs.calibrated(60);
  expect(costs.launch).toBe(told);
});

it.each(FAULTS)('a %s while the device is measured is one of the kernel, and the state is right', async (fault) => {
  const gpu = new FaultyGpu(new MeasuredGpu(170));
  gpu.armCalibration(fault);
  const failures: unknown[] = [];
  const states: string[] = [];
  const costs = new CostModel();
  const engine = engineOf({
    policy: 'balance',
    gpu,
    costs,
    onGpuFailure: (error) => failures.push(error),
    onKernelHealth: ({ to }) => states.push(to),
    reopenGpu: async () => new FakeGpu(),
  });
  const truth = new LaneEngine({ policy: 'sequential', ...RULES });
  const world = new World();
  const id = world.deploy();
  const block = makeBlock(Array.from({ length: 6 }, (_, i) => message(call(id, 77, i))));
  const [result, expected] = [
    await engine.processBlock(block, 5, sourceOf(world)),
    await truth.processBlock(block, 5, sourceOf(world)),
  ];
  await turns();
  expect(sortedWrites(result)).toEqual(sortedWrites(expected));
  expect(failures).toHaveLength(1);
  const cause = { loss: 'device-lost', timeout: 'timeout', allocation: 'failure', 'wrong result': 'mismatch' }[fault];
  const { gpu: state, kernel } = engine.health;
  expect(kernel.failures).toMatchObject({ [cause]: 1 });
  expect(states).toEqual([fault === 'loss' ? 'unhealthy' : 'degraded']);
  expect(state).toBe(states[0]);
  expect(costs.launch).toBe(1_000);
  await engine.close();
  await truth.close();
});

it('a calibration that ends after its engine is heard by nobody', async () => {
  let fail: (error: Error) => void = () => undefined;
  const gpu = new FakeGpu();
  const calibrate = (): Promise<number> => new Promise((_, reject) => (fail = reject));
  const failures: unknown[] = [];
  const engine = engineOf({ gpu: Object.assign(gpu, { calibrate }), onGpuFailure: (error) => failures.push(error) });
  await engine.close();
  fail(new Error('closed'));
  await turns();
  expect(failures).toEqual([]);
});
