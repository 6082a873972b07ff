import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { StoreError } from '../../src/errors/errors.js';
import { Store } from '../../src/store/store.js';
import { CHAIN, type CliRun, startCli } from '../helpers/cli.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** State roots of the bundled chain, by height. */
export const ROOTS = readFileSync(join(CHAIN, 'roots.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ')[1]);

const json = (response: Response): Promise<Record<string, unknown>> =>
  response.json() as Promise<Record<string, unknown>>;

/** At the priority of the tests beside it: below it would wait for all of them. */
const INDEX = ['index', '--port', '0', '--policy', 'cpu', '--index-niceness', '0'];

/** A connection for each request: on a busy machine the server may just end one that would be used once more. */
const ALONE = { connection: 'close' };

/** The built `warpshrew index` on a free port. */
export class Running {
  readonly lines: LogLine[] = [];
  url = '';
  private readonly child;
  private readonly finished: Promise<CliRun>;

  private constructor(args: readonly string[]) {
    const { child, done } = startCli(args);
    this.child = child;
    this.finished = done;
    let rest = '';
    child.stderr?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
    });
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  /** Starts and waits until it serves. */
  static async start(...args: string[]): Promise<Running> {
    const service = new Running([...INDEX, ...args]);
    service.url = String((await service.line('serving JSON-RPC')).url);
    return service;
  }

  /** Starts `warpshrew follow-stream` and waits until it serves. */
  static async replica(stream: string, ...args: string[]): Promise<Running> {
    const service = new Running(['follow-stream', stream, '--port', '0', '--index-niceness', '0', ...args]);
    service.url = String((await service.line('serving JSON-RPC')).url);
    return service;
  }

  /** Starts it as rockshrew-mono is started, with these arguments alone; does not wait. */
  static asRockshrew(...args: string[]): Running {
    return new Running(args);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** The first line of the log with this message, once it is there. */
  async line(message: string): Promise<LogLine> {
    return this.lineThat((line) => line.msg === message);
  }

  async lineThat(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(wanted);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`it has ended: ${(await this.finished).stderr}`);
      await Promise.race([once(this.child.stderr ?? this.child, 'data'), once(this.child, 'exit')]);
    }
  }

  async get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}${path}`, { headers: ALONE });
    return { status: response.status, body: await json(response) };
  }

  async text(path: string): Promise<string> {
    return (await fetch(`${this.url}${path}`, { headers: ALONE })).text();
  }

  async call(method: string, ...params: unknown[]): Promise<Record<string, unknown>> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { ...ALONE, 'content-type': 'application/json' };
    return json(await fetch(this.url, { method: 'POST', headers, body }));
  }

  /** Asks a page until its body is as wanted. */
  async until(path: string, wanted: (body: Record<string, unknown>, status: number) => boolean): Promise<void> {
    for (;;) {
      const { body, status } = await this.get(path);
      if (wanted(body, status)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** How it ended. */
  done(): Promise<CliRun> {
    return this.finished;
  }
}

/** Heights with the state roots that a database holds. */
export async function storedRoots(dir: string): Promise<string[]> {
  const store = await Store.openRecorded(dir, { readOnly: true }).catch((error: unknown) => {
    if (error instanceof StoreError && error.code === 'STORE_EMPTY') return undefined;
    throw error;
  });
  if (store === undefined) return [];
  try {
    const tip = store.tip();
    if (tip === undefined) return [];
    return Array.from({ length: tip.height + 1 }, (_, height) => store.roots(height)?.state ?? 'none');
  } finally {
    await store.close();
  }
}

/** Writes a module into a file of the folder and gives its path. */
export function moduleFile(folder: string, bytes: Uint8Array): string {
  const path = join(folder, 'module.wasm');
  writeFileSync(path, bytes);
  return path;
}
