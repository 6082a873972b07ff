import { type ErrorFacts, InternalError, ProgramError, type WarpshrewError } from '../errors.js';
import type { WorkerReply, WorkerSetup } from './messages.js';
import { ModuleWorker, type WorkerTask } from './module-worker.js';

/** What a pool has to do, and what it turned away since it began. */
export interface ViewLoad {
  readonly threads: number;
  readonly running: number;
  readonly waiting: number;
  /** Views refused with VIEW_BUSY: too many were waiting, or they waited too long. */
  readonly refused: number;
}

export interface ViewPoolOptions {
  readonly threads: number;
  /** Views that may wait for a thread. */
  readonly queue: number;
  /** Longest wait of a view for a thread, and then its longest run. */
  readonly limitMs: number;
}

interface Waiting {
  readonly task: WorkerTask;
  readonly timer: NodeJS.Timeout;
  resolve(reply: Promise<WorkerReply>): void;
  reject(error: WarpshrewError): void;
}

/** Threads for views: one that is slow or never ends holds up its own thread only, and an answer comes within twice the limit. */
export class ViewPool {
  private readonly workers: ModuleWorker[];
  /** The one used last is taken first: its code and memory are in the caches. */
  private readonly idle: ModuleWorker[];
  private readonly waiting = new Set<Waiting>();
  private refused = 0;
  private closed = false;

  constructor(
    setup: WorkerSetup,
    private readonly options: ViewPoolOptions,
  ) {
    this.workers = Array.from({ length: options.threads }, () => new ModuleWorker(setup));
    this.idle = [...this.workers];
  }

  get load(): ViewLoad {
    const { workers, idle, waiting, refused } = this;
    return { threads: workers.length, running: workers.length - idle.length, waiting: waiting.size, refused };
  }

  /** Starts the threads, so that the first views do not wait for them. */
  start(): void {
    for (const worker of this.workers) worker.start();
  }

  /** Runs a view. Rejects with ProgramError VIEW_BUSY, MODULE_TIMEOUT, or what the run threw. */
  call(task: WorkerTask): Promise<WorkerReply> {
    if (this.closed) return Promise.reject(new InternalError('the standard lane is closed'));
    const worker = this.idle.pop();
    if (worker !== undefined) return this.run(worker, task);
    const { queue, limitMs } = this.options;
    if (this.waiting.size >= queue) {
      return Promise.reject(this.busy('too many views are waiting', { waiting: queue }));
    }
    return new Promise((resolve, reject) => {
      const tooLate = (): void => {
        this.waiting.delete(waiting);
        reject(this.busy('no thread became free for the view in time', { limitMs }));
      };
      const waiting: Waiting = { task, timer: setTimeout(tooLate, limitMs), resolve, reject };
      this.waiting.add(waiting);
    });
  }

  /** Ends the threads. Views that are not done are refused. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { timer, reject } of this.waiting) {
      clearTimeout(timer);
      reject(new InternalError('the standard lane is closed'));
    }
    this.waiting.clear();
    await Promise.all(this.workers.map((worker) => worker.close()));
  }

  private run(worker: ModuleWorker, task: WorkerTask): Promise<WorkerReply> {
    const result = worker.call(task, this.options.limitMs);
    const next = (): void => this.next(worker);
    void result.then(next, next);
    return result;
  }

  /** The worker is free: it takes the view that waits longest. */
  private next(worker: ModuleWorker): void {
    const [first] = this.waiting;
    if (first === undefined) {
      this.idle.push(worker);
      // A thread that had to be ended is made anew before somebody needs it.
      if (!this.closed) worker.start();
      return;
    }
    this.waiting.delete(first);
    clearTimeout(first.timer);
    first.resolve(this.run(worker, first.task));
  }

  private busy(message: string, facts: ErrorFacts): ProgramError {
    this.refused++;
    return new ProgramError('VIEW_BUSY', message, {
      facts,
      hint: 'Ask again later; the operator can give views more threads (--view-workers).',
    });
  }
}
