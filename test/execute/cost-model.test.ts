import { expect, it } from 'vitest';
import { CostModel } from '../../src/execute/choose/cost-model.js';

const THREADS = 15;

/** Milliseconds that `count` calls of `us` microseconds take. */
const ms = (count: number, us: number): number => (count * us) / 1000;

it('nothing is promised of a program that the CPU has not run, and none of its calls are recorded', () => {
  const costs = new CostModel();
  costs.sawBlock('new', 1_000, 1_000, 1);
  expect(costs.saving('new', 10_000, THREADS)).toBeLessThanOrEqual(0);
  expect(costs.saving('never seen', 10_000, THREADS)).toBeLessThanOrEqual(0);
  expect(costs.worthRecording(10_000, THREADS)).toEqual([]);
});

it('heavy calls are recorded where there are enough of them, light ones are not where many threads share them', () => {
  const costs = new CostModel();
  costs.ranOnPool('heavy', 1_000, ms(1_000, 20));
  costs.ranOnPool('light', 1_000, ms(1_000, 1));
  expect(costs.saving('heavy', 1_000, THREADS)).toBeGreaterThan(costs.launch);
  expect(costs.worthRecording(1_000, THREADS)).toEqual(['heavy']);
  expect(costs.worthRecording(20, THREADS)).toEqual([]);
  expect(costs.worthRecording(1_000_000, THREADS)).toEqual(['heavy']);
  costs.noKernel('heavy');
  expect(costs.worthRecording(1_000, THREADS)).toEqual([]);
});

it('calls that lie in many small colours are recorded only if those pay', () => {
  const costs = new CostModel();
  costs.ranAlone('chain', 100, ms(100, 20));
  costs.ranOnPool('chain', 1_000, ms(1_000, 20));
  // As one colour they would.
  expect(costs.worthRecording(1_000, THREADS)).toEqual(['chain']);
  costs.sawBlock('chain', 1_000, 1_000, 1_000);
  expect(costs.worthRecording(1_000, THREADS)).toEqual([]);
  // One block that took long may have been disturbed; most of the last ones count.
  costs.ranAlone('chain', 100, ms(100, 1_000));
  expect(costs.worthRecording(1_000, THREADS)).toEqual([]);
  for (let block = 0; block < 2; block++) costs.ranAlone('chain', 100, ms(100, 1_000));
  expect(costs.worthRecording(1_000, THREADS)).toEqual(['chain']);
});

it("a narrow colour is one thread's work, so a chain of heavy calls is worth the kernel", () => {
  const costs = new CostModel();
  costs.ranAlone('chain', 100, ms(100, 200));
  expect(costs.saving('chain', 1, THREADS)).toBeGreaterThan(0);
  expect(costs.worthRecording(100, THREADS)).toEqual(['chain']);
});

it('calls that are always reused are not recorded, however dear they are', () => {
  const costs = new CostModel();
  costs.ranAlone('reused', 100, ms(100, 500));
  expect(costs.worthRecording(1_000, THREADS)).toEqual(['reused']);
  for (let block = 0; block < 60; block++) costs.sawBlock('reused', 1_000, 0, 0);
  expect(costs.worthRecording(1_000, THREADS)).toEqual([]);
});

it('a kernel that turns out dear is not asked again', () => {
  const costs = new CostModel();
  costs.ranAlone('calls', 1_000, ms(1_000, 20));
  expect(costs.saving('calls', 5_000, 0)).toBeGreaterThan(0);
  const calls = new Map([['calls', 5_000]]);
  for (let block = 0; block < 20; block++) costs.ranOnGpu({ calls, segments: 1, dispatches: 1, ms: ms(5_000, 40) });
  expect(costs.saving('calls', 5_000, 0)).toBeLessThan(0);
});

it('the CPU is tried again in the end, whatever the kernel saves', () => {
  const costs = new CostModel();
  costs.ranAlone('calls', 1_000, ms(1_000, 20));
  const calls = new Map([['calls', 5_000]]);
  let blocks = 0;
  while (costs.saving('calls', 5_000, 0) > 0 && blocks < 1_000) {
    costs.ranOnGpu({ calls, segments: 1, dispatches: 1, ms: 1 + ms(5_000, 1) });
    blocks++;
  }
  expect(blocks).toBeGreaterThan(30);
  expect(blocks).toBeLessThan(1_000);
});
