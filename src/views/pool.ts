import { type ErrorFacts, InternalError, ProgramError, type WarpshrewError } from '../errors/errors.js';
import type { TaskThread } from './thread.js';

/** What a pool needs of a thread. */
export type ViewThread<Task extends object, Reply> = Pick<
  TaskThread<Task, Reply & { readonly id: number }>,
  'call' | 'start' | 'interrupt' | 'close'
>;

/** Load of a pool, and counters since its start. */
export interface ViewLoad {
  readonly threads: number;
  readonly running: number;
  readonly waiting: number;
  /** Views refused with VIEW_BUSY: too many were waiting, or they waited too long. */
  readonly refused: number;
  /** Views interrupted so that a client without a thread gets one; they run again. */
  readonly interrupted: number;
}

export interface ViewPoolOptions {
  readonly threads: number;
  /** Views that may wait for a thread. */
  readonly queue: number;
  /** Longest run of a view. */
  readonly limitMs: number;
  /** Longest wait of a view for a thread. */
  readonly waitMs: number;
}

/** What views have where nothing else is said. */
export const DEFAULT_VIEW_POOL: ViewPoolOptions = { threads: 2, queue: 128, limitMs: 10_000, waitMs: 10_000 };

/** How long a client without a thread waits before one that has several must give one up. */
const PATIENCE_MS = 1_000;
/** Times that a view may be interrupted; then it is refused. */
const MOST_INTERRUPTIONS = 3;
/** Extra wait of a client without a thread: for a view that ends at its limit, and for the next thread to start. */
const GRACE_MS = 1_000;

interface Job<Task, Reply> {
  readonly task: Task;
  readonly client: string;
  interruptions: number;
  /** Ends its wait. */
  timer: NodeJS.Timeout | undefined;
  /** Ends its patience. */
  patience: NodeJS.Timeout | undefined;
  resolve(reply: Reply): void;
  reject(error: WarpshrewError): void;
}

/** A thread with the view that it runs. */
interface Seat<Task extends object, Reply> {
  readonly worker: ViewThread<Task, Reply>;
  job: Job<Task, Reply> | undefined;
  since: number;
  interrupted: boolean;
}

/**
 * Threads for views, shared between clients. A view that is slow or never ends blocks only its own thread. A free
 * thread goes to the client that has the fewest, in turn. A client that has none while another has several gets one of
 * these, and the view that ran there starts again later. A single client may use all threads.
 */
export class ViewPool<Task extends object, Reply> {
  readonly #seats: Seat<Task, Reply>[];
  /** The one used last is taken first: its code and memory are still cached. */
  readonly #idle: Seat<Task, Reply>[];
  /** Waiting views by client, in the order of the clients' turns. */
  readonly #rows = new Map<string, Job<Task, Reply>[]>();
  #waiting = 0;
  #refused = 0;
  #interrupted = 0;
  #closed = false;
  readonly #options: ViewPoolOptions;

  constructor(makeWorker: () => ViewThread<Task, Reply>, options: ViewPoolOptions) {
    this.#options = options;

    this.#seats = Array.from({ length: options.threads }, () => {
      return { worker: makeWorker(), job: undefined, since: 0, interrupted: false };
    });
    this.#idle = [...this.#seats];
  }

  get load(): ViewLoad {
    const seats = this.#seats;
    const idle = this.#idle;
    const waiting = this.#waiting;
    const refused = this.#refused;
    const interrupted = this.#interrupted;
    return { threads: seats.length, running: seats.length - idle.length, waiting, refused, interrupted };
  }

  /** Starts the threads, so that the first views do not wait for them. */
  start(): void {
    for (const { worker } of this.#seats) worker.start();
  }

  /** Runs a view for a client. Rejects with ProgramError VIEW_BUSY, MODULE_TIMEOUT, or what the run threw. */
  call(task: Task, client: string): Promise<Reply> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const job: Job<Task, Reply> = {
        task,
        client,
        interruptions: 0,
        timer: undefined,
        patience: undefined,
        resolve,
        reject,
      };
      const seat = this.#idle.pop();
      if (seat !== undefined) this.#run(seat, job);
      else if (this.#hasRoom(client)) this.#enqueue(job);
      else reject(this.#busy('too many views are waiting', { waiting: this.#options.queue }));
    });
  }

  /** Ends the threads. Unfinished views are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#rows.values()].flat()) this.#remove(job).reject(closedError());
    await Promise.all(this.#seats.map(({ worker }) => worker.close()));
  }

  /**
   * Whether the queue has room for one more view of the client: the client with the most makes room for one with fewer.
   */
  #hasRoom(client: string): boolean {
    if (this.#waiting < this.#options.queue) return true;
    let longest: readonly Job<Task, Reply>[] = [];
    for (const row of this.#rows.values()) if (row.length > longest.length) longest = row;
    const newest = longest.at(-1);
    if (newest === undefined || longest.length <= (this.#rows.get(client)?.length ?? 0) + 1) return false;
    this.#remove(newest).reject(this.#busy('views of other clients are waiting', { waiting: this.#options.queue }));
    return true;
  }

  #enqueue(job: Job<Task, Reply>): void {
    const { client } = job;
    const row = this.#rows.get(client);
    const isFirst = row === undefined && this.#threadsOf(client) === 0;
    if (row === undefined) this.#rows.set(client, [job]);
    else if (job.interruptions > 0) row.unshift(job);
    else row.push(job);
    this.#waiting++;
    const limitMs = this.#options.waitMs + (isFirst ? GRACE_MS : 0);
    job.timer = setTimeout(() => {
      this.#remove(job).reject(this.#busy('no thread became free for the view in time', { limitMs }));
    }, limitMs);
    if (isFirst) this.#bePatient(job);
  }

  #remove(job: Job<Task, Reply>): Job<Task, Reply> {
    clearTimeout(job.timer);
    clearTimeout(job.patience);
    const row = this.#rows.get(job.client) ?? [];
    row.splice(row.indexOf(job), 1);
    this.#waiting--;
    if (row.length === 0) this.#rows.delete(job.client);
    return job;
  }

  #bePatient(job: Job<Task, Reply>): void {
    job.patience = setTimeout(() => {
      if (!this.#interruptFor(job.client)) this.#bePatient(job);
    }, PATIENCE_MS);
  }

  /** Takes a thread from a client that has several: the one that it got last, if it has had it for a while. */
  #interruptFor(client: string): boolean {
    if (this.#threadsOf(client) > 0) return true;
    let found: Seat<Task, Reply> | undefined;
    for (const seat of this.#seats) {
      const several = seat.job !== undefined && !seat.interrupted && this.#threadsOf(seat.job.client) > 1;
      const long = performance.now() - seat.since >= PATIENCE_MS;
      if (several && long && (found === undefined || seat.since > found.since)) found = seat;
    }
    if (found === undefined) return false;
    found.interrupted = true;
    this.#interrupted++;
    found.worker.interrupt();
    return true;
  }

  #threadsOf(client: string): number {
    return this.#seats.reduce((sum, { job, interrupted }) => sum + (job?.client === client && !interrupted ? 1 : 0), 0);
  }

  #run(seat: Seat<Task, Reply>, job: Job<Task, Reply>): void {
    seat.job = job;
    seat.since = performance.now();
    const done = (): void => {
      seat.job = undefined;
      seat.interrupted = false;
      this.#toTheEnd(job.client);
      this.#next(seat);
    };
    seat.worker.call(job.task, this.#options.limitMs).then(
      (reply) => {
        job.resolve(reply);
        done();
      },
      (error: WarpshrewError) => {
        if (seat.interrupted && !this.#closed && ++job.interruptions <= MOST_INTERRUPTIONS) this.#enqueue(job);
        else job.reject(seat.interrupted ? this.#busy('other clients needed the threads of the view') : error);
        done();
      },
    );
  }

  /**
   * The thread is free: it takes a view of the client with the fewest threads; among equals, of the one whose turn was
   * longest ago.
   */
  #next(seat: Seat<Task, Reply>): void {
    let client: string | undefined;
    for (const other of this.#rows.keys()) {
      if (client === undefined || this.#threadsOf(other) < this.#threadsOf(client)) client = other;
    }
    const row = client === undefined ? undefined : this.#rows.get(client);
    if (client === undefined || row === undefined) {
      this.#idle.push(seat);
      // A thread that was ended is started again before it is needed.
      if (!this.#closed) seat.worker.start();
      return;
    }
    const job = this.#remove(row[0]);
    this.#toTheEnd(client);
    this.#run(seat, job);
  }

  /** The client has had its turn. */
  #toTheEnd(client: string): void {
    const row = this.#rows.get(client);
    if (row === undefined) return;
    this.#rows.delete(client);
    this.#rows.set(client, row);
  }

  #busy(message: string, facts: ErrorFacts = {}): ProgramError {
    this.#refused++;
    return new ProgramError('VIEW_BUSY', message, {
      facts,
      hint: 'Ask again later; the operator can give views more threads (--view-workers).',
    });
  }
}

function closedError(): InternalError {
  return new InternalError('the threads for views are closed');
}
