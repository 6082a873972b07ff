// A driver is tried in a process of its own: what it prints, and how it fails, stays there.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { softwareDriverEnvironment } from '../../src/gpu/device/software-driver.js';
import { type TrialEnd, tryAdapter } from '../../src/gpu/device/trial.js';
import { CHAIN, startCli, temporaryFolder } from '../helpers/cli.js';

const END: TrialEnd = { status: 0, signal: undefined, timedOut: false, stdout: '', stderr: '' };

async function tried(end: Partial<TrialEnd>) {
  const noise: string[] = [];
  const run = async (): Promise<TrialEnd> => ({ ...END, ...end });
  let [adapter, error]: unknown[] = [];
  try {
    adapter = await tryAdapter({ onNoise: (line) => noise.push(line), run });
  } catch (thrown) {
    error = thrown;
  }
  return { noise, error, adapter };
}

describe('an adapter that is tried', () => {
  it('is there, whatever drivers printed', async () => {
    const found = '{"vendor":"acme"}';
    const { noise, error, adapter } = await tried({
      stdout: `libfoo: {"vendor":\n${found}\n`,
      stderr: 'libfoo: warning\n\nlibbar: 2\n',
    });
    expect([error, adapter]).toEqual([undefined, found]);
    expect(noise).toEqual(['libfoo: warning', 'libbar: 2']);
  });

  it('is not there, which is said as the process said it', async () => {
    const own = 'GPU_UNAVAILABLE: the GPU adapter gives no device\n  hint: Use the CPU.\n';
    const { noise, error } = await tried({ status: 5, stderr: `libfoo: error\n${own}` });
    expect(error).toMatchObject({ code: 'GPU_UNAVAILABLE', message: 'the GPU adapter gives no device' });
    expect(noise).toEqual(['libfoo: error']);
    const joined = await tried({ status: 5, stderr: `libfoo: no end${own}` });
    expect(joined).toEqual({ noise: ['libfoo: no end'], error });
  });

  it('is not tried here if its driver ended the process, or did not answer', async () => {
    const ended = await tried({ status: undefined, signal: 'SIGSEGV' });
    expect(ended.error).toMatchObject({ code: 'GPU_UNAVAILABLE', facts: { signal: 'SIGSEGV' } });
    const held = await tried({ status: undefined, signal: 'SIGKILL', timedOut: true });
    expect(held.error).toMatchObject({ code: 'GPU_UNAVAILABLE', facts: { ms: 60_000 } });
  });

  it('is left to this process to find where the other one failed otherwise', async () => {
    expect((await tried({ status: 1, stderr: 'INTERNAL: a defect\n' })).error).toBeUndefined();
  });

  it('tells of so many lines at most', async () => {
    expect((await tried({ stderr: 'a line\n'.repeat(5_000) })).noise).toHaveLength(100);
  });
});

/** A loader that tells of all that it does, and no driver: on any Linux machine. */
const noisy = (): Record<string, string> => ({
  ...softwareDriverEnvironment(),
  VK_DRIVER_FILES: '/no/such/driver.json',
  VK_LOADER_DEBUG: 'all',
});
const hasDriver = process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!hasDriver)('a driver that prints', () => {
  const indexed = (level: string) =>
    startCli(
      ['index', '--fixture', CHAIN, '--db', join(temporaryFolder(), 'db'), '--exit-at', '3', '--port', '0'].concat(
        ...[['--log-level', level, '--workers', '1']],
      ),
      noisy(),
    ).done;

  it('leaves the log of index whole: its lines are there at debug, and nowhere else', async () => {
    const [info, debug] = [await indexed('info'), await indexed('debug')];
    const linesOf = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const said = linesOf(info.stderr);
    expect(said.filter(({ msg }) => msg === 'no GPU: the CPU runs every batch')).toHaveLength(1);
    expect(said.filter(({ msg }) => msg === 'printed by a GPU driver')).toEqual([]);
    const printed = linesOf(debug.stderr).filter(({ msg }) => msg === 'printed by a GPU driver');
    expect(printed.length).toBeGreaterThan(3);
    expect(printed.every(({ level, line }) => level === 'debug' && typeof line === 'string')).toBe(true);
  });

  it('leaves what gpu-info says alone', async () => {
    const none = await startCli(['gpu-info'], noisy()).done;
    expect(none.status).toBe(5);
    expect(none.stderr).toMatch(/^GPU_UNAVAILABLE: .*\n {2}hint: .*\n$/);
    const one = await startCli(['gpu-info'], { ...softwareDriverEnvironment(), VK_LOADER_DEBUG: 'all' }).done;
    expect([one.status, one.stderr]).toEqual([0, '']);
    expect(JSON.parse(one.stdout)).toMatchObject({ software: true });
  });

  it('leaves what replay says alone', async () => {
    const db = join(temporaryFolder(), 'db');
    const { stderr, status } = await startCli(['replay', CHAIN, '--db', db, '--to', '3'], noisy()).done;
    expect(status).toBe(0);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/^no GPU: the CPU runs every batch \(GPU_UNAV/)]);
  });
});
