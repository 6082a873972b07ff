import { expect } from 'vitest';
import type { DifferentialSummary } from '../../src/selftest/fuzz/fuzz.js';

/** The generator is worth nothing if it stops making the cases that it is there for. */
export function expectEverythingHappened({ statistics }: DifferentialSummary, policy = 'cpu'): void {
  const { lane } = statistics.sequential;
  for (const count of Object.values(lane)) expect(count).toBeGreaterThan(0);
  expect(statistics[policy].repaired).toBeGreaterThan(20);
  expect(statistics[policy].demoted).toBeGreaterThan(100);
  if (policy === 'cpu') {
    expect(statistics.cpu.executors.reuse).toBeGreaterThan(500);
    expect(statistics.cpu.executors.cpu).toBeGreaterThan(100);
  }
}
