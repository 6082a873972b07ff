import { afterEach, expect, it } from 'vitest';
import { EnvironmentError } from '../../../src/errors/errors.js';
import { LaneEngine } from '../../../src/execute/engine.js';
import type { KernelDeviceOptions } from '../../../src/execute/health/kernel-device.js';
import { FIRST_COOL_DOWN_MS, type KernelTransition } from '../../../src/execute/health/kernel-health.js';
import { comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../../lane/world.js';
import { FakeGpu } from '../fake-gpu.js';

const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
const engines: LaneEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** A fake that counts how often it was closed. */
class ClosingGpu extends FakeGpu {
  closed = 0;

  override async close(): Promise<void> {
    this.closed++;
  }
}

/** Fails each batch with `code`. */
function failing(code: 'GPU_DEVICE_LOST' | 'GPU_TIMEOUT' | 'GPU_FAILED'): ClosingGpu {
  const gpu = new ClosingGpu();
  gpu.beforeBatch = () => {
    throw new EnvironmentError(code, 'a drill');
  };
  return gpu;
}

/** An engine under `gpu` whose clock the test sets; each block is compared with the sequential executor's. */
function bench(options: KernelDeviceOptions) {
  const clock = { ms: 0 };
  const said: KernelTransition[] = [];
  const engine = new LaneEngine({
    policy: 'gpu',
    workers: 0,
    ...rules,
    ...options,
    now: () => clock.ms,
    onKernelHealth: (one) => said.push(one),
  });
  const truth = new LaneEngine({ policy: 'sequential', workers: 0, ...rules });
  engines.push(engine, truth);
  const world = new World();
  const id = world.deploy();
  const txs = [0, 0, 0, 1, 2].map((n) => makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, n) }] }));
  const state = { reader: { get: (key: string) => world.state.get(key) } };
  /** Transactions that the kernel ran. */
  const block = async (): Promise<number> => {
    const result = await engine.processBlock(makeBlock(txs), 5, state);
    const expected = await truth.processBlock(makeBlock(txs), 5, state);
    expect(result.receipts.map(comparable)).toEqual(expected.receipts.map(comparable));
    expect(new Map([...result.writes].sort())).toEqual(new Map([...expected.writes].sort()));
    return result.statistics.executors.gpu;
  };
  return { engine, clock, block, states: () => said.map(({ to }) => to) };
}

it('a lost device is opened anew after the cool-down, and what was opened is closed with the engine', async () => {
  const [lost, fresh] = [failing('GPU_DEVICE_LOST'), new ClosingGpu()];
  let opened = 0;
  const reopenGpu = async () => {
    opened++;
    return fresh;
  };
  const { engine, clock, block, states } = bench({ gpu: lost, reopenGpu });
  expect(await block()).toBe(0);
  expect(await block()).toBe(0);
  expect([opened, lost.batches, engine.health.gpu]).toEqual([0, 1, 'unhealthy']);
  clock.ms = FIRST_COOL_DOWN_MS;
  // The device is opened beside this block.
  await block();
  expect([opened, lost.closed]).toEqual([1, 1]);
  expect(await block()).toBe(5);
  expect(states()).toEqual(['unhealthy', 'probing', 'degraded']);
  expect(lost.batches).toBe(1);
  await engine.close();
  expect([lost.closed, fresh.closed]).toEqual([1, 1]);
});

it('a device that cannot be opened doubles the cool-down', async () => {
  const reopenGpu = async () => {
    throw new EnvironmentError('GPU_UNAVAILABLE', 'there is no GPU adapter');
  };
  const { engine, clock, block, states } = bench({ gpu: failing('GPU_DEVICE_LOST'), reopenGpu });
  await block();
  clock.ms = FIRST_COOL_DOWN_MS;
  expect(await block()).toBe(0);
  expect(states()).toEqual(['unhealthy', 'probing', 'unhealthy']);
  expect(engine.health.kernel).toMatchObject({ why: 'the probe failed: not-opened', failures: { 'not-opened': 1 } });
  clock.ms += 2 * FIRST_COOL_DOWN_MS - 1;
  await block();
  expect(states()).toHaveLength(3);
  clock.ms++;
  await block();
  expect(states()).toHaveLength(5);
});

it('a device that never opens leaves all blocks to the CPU', async () => {
  const reopenGpu = () => new Promise<never>(() => {});
  const { engine, clock, block } = bench({ gpu: failing('GPU_DEVICE_LOST'), reopenGpu });
  await block();
  clock.ms = FIRST_COOL_DOWN_MS;
  for (let i = 0; i < 3; i++) expect(await block()).toBe(0);
  expect(engine.health.gpu).toBe('probing');
});

it('a device that hangs is asked once more, then left alone for the cool-down, and probed on one block', async () => {
  const hanging = failing('GPU_TIMEOUT');
  const { engine, clock, block, states } = bench({ gpu: hanging });
  for (let i = 0; i < 4; i++) expect(await block()).toBe(0);
  expect([hanging.batches, engine.health.gpu]).toEqual([2, 'unhealthy']);
  clock.ms = FIRST_COOL_DOWN_MS;
  for (let i = 0; i < 3; i++) expect(await block()).toBe(0);
  expect(hanging.batches).toBe(3);
  hanging.beforeBatch = () => {};
  clock.ms += 2 * FIRST_COOL_DOWN_MS;
  expect(await block()).toBe(5);
  expect(states()).toEqual(['degraded', 'unhealthy', 'probing', 'unhealthy', 'probing', 'degraded']);
});
