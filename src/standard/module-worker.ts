import { Worker } from 'node:worker_threads';
import { type ErrorFacts, errorOf, InternalError, ProgramError, type WarpshrewError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import type { GuestLine } from './guest-log.js';
import {
  fromPlain,
  type WorkerLine,
  type WorkerReady,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from './worker-protocol.js';

/** JavaScript heap of a thread for views: what the host holds for a module, not the module's own memory. */
const VIEW_HEAP_MB = 256;
/** Largest memory of a view that its thread keeps for the next one. */
const KEPT_MEMORY_BYTES = 128 << 20;

/** A request without its id, which {@link ModuleWorker} assigns. */
export type WorkerTask = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

/** The task that the thread is busy with. */
interface Pending {
  readonly id: number;
  readonly height: number;
  readonly startLimit: () => void;
  timer: NodeJS.Timeout | undefined;
  resolve(reply: WorkerReply): void;
  reject(error: WarpshrewError): void;
}

/**
 * One worker thread that runs a module's blocks or views, one after the other. A run past its limit ends with the
 * thread; the next task starts a new one.
 */
export class ModuleWorker {
  #worker: Worker | undefined;
  /** The thread has started: what a busy machine takes for that counts for no task. */
  #ready = false;
  #pending: Pending | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Tasks that have not ended. */
  #waiting = 0;
  #nextId = 0;
  #closed = false;
  readonly #setup: () => WorkerSetup;
  readonly #onLog: (line: GuestLine) => void;

  /** `setup` is called when the first thread starts. `onLog` is called with what the module logs. */
  constructor(setup: () => WorkerSetup, onLog: (line: GuestLine) => void = () => undefined) {
    this.#setup = setup;
    this.#onLog = onLog;
  }

  /**
   * Runs a task when the earlier ones are done and the thread has started. The time limit counts from then. Rejects
   * with ProgramError MODULE_TIMEOUT, or what the run threw.
   */
  call(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    // At once if no task is under way: the caller may block this thread next, while the worker should go on.
    const result = this.#waiting === 0 ? this.#begin(task, limitMs) : this.#last.then(() => this.#run(task, limitMs));
    this.#waiting++;
    this.#last = result
      .catch(() => undefined)
      .then(() => {
        this.#waiting--;
      });
    return result;
  }

  /** Starts the thread if it is not running, so that the next task need not wait for it. */
  start(): void {
    if (this.#closed || this.#worker !== undefined) return;
    this.#worker = this.#spawn();
    this.#worker.unref();
  }

  /** Ends the thread; its task is rejected with an InternalError, whatever the task did. */
  interrupt(): void {
    this.#abandon(new InternalError('the run of the module was interrupted'));
  }

  /** Ends the thread. Unfinished tasks are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abandon(closedError());
    await this.#last;
  }

  async #begin(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    return this.#run(task, limitMs);
  }

  #run(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    if (this.#closed) throw closedError();
    this.#worker ??= this.#spawn();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise<WorkerReply>((resolve, reject) => {
      const startLimit = (): void => {
        pending.timer = setTimeout(() => this.#abandon(timeout(task, limitMs)), limitMs);
      };
      const pending: Pending = { id, height: task.height, startLimit, timer: undefined, resolve, reject };
      this.#pending = pending;
      if (this.#ready) startLimit();
      worker.ref();
      worker.postMessage({ ...task, id });
    });
  }

  #spawn(): Worker {
    const workerData = this.#setup();
    const resourceLimits = workerData.views === undefined ? {} : { maxOldGenerationSizeMb: VIEW_HEAP_MB };
    const worker = new Worker(shipped('standard/worker.js'), { workerData, resourceLimits });
    const current = () => this.#worker === worker;
    this.#ready = false;
    worker.on('message', (reply: WorkerReply | WorkerLine | WorkerReady) => {
      if (reply.kind === 'log') this.#onLog(reply.line);
      else if (reply.kind === 'ready') {
        if (!current()) return;
        this.#ready = true;
        this.#pending?.startLimit();
      } else if (current() && reply.id === this.#pending?.id) this.#finish(reply);
    });
    worker.on('error', (cause: Error & { code?: string }) => {
      if (current()) this.#abandon(threadError(cause, this.#pending?.height, workerData.views !== undefined));
    });
    worker.on('exit', () => {
      if (current()) this.#abandon(new InternalError('the thread of the standard module ended unexpectedly'));
    });
    return worker;
  }

  #finish(reply: WorkerReply): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    clearTimeout(pending.timer);
    // An idle thread does not keep the process alive.
    this.#worker?.unref();
    // Ending the thread frees its unused memory: the collector may keep it for long.
    if (reply.kind === 'view' && reply.memoryBytes > KEPT_MEMORY_BYTES) this.#restart();
    if (reply.kind === 'failed') pending.reject(failure(reply));
    else pending.resolve(reply);
  }

  /** Ends an idle thread; the next task waits until it is gone. */
  #restart(): void {
    const gone = this.#worker?.terminate().catch(() => 0);
    this.#worker = undefined;
    this.#last = Promise.all([this.#last, gone]);
  }

  /**
   * Ends the thread and, once it is gone, rejects its task: the caller may then close the store that the thread read.
   */
  #abandon(error: WarpshrewError): void {
    const worker = this.#worker;
    const pending = this.#pending;
    this.#worker = undefined;
    this.#pending = undefined;
    clearTimeout(pending?.timer);
    const gone = (worker?.terminate() ?? Promise.resolve(0)).catch(() => 0);
    this.#last = Promise.all([this.#last, gone]);
    void gone.then(() => pending?.reject(error));
  }
}

function closedError(): WarpshrewError {
  return new InternalError('the standard indexer is closed');
}

function threadError(cause: Error & { code?: string }, height: number | undefined, isView: boolean): WarpshrewError {
  if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
    return new InternalError(`the thread of the standard module failed: ${cause.message}`, { cause });
  }
  const facts: ErrorFacts = height === undefined ? {} : { height };
  if (isView) return new ProgramError('VIEW_MEMORY', 'the view exhausted the memory of its thread', { facts, cause });
  return new ProgramError('MODULE_OUT_OF_MEMORY', 'the module exhausted the memory of its thread', { facts, cause });
}

function timeout(task: WorkerTask, limitMs: number): ProgramError {
  const what =
    task.kind === 'block'
      ? 'the module did not finish the block in time'
      : `the view ${task.name} did not finish in time`;
  return new ProgramError('MODULE_TIMEOUT', what, {
    facts: { height: task.height, limitMs },
    hint: 'the module may loop for ever; if it is only slow, raise the limit',
  });
}

function failure(reply: WorkerReply & { kind: 'failed' }): WarpshrewError {
  if (reply.fault === undefined) return fromPlain(reply.error);
  // An error of the database that the module reads keeps its code.
  if (reply.fault.kind !== 'internal') return errorOf(reply.fault);
  return new InternalError(`the standard module failed: ${reply.fault.message}`);
}
