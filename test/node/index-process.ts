import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toDisplayHash } from '../../src/util/bytes.js';
import { freePort, type RegtestNode } from './regtest-node.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/** What does not come in this time never comes, however busy the machine is. */
const WAIT_MS = 3_000_000;

/** `warpshrew index` in a process of its own, following a regtest node. */
export class IndexProcess {
  #child: ChildProcess;
  #errors = '';
  readonly exited: Promise<number | null>;

  private constructor(
    readonly port: number,
    child: ChildProcess,
  ) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-20_000);
    });
    child.stdout?.resume();
    this.exited = new Promise((resolve) => child.once('exit', (status) => resolve(status)));
  }

  static async start(db: string, node: RegtestNode, args: readonly string[] = []): Promise<IndexProcess> {
    const port = await freePort();
    const access = node.options.cookie ? ['--node-cookie', node.cookieFile] : ['--auth', 'u:p'];
    // At the priority of the node and the tests beside it, or it would wait for all of them.
    access.push('--index-niceness', '0');
    const own = ['--network', 'regtest', '--db', db, '--port', String(port), '--poll-interval', '100'];
    const child = spawn(process.execPath, [CLI, 'index', '--node-url', node.url, ...access, ...own, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new IndexProcess(port, child);
  }

  /** A command line of rockshrew-mono, which serves on `port`. */
  static asRockshrew(port: number, args: readonly string[]): IndexProcess {
    return new IndexProcess(port, spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** What it wrote to standard error, the last of it. */
  get errors(): string {
    return this.#errors;
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return { status: response.status, body: await response.text() };
  }

  async rpc(method: string, ...params: unknown[]): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result: string; error?: { message: string } };
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Until this block is the last one indexed. */
  async reaches(block: { readonly height: number; readonly hash: Uint8Array }): Promise<void> {
    await this.until(`block ${block.height}`, async () => {
      if ((await this.rpc('metashrew_height')) !== String(block.height)) return false;
      return (await this.rpc('metashrew_getblockhash', block.height)) === `0x${toDisplayHash(block.hash)}`;
    });
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const limit = Date.now() + WAIT_MS;
    for (;;) {
      const done = await holds().catch(() => false);
      if (done) return;
      if (this.#child.exitCode !== null || Date.now() > limit) throw new Error(`no ${what}\n${this.#errors}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as an operator does; gives the exit status. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}
