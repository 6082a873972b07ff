/** A program laid out as strangers get it, and what has to work there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from '../helpers/cli.js';

/** One layout: how the program is started there. */
export interface Layout {
  /** Command and first arguments. */
  readonly command: readonly string[];
  /** Where it is started. */
  readonly cwd: string;
  /** Its dist/. */
  readonly dist: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Links the packages that `npm ci --omit=dev` installs into `folder`, without a network. */
export function linkProductionPackages(folder: string): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    // What lies within another package comes with it.
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined || dev) continue;
    const link = join(folder, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
}

/** Nothing of this machine but its programs: no settings, no cache, no GPU driver that the tests were started with. */
function bare({ cwd, environment }: Layout): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, HOME: cwd, XDG_CACHE_HOME: join(cwd, 'cache'), TMPDIR: join(cwd, 'tmp'), ...environment };
}

/** A command under way. */
export class Run {
  text = '';
  readonly ended: Promise<number | null>;
  private readonly child;

  constructor(layout: Layout, args: readonly string[]) {
    const [file, ...first] = layout.command;
    this.child = spawn(file, [...first, ...args], {
      cwd: layout.cwd,
      env: bare(layout),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.text += text;
      });
    }
    this.ended = once(this.child, 'close').then(([status]: (number | null)[]) => status);
  }

  /** What the expression finds in what the command says, once it does. */
  async says(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(this.text);
      if (found !== null) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`it ended: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

async function finishes(layout: Layout, ...args: string[]): Promise<string> {
  const run = new Run(layout, args);
  expect(await run.ended, `${args.join(' ')}\n${run.text}`).toBe(0);
  return run.text;
}

export async function rpc(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
  expect(error).toBeUndefined();
  return result;
}

const TIP = 185;
/** The tip's height as the default indexer's view gives it. */
const TIP_VIEW = '0xb9000000';

/**
 * `start`, `index`, `fuzz`, a kernel and a view run in the layout: whatever of these misses a file fails. `start` is
 * followed until it compiles the bundled programs, which takes the software driver a minute; the kernel is a small
 * one.
 */
export async function runsForStrangers(layout: Layout): Promise<void> {
  mkdirSync(join(layout.cwd, 'tmp'), { recursive: true });
  const start = new Run(layout, ['start', '--port', '0']);
  try {
    const url = (await start.says(/JSON-RPC on (\S+) /))[1];
    expect(await rpc(url, 'metashrew_view', 'tipheight', '0x', 'latest')).toBe(TIP_VIEW);
    await start.says(/verify: compiling the kernels of claim, amm, mint, ledger, names, probe on SwiftShader/);
    start.interrupt();
    expect(await start.ended, start.text).toBe(0);
    expect(start.text).toMatch(/Goodbye/);
  } finally {
    start.kill();
  }
  const chain = join(layout.dist, 'chains', 'regtest');
  const index = new Run(layout, [
    'index',
    '--fixture',
    chain,
    '--db',
    join(layout.cwd, 'index.db'),
    '--port',
    '0',
    '--log-format',
    'json',
  ]);
  try {
    const url = (await index.says(/(http:\/\/127\.0\.0\.1:\d+)/))[1];
    await expect.poll(() => rpc(url, 'metashrew_height')).toBe(String(TIP));
    index.interrupt();
    expect(await index.ended, index.text).toBe(0);
  } finally {
    index.kill();
  }
  expect(await finishes(layout, 'fuzz', '--no-gpu', '--blocks', '2')).toMatch(/2 blocks.*0 differences/);
  const kernel = ['fuzz-kernel', '--seed', '1', '--modules', '1', '--runs', '20'];
  expect(await finishes(layout, 'software-gpu', '--', ...layout.command, ...kernel)).toMatch(
    /on SwiftShader.*, 0 differences/,
  );
}
