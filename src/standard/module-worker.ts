import { Worker } from 'node:worker_threads';
import { type ErrorFacts, InternalError, ProgramError, type WarpshrewError } from '../errors.js';
import { shipped } from '../util/shipped.js';
import type { GuestLine } from './guest-log.js';
import { fromPlain, type WorkerLine, type WorkerReply, type WorkerRequest, type WorkerSetup } from './messages.js';

/** JavaScript's heap of a thread for views: what the host holds for a module, not the module's own memory. */
const VIEW_HEAP_MB = 256;
/** Largest memory of a view that its thread keeps for the next one. */
const KEPT_MEMORY_BYTES = 128 << 20;

/** A request without the number that the worker thread gives it. */
export type WorkerTask = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

/** The task that the thread is busy with. */
interface Pending {
  readonly id: number;
  readonly height: number;
  readonly timer: NodeJS.Timeout;
  resolve(reply: WorkerReply): void;
  reject(error: WarpshrewError): void;
}

/**
 * One worker thread that runs a module's blocks or views, one after the other. A run past its limit ends with the thread;
 * the next task starts a new one.
 */
export class ModuleWorker {
  private worker: Worker | undefined;
  private pending: Pending | undefined;
  private last: Promise<unknown> = Promise.resolve();
  /** Tasks that have not ended. */
  private waiting = 0;
  private nextId = 0;
  private closed = false;

  /** `setup` is asked for when the first thread starts. `onLog` hears what the module logs. */
  constructor(
    private readonly setup: () => WorkerSetup,
    private readonly onLog: (line: GuestLine) => void = () => undefined,
  ) {}

  /** Runs a task when those before it are done. The time limit counts from there. Rejects with ProgramError MODULE_TIMEOUT, or what the run threw. */
  call(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    // At once where nothing is under way: whoever calls may block this thread next, and the worker is to go on meanwhile.
    const result = this.waiting === 0 ? this.begin(task, limitMs) : this.last.then(() => this.run(task, limitMs));
    this.waiting++;
    this.last = result
      .catch(() => undefined)
      .then(() => {
        this.waiting--;
      });
    return result;
  }

  /** Starts the thread if it does not run, so that the next task need not wait for it. */
  start(): void {
    if (this.closed || this.worker !== undefined) return;
    this.worker = this.spawn();
    this.worker.unref();
  }

  /** Ends the thread; the task that it runs is refused with an error that says nothing about it. */
  interrupt(): void {
    this.abandon(new InternalError('the run of the module was interrupted'));
  }

  /** Ends the thread. Tasks that are not done are refused. */
  async close(): Promise<void> {
    this.closed = true;
    this.abandon(closedError());
    await this.last;
  }

  private async begin(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    return this.run(task, limitMs);
  }

  private run(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    if (this.closed) throw closedError();
    this.worker ??= this.spawn();
    const { worker } = this;
    const id = this.nextId++;
    return new Promise<WorkerReply>((resolve, reject) => {
      const timer = setTimeout(() => this.abandon(timeout(task, limitMs)), limitMs);
      this.pending = { id, height: task.height, timer, resolve, reject };
      worker.ref();
      worker.postMessage({ ...task, id });
    });
  }

  private spawn(): Worker {
    const workerData = this.setup();
    const resourceLimits = workerData.views === undefined ? {} : { maxOldGenerationSizeMb: VIEW_HEAP_MB };
    const worker = new Worker(shipped('standard/worker.js'), { workerData, resourceLimits });
    const current = () => this.worker === worker;
    worker.on('message', (reply: WorkerReply | WorkerLine) => {
      if (reply.kind === 'log') this.onLog(reply.line);
      else if (current() && reply.id === this.pending?.id) this.finish(reply);
    });
    worker.on('error', (cause: Error & { code?: string }) => {
      if (current()) this.abandon(threadError(cause, this.pending?.height, workerData.views !== undefined));
    });
    worker.on('exit', () => {
      if (current()) this.abandon(new InternalError('the thread of the standard lane ended by itself'));
    });
    return worker;
  }

  private finish(reply: WorkerReply): void {
    const { pending } = this;
    if (!pending) return;
    this.pending = undefined;
    clearTimeout(pending.timer);
    // An idle thread does not keep the process alive.
    this.worker?.unref();
    // A memory that is not used any more goes with its thread: the collector may leave it for long.
    if (reply.kind === 'view' && reply.memoryBytes > KEPT_MEMORY_BYTES) this.restart();
    if (reply.kind === 'failed') pending.reject(failure(reply));
    else pending.resolve(reply);
  }

  /** Ends an idle thread; the next task waits until it is gone. */
  private restart(): void {
    const gone = this.worker?.terminate().catch(() => 0);
    this.worker = undefined;
    this.last = Promise.all([this.last, gone]);
  }

  /** Ends the thread and, once it is gone, refuses its task: who waits for that may close the store that the thread read. */
  private abandon(error: WarpshrewError): void {
    const { worker, pending } = this;
    this.worker = undefined;
    this.pending = undefined;
    clearTimeout(pending?.timer);
    const gone = (worker?.terminate() ?? Promise.resolve(0)).catch(() => 0);
    this.last = Promise.all([this.last, gone]);
    void gone.then(() => pending?.reject(error));
  }
}

function closedError(): WarpshrewError {
  return new InternalError('the standard lane is closed');
}

function threadError(cause: Error & { code?: string }, height: number | undefined, isView: boolean): WarpshrewError {
  if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
    return new InternalError(`the thread of the standard lane failed: ${cause.message}`, { cause });
  }
  const facts: ErrorFacts = height === undefined ? {} : { height };
  if (isView) return new ProgramError('VIEW_MEMORY', 'the view used up the memory of its thread', { facts, cause });
  return new ProgramError('MODULE_OUT_OF_MEMORY', 'the module used up the memory of its thread', { facts, cause });
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
  return reply.error ? fromPlain(reply.error) : new InternalError(`the standard lane failed: ${reply.text}`);
}
