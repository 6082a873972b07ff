import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recall, remember, verificationKey } from '../../src/cli/remembered.js';
import { CHAIN, ROOT, temporaryFolder } from '../helpers/cli.js';

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

/** A process of node, or of `file`, with temporary files of its own, once it has reached a point. */
async function startUntil(
  tmp: string,
  args: readonly string[],
  reached: (said: string) => boolean,
  file = process.execPath,
): Promise<ChildProcess> {
  const child = spawn(file, args, {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: tmp, XDG_CACHE_HOME: join(tmp, '..', 'cache') },
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

const CLI = join(ROOT, 'dist', 'cli.js');

/** Runs a script of the project's own root to its end, with temporary files and a cache of its own. */
function run(tmp: string, args: readonly string[]): { status: number | null; text: string } {
  const env = { ...process.env, TMPDIR: tmp, XDG_CACHE_HOME: join(tmp, '..', 'cache') };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' });
  return { status, text: stdout + stderr };
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
  const end = "workplace.close(); console.log('done'); process.exitCode = 7;";
  const serving = `${WORKPLACE}; await workplace.nextSignal(); ${end}`;
  const child = await startUntil(tmp, ['--input-type=module', '-e', serving], (said) => said.includes('busy'));
  await leavesNothing(child, tmp, 'SIGTERM', 7);
});

/** Remembers a verification as `start` does when one has ended; its last argument is the root. */
const REMEMBER = `
import { remember, verificationKey } from './dist/cli/remembered.js';
import { findDriver } from './dist/cli/verification.js';
import { Workplace } from './dist/cli/workplace.js';
const workplace = new Workplace('warpshrew-test-');
const { adapter } = await findDriver(workplace);
workplace.close();
remember(verificationKey(adapter), { stateRoot: process.argv.at(-1), inKernel: 7, adapter: 'the GPU of the test' });
`;

const ROOT_OF_CHAIN = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').trim().split(' ').at(-1) ?? '';

function remembering(tmp: string, stateRoot: string): void {
  expect(run(tmp, ['--input-type=module', '-e', REMEMBER, stateRoot])).toMatchObject({ status: 0 });
}

const holds = (tmp: string, name: string): boolean =>
  readdirSync(tmp).some((folder) => folder.startsWith('warpshrew-start-') && existsSync(join(tmp, folder, name)));

/**
 * What `start` goes through until it compiles kernels, when SIGINT comes below; how each is seen from outside, and the
 * status that SIGTERM then ends it with.
 */
const PHASES: readonly [string, number, (said: string, tmp: string) => boolean][] = [
  ['before anything is written', 143, (_, tmp) => readdirSync(tmp).length > 0],
  ['in its replay on the CPU', 143, (_, tmp) => holds(tmp, 'cpu.db')],
  ['while it serves', 0, (said) => said.includes('JSON-RPC on http://')],
];

onLinux.each(PHASES)('SIGTERM to start %s leaves no child and no folder', async (_, status, reached) => {
  const tmp = privateFolder();
  // So that the last of them compiles no kernels.
  if (status === 0) remembering(tmp, ROOT_OF_CHAIN);
  const args = [CLI, 'start', '--port', '0'];
  const child = await startUntil(tmp, args, (said) => reached(said, tmp));
  await leavesNothing(child, tmp, 'SIGTERM', status);
});

onLinux('a signal to npm ends the start that npm runs', async () => {
  const tmp = privateFolder();
  const args = ['start', '--silent', '--', '--port', '0'];
  const child = await startUntil(tmp, args, () => holds(tmp, 'cpu.db'), 'npm');
  await leavesNothing(child, tmp, 'SIGTERM', 143);
});

onLinux(
  'start answers what was asked before its replay, verifies, and SIGINT while kernels are compiled leaves nothing',
  async () => {
    const tmp = privateFolder();
    // What is remembered of another state counts for nothing.
    remembering(tmp, '00'.repeat(32));
    let answer: Promise<Response> | undefined;
    let said = '';
    const compiling = (text: string): boolean => {
      said = text;
      const url = /Listening on (\S+):/.exec(text)?.[1];
      const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
      const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
      if (url !== undefined) answer ??= fetch(url, asked);
      return text.includes('verify: compiling');
    };
    const child = await startUntil(tmp, [CLI, 'start', '--port', '0'], compiling);
    expect(said.indexOf('Listening on')).toBeLessThan(said.indexOf('replay on the CPU'));
    expect(await (await answer)?.json()).toMatchObject({ result: '185' });
    await leavesNothing(child, tmp, 'SIGINT', 0);
  },
);

onLinux('start says that its port is in use before it does anything else', async () => {
  const tmp = privateFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { status, text } = run(tmp, [CLI, 'start', '--port', String((server.address() as AddressInfo).port)]);
  expect(status).toBe(5);
  expect(text).toMatch(/^ENV_PORT_IN_USE/);
  expect(readdirSync(tmp)).toEqual([]);
});

onLinux('a start whose verification is remembered does not run it again', async () => {
  const tmp = privateFolder();
  remembering(tmp, ROOT_OF_CHAIN);
  const { status, text } = run(tmp, [CLI, 'start', '--no-serve']);
  const said = `The state roots agree: ${ROOT_OF_CHAIN} (an earlier start of this build ran 7 messages on the GPU of`;
  expect(text).toContain(said);
  expect(status).toBe(0);
});

test('of remembered verifications only those with the same key count, and a damaged file is as good as none', () => {
  const before = process.env.XDG_CACHE_HOME;
  onTestFinished(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  process.env.XDG_CACHE_HOME = temporaryFolder();
  const verification = { stateRoot: '11'.repeat(32), inKernel: 3, adapter: 'GPU' };
  expect(recall('key')).toBeUndefined();
  remember('key', verification);
  expect(recall('key')).toEqual(verification);
  expect(recall('other')).toBeUndefined();
  const file = join(process.env.XDG_CACHE_HOME, 'warpshrew', 'verified.json');
  const whole = readFileSync(file, 'utf8');
  for (const damaged of ['', 'null', '[]', whole.slice(0, -5), whole.replace('"inKernel":3', '"inKernel":"3"')]) {
    writeFileSync(file, damaged);
    expect(recall('key'), damaged).toBeUndefined();
  }
});

test('the key of a verification changes with what runs the kernels, not from one time to the next', () => {
  expect(verificationKey('one')).toBe(verificationKey('one'));
  expect(verificationKey('one')).not.toBe(verificationKey('other'));
});
