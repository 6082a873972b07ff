/** A process that owns a GPU and does batches for any number of clients. */
import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { EnvironmentError, UsageError, WarpshrewError } from '../../errors/errors.js';
import type { FastSide } from '../health/fast-side.js';
import { LONGEST_MESSAGE, longestOf } from '../kernel/segments.js';
import type { Backend, Work, WorkAnswer } from '../work/work.js';
import { addressText, type ServerAddress } from './address.js';
import { Connection, type ServerJob, type StateJob } from './connection.js';
import { JobQueue } from './job-queue.js';
import type { LaneDesk } from './lane-desk.js';

/** Connections at a time; more are closed at once. */
const MOST_CLIENTS = 64;
const LOOK_MS = 5_000;

export interface TaskServerOptions {
  readonly address: ServerAddress;
  /** What clients must know. Wanted on TCP. */
  readonly token?: string | undefined;
  /** Does batch tasks. The server closes it. */
  readonly fast: FastSide<Backend>;
  /** Runs calls of contracts; without it they are refused. The server closes it. */
  readonly lane?: LaneDesk | undefined;
  readonly adapter: string;
  /** Jobs at a time; others wait. */
  readonly jobs: number;
  /** Most bytes that frames of all clients take at a time. */
  readonly mostBytes: number;
  /** Hears of each client that is dropped, and why. */
  readonly onDropped?: (why: string) => void;
}

export interface TaskServer {
  /** With the port that was chosen for port 0. */
  readonly address: string;
  readonly figures: {
    readonly clients: number;
    readonly waiting: number;
    readonly done: number;
    readonly failed: number;
  };
  close(): Promise<void>;
}

/**
 * Listens. Throws UsageError USAGE_GPU_SERVER for TCP without a token, EnvironmentError ENV_PORT_IN_USE or
 * ENV_LISTEN_FAILED. A Unix socket is for its own user alone.
 */
export async function startTaskServer(options: TaskServerOptions): Promise<TaskServer> {
  const { address, token } = options;
  if (address.kind === 'tcp' && token === undefined) {
    throw new UsageError('USAGE_GPU_SERVER', 'a GPU server on TCP needs a token', { hint: '--token-file FILE' });
  }
  const running = new RunningServer(options);
  await running.listen();
  return running;
}

class RunningServer implements TaskServer {
  readonly #options: TaskServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Connection>();
  readonly #queue = new JobQueue<Connection, ServerJob>();
  readonly #look: NodeJS.Timeout;
  #bytes = 0;
  #running = 0;
  #done = 0;
  #failed = 0;
  #isResuming = false;

  constructor(options: TaskServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#greet(socket));
    this.#look = setInterval(() => {
      for (const client of this.#clients) client.look();
    }, LOOK_MS);
    this.#look.unref();
  }

  get address(): string {
    const { address } = this.#options;
    const bound = this.#server.address();
    return addressText(
      address.kind === 'tcp' && typeof bound === 'object' && bound !== null
        ? { ...address, port: bound.port }
        : address,
    );
  }

  get figures(): TaskServer['figures'] {
    return { clients: this.#clients.size, waiting: this.#queue.size, done: this.#done, failed: this.#failed };
  }

  async listen(): Promise<void> {
    const { address } = this.#options;
    if (address.kind === 'unix' && (await isStale(address.path))) rmSync(address.path);
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(address.kind === 'unix' ? { path: address.path } : address, () => resolve());
      });
    } catch (cause) {
      clearInterval(this.#look);
      const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      throw new EnvironmentError(inUse ? 'ENV_PORT_IN_USE' : 'ENV_LISTEN_FAILED', 'the GPU server cannot listen', {
        facts: { address: addressText(address) },
        cause,
      });
    } finally {
      process.umask(before);
    }
    if (address.kind === 'unix') chmodSync(address.path, 0o600);
    this.#server.on('error', () => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#look);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of [...this.#clients]) client.drop(undefined);
    await closed;
    await this.#options.fast.close();
    await this.#options.lane?.close();
  }

  #greet(socket: Socket): void {
    if (this.#clients.size >= MOST_CLIENTS) {
      socket.destroy();
      return;
    }
    const { token, adapter, mostBytes, lane } = this.#options;
    const client = new Connection(socket, {
      token,
      adapter,
      lane: lane?.device ?? 'none',
      programOf: (hash) => lane?.programOf(hash),
      askState: (connection, job, source) => void this.#tellState(connection, job, source),
      reserve: (bytes) => {
        // One frame is taken in any case, so that no bound is too small for all work.
        if (this.#bytes > 0 && this.#bytes + bytes > mostBytes) return false;
        this.#bytes += bytes;
        return true;
      },
      release: (bytes) => {
        this.#bytes -= bytes;
        this.#resumeAll();
      },
      add: (connection, job) => {
        this.#queue.add(connection, job.priority, job);
        this.#next();
      },
      gone: (connection, why) => {
        this.#clients.delete(connection);
        this.#queue.forget(connection);
        if (why !== undefined) this.#options.onDropped?.(why);
      },
    });
    this.#clients.add(client);
  }

  /** Later, and once: what is read then may release more. */
  #resumeAll(): void {
    if (this.#isResuming) return;
    this.#isResuming = true;
    setImmediate(() => {
      this.#isResuming = false;
      for (const client of [...this.#clients]) client.resume();
    });
  }

  #next(): void {
    while (this.#running < this.#options.jobs) {
      const next = this.#queue.take();
      if (next === undefined) return;
      this.#running++;
      void this.#do(next.client, next.job).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  async #do(client: Connection, job: ServerJob): Promise<void> {
    try {
      if (job.asked.kind === 'piece') client.tellOutcomes(job, await this.#lane.run(job.asked.piece));
      else client.answer(job, await this.#work(job.asked.work));
      this.#done++;
    } catch (error) {
      this.#failed++;
      client.fail(job, ...failureOf(error));
    }
  }

  async #work(work: Work): Promise<WorkAnswer> {
    const { fast } = this.#options;
    if (work.kind === 'sha256' && longestOf(work) > LONGEST_MESSAGE) {
      throw new EnvironmentError('GPU_FAILED', 'a message is too long for a kernel');
    }
    const backend = await fast.usable();
    if (backend === undefined) {
      throw new EnvironmentError('GPU_UNAVAILABLE', fast.figures.why ?? 'the device cannot be used now');
    }
    fast.begins();
    try {
      const answer = await backend.run(work);
      fast.succeeded(0);
      return answer;
    } catch (error) {
      await fast.failed(backend, error);
      throw error;
    }
  }

  async #tellState(client: Connection, job: StateJob, source: Uint8Array): Promise<void> {
    try {
      const { state, reason } = await this.#lane.state(source);
      client.tellState(job, state, reason);
    } catch (error) {
      client.fail(job, ...failureOf(error));
    }
  }

  get #lane(): LaneDesk {
    const { lane } = this.#options;
    if (lane !== undefined) return lane;
    throw new EnvironmentError('GPU_UNAVAILABLE', 'this server has no device for calls of contracts');
  }
}

function failureOf(error: unknown): [code: string, text: string] {
  const text = error instanceof Error ? error.message : String(error);
  return [error instanceof WarpshrewError ? error.code : 'INTERNAL', text];
}

/** Whether a socket lies there that nobody listens on any more. */
async function isStale(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
