import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT, temporaryFolder } from '../helpers/cli.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** The commands of the README that run the program, word by word, without the comment after them. */
const commands = [...readme.matchAll(/^((?:npm run software-gpu -- )?node dist\/cli\.js .*?)(?: {2,}#.*)?$/gm)].map(
  ([, line]) => line.split(' '),
);
/** The words of a command from the program's name on. */
const ofProgram = (words: readonly string[]): string[] => words.slice(words.indexOf('dist/cli.js') + 1);

interface Run {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

/**
 * Runs a command as someone without a GPU would: neither the driver that the tests were started with nor, where Vulkan
 * finds it, a GPU of this machine is for it.
 */
function run([file, ...args]: readonly string[]): Run {
  const { LD_LIBRARY_PATH: _, WARPSHREW_GPU: __, ...inherited } = process.env;
  const env = { ...inherited, VK_DRIVER_FILES: join(ROOT, 'no-such-driver.json') };
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  return { child, text, ended: once(child, 'close').then(([status]: (number | null)[]) => status) };
}

test('every command of the README runs as written without a GPU, with a file for each capital name', async () => {
  const folder = temporaryFolder();
  const real: Record<string, string> = {
    'my.db': join(folder, 'my.db'),
    'gpu.db': join(folder, 'gpu.db'),
    'follow.db': join(folder, 'follow.db'),
    'my-tables': join(folder, 'my-tables'),
    'node.db': join(folder, 'node.db'),
    // Of a node that does not run: it is waited for.
    COOKIE: join(folder, '.cookie'),
    // The README's numbers are a night's work.
    '100000': '3',
    '2000': '2',
    '5000': '50',
    '100': '5',
    '1000': '20',
  };
  const replaysInKernel = (words: readonly string[]): boolean => words.includes('gpu.db');
  expect(commands.map((words) => ofProgram(words)[0])).toEqual([
    'replay',
    'serve',
    'dump',
    'export',
    'plan',
    'decode',
    'encode',
    'run-module',
    'fuzz',
    'bench',
    'fuzz-kernel',
    'bench',
    'replay',
    'index',
    'config',
    'index',
  ]);
  for (const words of commands) {
    const args = words.map((word) => real[word] ?? word);
    const [name] = ofProgram(words);
    if (name === 'serve' || name === 'index') {
      const { child, text, ended } = run([...args, '--port', '0']);
      await once(child[name === 'serve' ? 'stdout' : 'stderr'] ?? child, 'data');
      child.kill('SIGINT');
      expect(await ended, text.stderr).toBe(0);
      continue;
    }
    // Until the first message: the software driver takes minutes to compile the kernels of them all.
    if (name === 'replay') args.push('--to', replaysInKernel(words) ? '104' : '110');
    const { text, ended } = run(args);
    expect(await ended, `${words.join(' ')}\n${text.stderr}`).toBe(0);
    expect(text.stdout.length).toBeGreaterThan(0);
    if (name === 'run-module') expect(JSON.parse(text.stdout.trim().split('\n').at(-1) ?? '')).toHaveProperty('digest');
    // Where a GPU is found all the same (not by Vulkan), the kernel is compared: whoever has none is told so.
    if (name === 'fuzz') {
      const saysSo = /^no GPU: sequential and cpu are compared, the kernel is not \(GPU_UNAVAILABLE: /m.test(
        text.stderr,
      );
      expect(saysSo).toBe(text.stdout.includes('in the kernel 0 messages on no GPU'));
    }
  }
});

test.skipIf(process.platform !== 'linux')('fuzz --gpu asks for the kernel: without a GPU it fails', async () => {
  const { text, ended } = run(['node', 'dist/cli.js', 'fuzz', '--blocks', '1', '--gpu']);
  expect(await ended).toBe(5);
  expect(text.stderr).toMatch(/^GPU_UNAVAILABLE: /m);
});
