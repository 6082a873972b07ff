/**
 * A thread that does one job at a time beside its caller, who wants the result before long. All calls are synchronous.
 * If the thread has not begun by then, as on a machine that has no core for it, the caller does the job.
 */
import { availableParallelism } from 'node:os';
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { errorOf, type Failure, InternalError } from '../errors/errors.js';
import { shipped } from './shipped.js';
import { CONTROL_WORDS, FAILED, IDLE, JOB, type NumberedJob, POSTED, RESULT, STATE, TAKEN } from './side-job.js';

/** How long a job that was begun is waited for, in milliseconds: a thread that is gone would never end it. */
const PATIENCE_MS = 600_000;

interface RunningThread {
  readonly control: Int32Array;
  readonly port: MessagePort;
  readonly worker: Worker;
}

export interface SideThreadOptions {
  /** What it is started with, relative to dist/. It calls `serveJobs` (side-job.ts) with its `workerData`. */
  readonly file: string;
  /** What else its `workerData` holds; asked for when the thread is started. */
  readonly data: () => object;
  readonly limits: ResourceLimits;
  /** Called once if the thread is there no more. */
  readonly onLost: (cause: unknown) => void;
  readonly patienceMs?: number;
}

export class SideThread<J> {
  #thread: RunningThread | undefined;
  /** The thread could not be started, or ended: the caller does every job. */
  #lost = availableParallelism() < 2;
  #number = 0;
  readonly #options: SideThreadOptions;

  constructor(options: SideThreadOptions) {
    this.#options = options;
  }

  /** Posts what `job` gives, if there is a thread for it; false: there is none. What was begun before is forgotten. */
  begin(job: () => J): boolean {
    this.abandon();
    const thread = this.#running();
    if (thread === undefined) return false;
    const posted: NumberedJob<J> = { number: ++this.#number, job: job() };
    thread.port.postMessage(posted);
    Atomics.store(thread.control, JOB, posted.number);
    Atomics.store(thread.control, STATE, POSTED);
    Atomics.notify(thread.control, STATE);
    return true;
  }

  /**
   * Waits for the job; returns what it gave, undefined if nobody began it. Throws what it threw, and InternalError if
   * the thread does not answer.
   */
  end(): number | undefined {
    const thread = this.#thread;
    const state = this.#settle();
    if (thread === undefined || state === IDLE) return undefined;
    if (state === FAILED) throw this.#failure(thread);
    return Atomics.load(thread.control, RESULT);
  }

  /** Waits for what was begun, if anything was, and forgets it; returns why it failed, if it did. */
  abandon(): Error | undefined {
    const thread = this.#thread;
    return this.#settle() === FAILED && thread !== undefined ? this.#failure(thread) : undefined;
  }

  async close(): Promise<void> {
    this.abandon();
    this.#lost = true;
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.port.close();
    await thread?.worker.terminate();
  }

  #failure({ port }: RunningThread): Error {
    const failure: Failure | undefined = receiveMessageOnPort(port)?.message;
    return failure === undefined ? new InternalError(`${this.#name} does not answer`) : errorOf(failure);
  }

  get #name(): string {
    return `the thread of ${this.#options.file}`;
  }

  /** How the last job ended: {@link IDLE} if nobody began it. */
  #settle(): number {
    if (this.#thread === undefined) return IDLE;
    const { control } = this.#thread;
    if (Atomics.compareExchange(control, STATE, POSTED, IDLE) === POSTED) return IDLE;
    if (Atomics.wait(control, STATE, TAKEN, this.#options.patienceMs ?? PATIENCE_MS) !== 'timed-out') {
      return Atomics.exchange(control, STATE, IDLE);
    }
    void this.#thread.worker.terminate();
    this.#thread = undefined;
    this.#lose(new InternalError(`${this.#name} does not answer`));
    return FAILED;
  }

  #running(): RunningThread | undefined {
    if (this.#lost) return undefined;
    try {
      this.#thread ??= this.#start();
    } catch (error) {
      this.#lose(error);
    }
    return this.#thread;
  }

  #start(): RunningThread {
    const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
    const { port1, port2 } = new MessageChannel();
    const { file, data, limits } = this.#options;
    const worker = new Worker(shipped(file), {
      workerData: { ...data(), control, port: port2 },
      transferList: [port2],
      resourceLimits: limits,
    });
    worker.once('error', (error) => this.#lose(error));
    worker.unref();
    port1.unref();
    return { control, port: port1, worker };
  }

  #lose(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#options.onLost(cause);
  }
}
