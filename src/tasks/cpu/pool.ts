import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { errorOf, type Failure, InternalError } from '../../errors/errors.js';
import { shipped } from '../../util/shipped.js';
import { type Backend, costOf, mergedAnswers, sliceOf, unitsOf, type Work, type WorkAnswer } from '../work/work.js';
import { runWork } from './run-work.js';

export type WorkerReply = { readonly answer: WorkAnswer } | { readonly failure: Failure };

/** Work below this cost, in microseconds, is done at once by the thread that asks. */
const AT_ONCE_US = 3_000;
/** A piece for a thread costs at least so much. */
const PIECE_US = 1_500;
/** Pieces a thread gets of a wide request, so that all end together although some are busy otherwise. */
const PIECES_PER_THREAD = 3;
/** After so many threads that died, all is done by the thread that asks. */
const MOST_LOST = 4;

interface Job {
  readonly work: Work;
  readonly resolve: (answer: WorkAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Does work on all cores. Its threads are started when they are first needed, and keep no process alive. */
export class CpuBackend implements Backend {
  readonly #threads: number;
  readonly #idle: Worker[] = [];
  /** Threads, and the job of each that has one. */
  readonly #workers = new Map<Worker, Job | undefined>();
  readonly #waiting: Job[] = [];
  #lost = 0;
  #isClosed = false;

  /** `threads`: at most so many; 0: everything is done by the thread that asks. Default: one for each core. */
  constructor(threads: number = availableParallelism()) {
    this.#threads = threads;
  }

  /** Threads that died; the thread that asked did their work. */
  get lostThreads(): number {
    return this.#lost;
  }

  /** Rejects with what a library throws, and with InternalError if this is closed. `work` must not change meanwhile. */
  async run(work: Work, beside = false): Promise<WorkAnswer> {
    if (this.#isClosed) throw new InternalError('the threads of batch tasks are closed');
    const cost = costOf(work);
    if (!this.#hasThreads || (!beside && cost < AT_ONCE_US)) return runWork(work);
    const units = unitsOf(work);
    const most = Math.min(units, this.#threads * PIECES_PER_THREAD);
    const pieces = Math.max(1, Math.min(most, Math.floor(cost / PIECE_US)));
    const parts = Array.from({ length: pieces }, (_, i) =>
      this.#hand(sliceOf(work, Math.floor((units * i) / pieces), Math.floor((units * (i + 1)) / pieces))),
    );
    return mergedAnswers(await Promise.all(parts));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [...this.#workers.keys()];
    const jobs = [...this.#workers.values(), ...this.#waiting.splice(0)];
    this.#workers.clear();
    for (const job of jobs) job?.reject(new InternalError('the threads of batch tasks are closed'));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  get #hasThreads(): boolean {
    return this.#threads > 0 && this.#lost < MOST_LOST;
  }

  #hand(work: Work): Promise<WorkAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#assign();
    });
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? (this.#workers.size < this.#threads ? this.#start() : undefined);
      if (worker === undefined) return;
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#workers.set(worker, job);
      worker.ref();
      // Copies: what lies in a large buffer would otherwise be sent with all of it.
      const sent = copyOf(job.work);
      worker.postMessage(sent.work, sent.buffers);
    }
  }

  #start(): Worker {
    const worker = new Worker(shipped('tasks/cpu/worker.js'));
    this.#workers.set(worker, undefined);
    worker.on('message', (reply: WorkerReply) => this.#settle(worker, reply));
    worker.on('error', () => this.#lose(worker));
    worker.on('exit', () => this.#lose(worker));
    return worker;
  }

  #settle(worker: Worker, reply: WorkerReply): void {
    const job = this.#workers.get(worker);
    if (job === undefined) return;
    this.#workers.set(worker, undefined);
    worker.unref();
    this.#idle.push(worker);
    if ('answer' in reply) job.resolve(reply.answer);
    else job.reject(errorOf(reply.failure));
    this.#assign();
  }

  /** The thread that asked does what a dead one had to do. */
  #lose(worker: Worker): void {
    if (!this.#workers.has(worker)) return;
    const job = this.#workers.get(worker);
    this.#workers.delete(worker);
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    this.#lost++;
    const here = this.#hasThreads ? [] : this.#waiting.splice(0);
    for (const one of job === undefined ? here : [job, ...here]) {
      try {
        one.resolve(runWork(one.work));
      } catch (error) {
        one.reject(error);
      }
    }
    this.#assign();
  }
}

function copyOf(work: Work): { readonly work: Work; readonly buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const copy = (bytes: Uint8Array): Uint8Array => {
    const own = Uint8Array.from(bytes);
    buffers.push(own.buffer);
    return own;
  };
  switch (work.kind) {
    case 'sha256':
      return { work: { ...work, bytes: copy(work.bytes) }, buffers };
    case 'forest':
      return { work: { ...work, leaves: copy(work.leaves) }, buffers };
    default:
      return { work: { ...work, columns: work.columns.map(copy) }, buffers };
  }
}
