import { describe, expect, it } from 'vitest';
import {
  FIRST_COOL_DOWN_MS,
  type KernelCause,
  KernelHealth,
  type KernelTransition,
  LONGEST_COOL_DOWN_MS,
} from '../../../src/execute/health/kernel-health.js';

/** A kernel's health by a clock of its own, and what it said. */
function health(canReopen = true) {
  const said: KernelTransition[] = [];
  const clock = { ms: 0 };
  const own = new KernelHealth({ now: () => clock.ms, canReopen, onTransition: (one) => said.push(one) });
  const use = (cause?: KernelCause, checked = 0): void => {
    own.begins();
    if (cause === undefined) own.succeeded(checked);
    else own.failed(cause);
  };
  return { own, said, clock, use, states: () => said.map(({ to }) => to) };
}

/** One whose breaker has just opened. */
function unhealthy(): ReturnType<typeof health> {
  const one = health();
  one.use('device-lost');
  expect(one.own.state).toBe('unhealthy');
  return one;
}

describe('the breaker', () => {
  it('opens at once when the device is lost', () => {
    const { own, said, use } = health();
    use('device-lost');
    expect(said).toEqual([{ from: 'healthy', to: 'unhealthy', why: 'the device is lost' }]);
    expect(own.mayUse).toBe(false);
  });

  it('opens with the second mismatch in a row, whatever was not checked between them', () => {
    const { own, use } = health();
    use('mismatch');
    expect([own.state, own.mayUse]).toEqual(['degraded', true]);
    for (let i = 0; i < 20; i++) use();
    use('mismatch');
    expect(own.state).toBe('unhealthy');
    expect(own.report).toMatchObject({ why: '2 mismatches in a row', failures: { mismatch: 2 } });
  });

  it('stays closed where a checked use without a mismatch lies between two', () => {
    const { own, use } = health();
    for (let i = 0; i < 4; i++) use(undefined, 1);
    use('mismatch');
    use(undefined, 1);
    use('mismatch');
    expect(own.state).toBe('degraded');
  });

  it('opens with the second timeout of a window, and not with one that has left it', () => {
    const near = health();
    for (const cause of ['timeout', undefined, undefined, 'timeout'] as const) near.use(cause);
    expect(near.own.state).toBe('unhealthy');
    const far = health();
    far.use('timeout');
    for (let i = 0; i < 32; i++) far.use();
    far.use('timeout');
    expect(far.own.state).toBe('degraded');
  });

  it('opens when half of the uses have failed, of four at least', () => {
    const { own, use } = health();
    for (let i = 0; i < 3; i++) use('failure');
    expect(own.state).toBe('degraded');
    use();
    expect(own.state).toBe('degraded');
    use('failure');
    expect(own.state).toBe('unhealthy');
    expect(own.report.why).toBe('4 of 5 uses failed');
  });

  it('stays closed below that rate', () => {
    const { own, use } = health();
    for (let i = 0; i < 60; i++) use(i % 3 === 2 ? 'failure' : undefined);
    expect(own.state).toBe('degraded');
  });
});

describe('a kernel that failed and works', () => {
  it('is healthy again after 16 uses in a row', () => {
    const { own, use, states } = health();
    use('failure');
    for (let i = 0; i < 15; i++) use();
    expect(own.state).toBe('degraded');
    use();
    expect(states()).toEqual(['degraded', 'healthy']);
  });

  it('is probed after the cool-down and not before; a probe that succeeds leaves it degraded', () => {
    const { own, clock, use, states } = unhealthy();
    clock.ms = FIRST_COOL_DOWN_MS - 1;
    expect([own.mayUse, own.report.probeInMs]).toEqual([false, 1]);
    clock.ms++;
    expect(own.mayUse).toBe(true);
    use();
    expect(states()).toEqual(['unhealthy', 'probing', 'degraded']);
    expect(own.report.probeInMs).toBeUndefined();
    for (let i = 0; i < 16; i++) use();
    expect(own.state).toBe('healthy');
  });

  it('waits twice as long after each probe that fails, up to a bound, and as at first once it was healthy', () => {
    const { own, clock, use } = unhealthy();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      waits.push(own.report.probeInMs ?? Number.NaN);
      clock.ms += own.report.probeInMs ?? 0;
      use('failure');
      expect(own.state).toBe('unhealthy');
    }
    const minutes = waits.map((ms) => ms / 60_000);
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(LONGEST_COOL_DOWN_MS).toBe(60 * 60_000);
    clock.ms += LONGEST_COOL_DOWN_MS;
    for (let i = 0; i < 17; i++) use();
    expect(own.state).toBe('healthy');
    use('device-lost');
    expect(own.report.probeInMs).toBe(FIRST_COOL_DOWN_MS);
  });

  it('is not opened by failures from before the probe', () => {
    const { own, clock, use } = unhealthy();
    clock.ms = FIRST_COOL_DOWN_MS;
    use();
    use('timeout');
    expect(own.state).toBe('degraded');
  });
});

it('a lost device that cannot be opened anew is never asked again, and says why', () => {
  const { own, clock, use } = health(false);
  use('device-lost');
  clock.ms = 1e12;
  expect([own.state, own.mayUse]).toEqual(['unhealthy', false]);
  expect(own.report).toMatchObject({ why: 'the device is lost, and cannot be opened anew here', probeInMs: undefined });
});

it('counts failures by cause and transitions by state', () => {
  const { own, clock, use } = health();
  use('timeout');
  use('device-lost');
  clock.ms = FIRST_COOL_DOWN_MS;
  use('not-opened');
  expect(own.report.failures).toEqual({ 'device-lost': 1, timeout: 1, failure: 0, mismatch: 0, 'not-opened': 1 });
  expect(own.report.transitions).toEqual({ healthy: 0, degraded: 1, unhealthy: 2, probing: 1 });
});
