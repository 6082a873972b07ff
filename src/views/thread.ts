import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { WarpshrewError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';

/** What a thread sends once, when it takes tasks. */
export interface ThreadReady {
  readonly kind: 'ready';
}

/** What a {@link TaskThread} runs, and what its ends mean. */
export interface ThreadKind<Task extends object, Reply extends { readonly id: number }, Aside extends object> {
  /** File of the thread, from `dist/` on. */
  readonly file: string;
  /** Called when a thread starts. */
  options(): WorkerOptions;
  /** A message that is no reply: it may come at any time. */
  isAside(message: Reply | Aside): message is Aside;
  onAside(aside: Aside): void;
  /** Why the task of this reply failed; undefined if it did not. */
  failure(reply: Reply): WarpshrewError | undefined;
  /** Whether the thread is to end after this reply, which frees its memory. */
  endsAfter(reply: Reply): boolean;
  timedOut(task: Task, limitMs: number): WarpshrewError;
  /** The thread has failed, or ended (`cause` undefined), with this task. */
  broken(cause: (Error & { code?: string }) | undefined, task: Task | undefined): WarpshrewError;
  interrupted(): WarpshrewError;
  closed(): WarpshrewError;
}

/** The task that the thread is busy with. */
interface Pending<Task, Reply> {
  readonly id: number;
  readonly task: Task;
  readonly startLimit: () => void;
  timer: NodeJS.Timeout | undefined;
  resolve(reply: Reply): void;
  reject(error: WarpshrewError): void;
}

/**
 * One worker thread that runs tasks, one after the other. A task past its limit ends with the thread; the next task
 * starts a new one. Tasks are sent as they are, with an `id` that their reply repeats.
 */
export class TaskThread<Task extends object, Reply extends { readonly id: number }, Aside extends object = never> {
  #worker: Worker | undefined;
  /** The thread has started: what a busy machine takes for that counts for no task. */
  #ready = false;
  #pending: Pending<Task, Reply> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Tasks that have not ended. */
  #waiting = 0;
  #nextId = 0;
  #closed = false;
  readonly #kind: ThreadKind<Task, Reply, Aside>;

  constructor(kind: ThreadKind<Task, Reply, Aside>) {
    this.#kind = kind;
  }

  /**
   * Runs a task when the earlier ones are done and the thread has started. The time limit counts from then. Rejects
   * with what the kind of thread says: of a run that took too long, of a failed thread, of a failed reply.
   */
  call(task: Task, limitMs: number): Promise<Reply> {
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

  /** Ends the thread; its task is rejected, whatever it did. */
  interrupt(): void {
    this.#abandon(this.#kind.interrupted());
  }

  /** Ends the thread. Unfinished tasks are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abandon(this.#kind.closed());
    await this.#last;
  }

  async #begin(task: Task, limitMs: number): Promise<Reply> {
    return this.#run(task, limitMs);
  }

  #run(task: Task, limitMs: number): Promise<Reply> {
    if (this.#closed) throw this.#kind.closed();
    this.#worker ??= this.#spawn();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise<Reply>((resolve, reject) => {
      const startLimit = (): void => {
        pending.timer = setTimeout(() => this.#abandon(this.#kind.timedOut(task, limitMs)), limitMs);
      };
      const pending: Pending<Task, Reply> = { id, task, startLimit, timer: undefined, resolve, reject };
      this.#pending = pending;
      if (this.#ready) startLimit();
      worker.ref();
      worker.postMessage({ ...task, id });
    });
  }

  #spawn(): Worker {
    const worker = new Worker(shipped(this.#kind.file), this.#kind.options());
    const current = () => this.#worker === worker;
    this.#ready = false;
    worker.on('message', (message: Reply | Aside | ThreadReady) => {
      if (isReady(message)) {
        if (!current()) return;
        this.#ready = true;
        this.#pending?.startLimit();
      } else if (this.#kind.isAside(message)) this.#kind.onAside(message);
      else if (current() && message.id === this.#pending?.id) this.#finish(message);
    });
    worker.on('error', (cause: Error & { code?: string }) => {
      if (current()) this.#abandon(this.#kind.broken(cause, this.#pending?.task));
    });
    worker.on('exit', () => {
      if (current()) this.#abandon(this.#kind.broken(undefined, this.#pending?.task));
    });
    return worker;
  }

  #finish(reply: Reply): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    clearTimeout(pending.timer);
    // An idle thread does not keep the process alive.
    this.#worker?.unref();
    // Ending the thread frees its unused memory: the collector may keep it for long.
    if (this.#kind.endsAfter(reply)) this.#restart();
    const failure = this.#kind.failure(reply);
    if (failure !== undefined) pending.reject(failure);
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

function isReady(message: object): message is ThreadReady {
  return 'kind' in message && message.kind === 'ready';
}
