import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Where a NATS server is installed; undefined: nowhere. */
export const NATS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
  .map((folder) => join(folder, 'nats-server'))
  .find((path) => existsSync(path));

/** A NATS server on a port of loopback, which ends with the test. */
export class NatsServer {
  port = -1;
  #child: ChildProcess | undefined;
  readonly #folder: string;
  readonly #args: readonly string[];

  private constructor(folder: string, args: readonly string[]) {
    this.#folder = folder;
    this.#args = args;
  }

  /** With JetStream over `folder`, on a free port. */
  static async start(folder: string, args: readonly string[] = ['--jetstream']): Promise<NatsServer> {
    const server = new NatsServer(folder, args);
    await server.begin();
    onTestFinished(() => server.stop());
    return server;
  }

  url(name: string, login = ''): string {
    return `nats://${login}127.0.0.1:${this.port}/${name}`;
  }

  /** Starts it again, on the same port and over the same streams. */
  async begin(): Promise<void> {
    const place = ['--addr', '127.0.0.1', '--port', String(this.port), '--store_dir', this.#folder];
    const child = spawn(NATS ?? '', [...place, ...this.#args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let log = '';
    const exited = once(child, 'exit');
    // It is read to its end: a server that cannot write its log ends.
    const ready = new Promise<void>((resolve) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('Server is ready')) resolve();
      });
    });
    await Promise.race([ready, exited]);
    if (child.exitCode !== null) throw new Error(`the NATS server does not start: ${log}`);
    this.port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(log)?.[1]);
  }

  /** As a crash does. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
