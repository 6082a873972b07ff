import { expect, it } from 'vitest';
import { examineGpu } from '../../src/doctor/gpu.js';
import type { GpuProbe } from '../../src/doctor/gpu-probe.js';
import type { TrialEnd } from '../../src/gpu/device/trial.js';

const PROBE: GpuProbe = {
  vendor: 'acme',
  description: 'Acme 1',
  software: false,
  limits: { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 27 },
  compileMs: 12,
  calls: 256,
  runMs: 1.5,
  punted: 0,
  differences: 0,
};
const END: TrialEnd = { status: 0, signal: undefined, timedOut: false, stdout: '', stderr: '' };

async function examined(end: Partial<TrialEnd>, policy: 'auto' | 'gpu' = 'auto') {
  const noise: string[] = [];
  const found = await examineGpu({
    settings: { gpu: true, policy, dryRun: 'tolerate-partial' },
    environment: {},
    onNoise: (line) => noise.push(line),
    probe: async () => ({ ...END, ...end }),
  });
  return { found, noise, verdicts: found.map(({ what, verdict }) => `${what}: ${verdict}`) };
}

const printed = (probe: Partial<GpuProbe>): string =>
  `a line of the driver\n${JSON.stringify({ ...PROBE, ...probe })}\n`;

it('tells of the adapter, its limits and a kernel that ran', async () => {
  const { found, noise, verdicts } = await examined({ stdout: printed({}), stderr: 'WARNING: lavapipe\n\n' });
  expect(verdicts).toEqual(['adapter: ok', 'kernel: ok']);
  expect(found[0].found).toBe('Acme 1, buffers of 1024 MiB, bindings of 128 MiB');
  expect(found[1].found).toContain('256 calls in 1.5 ms');
  expect(noise).toEqual(['WARNING: lavapipe']);
});

it('warns of a software driver, and fails for a kernel that computes otherwise or not at all', async () => {
  const soft = await examined({ stdout: printed({ software: true, differences: 3 }) });
  expect(soft.verdicts).toEqual(['adapter: warning', 'kernel: failure']);
  expect(soft.found[1].found).toContain('3 ended otherwise');
  expect((await examined({ stdout: printed({ punted: 256 }) })).verdicts).toEqual(['adapter: ok', 'kernel: failure']);
});

it('names the way in which a probe ended, and parts what drivers printed from it', async () => {
  const own = 'GPU_FAILED: the device is lost\n  reason: gone\n';
  const { found, noise, verdicts } = await examined({ status: 5, stderr: `libfoo: error\n${own}libbar: end\n` });
  expect(verdicts).toEqual(['adapter: warning']);
  expect(found[0].found).toContain('GPU_FAILED: the device is lost');
  expect(noise).toEqual(['libfoo: error', 'libbar: end']);
  expect((await examined({ status: undefined, signal: 'SIGSEGV' })).found[0].found).toContain('SIGSEGV');
  expect((await examined({ status: undefined, timedOut: true })).found[0].found).toContain('did not answer');
  expect((await examined({ status: 3 })).found[0].found).toContain('ended with 3');
});

it('is a failure where the settings want a GPU, and is not asked where they want none', async () => {
  expect((await examined({ status: 5, stderr: 'GPU_UNAVAILABLE: none\n' }, 'gpu')).verdicts).toEqual([
    'adapter: failure',
  ]);
  const dryRun = 'tolerate-partial';
  for (const settings of [
    { gpu: false, policy: 'auto', dryRun } as const,
    { gpu: true, policy: 'cpu', dryRun } as const,
    { gpu: true, policy: 'gpu', dryRun: 'off' } as const,
  ]) {
    const probe = () => Promise.reject(new Error('asked'));
    const found = await examineGpu({ settings, environment: {}, onNoise: () => undefined, probe });
    expect(found.map(({ verdict }) => verdict)).toEqual(['skipped']);
  }
});
