import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the node's programs lie; kept between runs. */
const PROGRAMS =
  process.env.TEST_BITCOIN_NODE ?? fileURLToPath(new URL('../../node_modules/.cache/bitcoin-node', import.meta.url));
const INSTALLER = fileURLToPath(new URL('../../scripts/install-bitcoin-node.mjs', import.meta.url));
const START_MS = 3_000_000;

/**
 * Installs the node's programs if they are not there. False where this system cannot give them: the tests are skipped
 * then.
 */
export function installNode(): boolean {
  if (existsSync(join(PROGRAMS, 'bitcoind'))) return true;
  try {
    execFileSync(process.execPath, [INSTALLER, PROGRAMS], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 900_000,
    });
    return true;
  } catch {
    return false;
  }
}

/** The folder of the node's programs. */
export function nodePrograms(): string {
  return PROGRAMS;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface NodeOptions {
  /** Arguments beside the usual ones. */
  readonly args?: readonly string[];
  /** No user and password: who asks must read the cookie file. */
  readonly cookie?: boolean;
  readonly zmq?: boolean;
}

/** A regtest node of its own: on loopback, without peers. */
export class RegtestNode {
  #process: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly zmqPort: number,
    readonly options: NodeOptions,
  ) {}

  static async start(folder: string, options: NodeOptions = {}): Promise<RegtestNode> {
    mkdirSync(folder, { recursive: true });
    const node = new RegtestNode(folder, await freePort(), await freePort(), options);
    await node.up();
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get zmqUrl(): string {
    return `tcp://127.0.0.1:${this.zmqPort}`;
  }

  get cookieFile(): string {
    return join(this.folder, 'regtest', '.cookie');
  }

  get blocksFolder(): string {
    return join(this.folder, 'regtest', 'blocks');
  }

  /** Starts the process (again, over the same folder) and waits until it answers. */
  async up(args: readonly string[] = []): Promise<void> {
    const { cookie, zmq } = this.options;
    const child = spawn(
      join(PROGRAMS, 'bitcoind'),
      [
        '-regtest',
        `-datadir=${this.folder}`,
        ...(cookie ? [] : ['-rpcuser=u', '-rpcpassword=p']),
        '-listen=0',
        '-dnsseed=0',
        '-connect=0',
        '-rpcbind=127.0.0.1',
        '-rpcallowip=127.0.0.1',
        `-rpcport=${this.port}`,
        '-softwareexpiry=0',
        // The chain's blocks are dated years back: without this the node would be in its initial download for ever.
        '-maxtipage=2000000000',
        ...(zmq ? [`-zmqpubhashblock=${this.zmqUrl}`, `-zmqpubsequence=${this.zmqUrl}`] : []),
        ...(this.options.args ?? []),
        ...args,
      ],
      { stdio: 'ignore' },
    );
    this.#process = child;
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        await this.rpc('getblockcount');
        return;
      } catch (error) {
        if (Date.now() > until || child.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    const user = this.options.cookie ? readFileSync(this.cookieFile, 'utf8') : 'u:p';
    const request = {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }),
    };
    let response = await fetch(this.url, request);
    // A work queue that is full of somebody else's calls.
    while (response.status === 503) {
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 20));
      response = await fetch(this.url, request);
    }
    const { result, error } = (await response.json()) as { result: T; error: { message: string } | null };
    if (error !== null) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Gives the node blocks; each must be accepted, on the best chain or beside it. */
  async submit(blocks: readonly { readonly raw: Uint8Array }[]): Promise<void> {
    for (const { raw } of blocks) {
      const refused = await this.rpc<string | null>('submitblock', Buffer.from(raw).toString('hex'));
      if (refused !== null && refused !== 'inconclusive' && refused !== 'duplicate') throw new Error(refused);
    }
  }

  /** Ends the process as an operator does. */
  async stop(): Promise<void> {
    this.#process?.kill('SIGTERM');
    await this.#exited;
  }

  /** Ends it without warning. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
