import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT, temporaryFolder } from '../helpers/cli.js';

/** Processes whose environment names the folder: what a start began, and what that began. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'environ'), 'latin1').includes(`TMPDIR=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A node process with temporary files of its own, once it has reached a point. */
async function startUntil(
  tmp: string,
  args: readonly string[],
  reached: (said: string) => boolean,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  while (!reached(said) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(child.exitCode, said).toBeNull();
  return child;
}

/** Ends it by a signal and holds that nothing of it is left. */
async function leavesNothing(child: ChildProcess, tmp: string, signal: NodeJS.Signals, status: number): Promise<void> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  expect(await ended).toBe(status);
  await expect.poll(() => processesOf(tmp)).toEqual([]);
  // The unpacked software driver stays for the next start.
  expect(readdirSync(tmp).filter((name) => !name.startsWith('warpshrew-software-gpu-'))).toEqual([]);
}

function privateFolder(): string {
  const tmp = join(temporaryFolder(), 'tmp');
  mkdirSync(tmp);
  return tmp;
}

const onLinux = test.skipIf(!existsSync('/proc/self/environ'));

/** What `start` lives in, with a child that ends by nothing but a kill and fills the folder until then. */
const WORKPLACE = `
import { spawn } from 'node:child_process';
import { Workplace } from './dist/cli/workplace.js';
const workplace = new Workplace('warpshrew-test-');
const code = "process.on('SIGTERM', () => {}); let n = 0; console.log('busy');"
  + "setInterval(() => require('fs').writeFileSync(process.argv[1] + '/' + n++, 'x'), 1)";
workplace.owns(spawn(process.execPath, ['-e', code, workplace.folder], { stdio: 'inherit' }));
`;

onLinux.each<[NodeJS.Signals, number]>([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
])('%s ends the children of a workplace and takes its folder away', async (signal, status) => {
  const tmp = privateFolder();
  const child = await startUntil(tmp, ['--input-type=module', '-e', WORKPLACE], (said) => said.includes('busy'));
  expect(processesOf(tmp)).toHaveLength(2);
  await leavesNothing(child, tmp, signal, status);
});

onLinux('while a workplace serves, a signal lets it end by itself, with the same result', async () => {
  const tmp = privateFolder();
  const serving = `${WORKPLACE}; await workplace.nextSignal(); workplace.close(); console.log('done'); process.exitCode = 7;`;
  const child = await startUntil(tmp, ['--input-type=module', '-e', serving], (said) => said.includes('busy'));
  await leavesNothing(child, tmp, 'SIGTERM', 7);
});

const holds = (tmp: string, name: string): boolean =>
  readdirSync(tmp).some((folder) => folder.startsWith('warpshrew-start-') && existsSync(join(tmp, folder, name)));

/** What `start` goes through, how each is seen from outside, and the status that SIGTERM then ends it with. */
const PHASES: readonly [string, number, (said: string, tmp: string) => boolean][] = [
  ['before anything is written', 143, (_, tmp) => readdirSync(tmp).length > 0],
  ['in its replay on the CPU', 143, (_, tmp) => holds(tmp, 'cpu.db')],
  ['in its replay through the kernel', 143, (_, tmp) => holds(tmp, 'gpu.db')],
  ['while it serves', 0, (said) => /http:\/\/\S+:\d+/.test(said)],
];

onLinux.each(PHASES)('SIGTERM to start %s leaves no child and no folder', async (_, status, reached) => {
  const tmp = privateFolder();
  const args = [join(ROOT, 'dist', 'cli.js'), 'start', '--port', '0'];
  const child = await startUntil(tmp, args, (said) => reached(said, tmp));
  await leavesNothing(child, tmp, 'SIGTERM', status);
});
