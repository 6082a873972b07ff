/** The threads of the lane engine. */
import { Worker } from 'node:worker_threads';
import { errorOf, InternalError } from '../../errors/errors.js';
import type { CallRecords } from '../../gpu/pack/records.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneOutcome } from '../../lane/types.js';
import { compiledBytesOf } from '../../program/runner.js';
import { DEEP_STACK } from '../../util/deep-thread.js';
import { shipped } from '../../util/shipped.js';
import type { DryRun, DryRuns } from '../tasks/block-tasks.js';
import { type BlockBudget, BlockTooLarge } from '../tasks/block-weight.js';
import type { RowReply, RowTask } from '../tasks/row-records.js';
import { collect } from './collect.js';
import { decodeDryRuns, decodeOutcomes, encodeItems, encodeTransactions } from './worker-codec.js';
import type {
  BeginBlock,
  CpuItem,
  FromWorker,
  ToWorker,
  WorkerData,
  WorkerRows,
  WorkerTask,
} from './worker-protocol.js';

/** Fewer transactions than this are not worth a task for another thread. */
export const FEWEST_FOR_WORKERS = 8;

/** Tasks per worker that a batch is cut into, so that a slow one does not hold the others up. */
const PIECES_PER_WORKER = 4;
const LARGEST_PIECE = 128;

type Answer = Extract<FromWorker, { bytes: Uint8Array }>;
type Task = Omit<WorkerTask, 'mostBytes'> | Omit<WorkerRows, 'mostBytes'>;

/** Items that pieces are cut of. */
interface Sliceable<T> {
  readonly length: number;
  slice(start: number, end: number): T;
}

interface Job {
  readonly task: Task;
  /** What it may take, by what the pieces before it have left. */
  readonly mostBytes: () => number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** A job of whose end nobody wants to hear any more. */
const FORGOTTEN: Job = {
  task: { kind: 'dry', bytes: new Uint8Array(0) },
  mostBytes: () => 0,
  resolve: () => undefined,
  reject: () => undefined,
};

export class WorkerPool {
  readonly #workers: { readonly thread: Worker; job: Job | undefined }[];
  readonly #ready = new SharedArrayBuffer(4);
  #waiting: Job[] = [];
  #dead: Error | undefined;
  #closing = false;

  /** `watch`: buffer of a WorkWatch, in which worker i is thread i + 1. */
  constructor(
    readonly size: number,
    watch?: SharedArrayBuffer,
  ) {
    this.#workers = Array.from({ length: size }, (_, i) => {
      const workerData: WorkerData = { watch, thread: i + 1, compiledBytes: compiledBytesOf(size), ready: this.#ready };
      const thread = new Worker(shipped('execute/threads/worker.js'), { workerData, resourceLimits: DEEP_STACK });
      const worker: { readonly thread: Worker; job: Job | undefined } = { thread, job: undefined };
      thread.on('message', (answer: FromWorker) => {
        const job = worker.job;
        worker.job = undefined;
        if (answer.kind === 'error') {
          this.#fail(errorOf(answer.failure));
          job?.reject(this.#dead as Error);
          return;
        }
        if (answer.kind === 'too-large') job?.reject(new BlockTooLarge());
        else job?.resolve(answer);
        this.#dispatch();
      });
      thread.on('error', (cause) => this.#fail(new InternalError('a worker thread died', { cause })));
      thread.on('exit', (status) => {
        if (!this.#closing) this.#fail(new InternalError('a worker thread ended', { facts: { status } }));
      });
      return worker;
    });
  }

  /** Whether no block would wait for threads that are being started. A pool that has failed says so when it is used. */
  get isReady(): boolean {
    return this.#dead !== undefined || Atomics.load(new Uint32Array(this.#ready), 0) === this.size;
  }

  /** Sends the next block to every worker. */
  begin(block: BeginBlock): void {
    for (const { thread } of this.#workers) thread.postMessage(block);
  }

  /** No more of the block follows: workers let go of what they know of it. */
  end(): void {
    for (const { thread } of this.#workers) thread.postMessage({ kind: 'end' } satisfies ToWorker);
  }

  /**
   * Dry runs of `transactions`, in their order. Throws `BlockTooLarge` when their outcomes have no room in `budget`.
   */
  async dryRun(transactions: readonly LaneTransaction[], budget: BlockBudget): Promise<DryRuns> {
    const pieces = await this.#all(
      transactions,
      budget,
      (piece) => ({ kind: 'dry', bytes: encodeTransactions(piece) }),
      (answer) => {
        const found = decodeDryRuns(answer.bytes);
        for (const { outcome } of found) budget.take(outcome);
        return { found, written: answer.kind === 'dry' ? answer.records : undefined };
      },
    );
    const runs: DryRun[] = [];
    const records: CallRecords[] = [];
    const recordsOf = new Uint32Array(transactions.length);
    for (const { found, written } of pieces) {
      recordsOf.fill(records.length, runs.length, runs.length + found.length);
      runs.push(...found);
      if (written !== undefined) records.push(written);
    }
    return { runs, records, recordsOf };
  }

  /** Runs `items`, in their order. Throws `BlockTooLarge` when their outcomes have no room in `budget`. */
  async execute(items: readonly CpuItem[], budget: BlockBudget): Promise<LaneOutcome[]> {
    const pieces = await this.#all(
      items,
      budget,
      (piece) => ({ kind: 'cpu', bytes: encodeItems(piece) }),
      (answer) => {
        const outcomes = decodeOutcomes(answer.bytes);
        for (const outcome of outcomes) budget.take(outcome);
        return outcomes;
      },
    );
    return pieces.flat();
  }

  /**
   * Runs `rows` of the block in pieces, of each of which `take` hears what became of it, in any order. Throws
   * `BlockTooLarge` when a piece takes more than `budget` gives it.
   */
  async runRows(
    rows: Uint32Array,
    budget: BlockBudget,
    taskOf: (piece: Uint32Array) => RowTask,
    take: (piece: Uint32Array, reply: RowReply) => void,
  ): Promise<void> {
    await this.#all(
      rows,
      budget,
      (piece) => ({ kind: 'rows', ...taskOf(piece) }),
      (answer, piece) => {
        if (answer.kind === 'rows') take(piece, answer);
      },
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map(({ thread }) => thread.terminate()));
  }

  /** Processes `items` in pieces; `read` decodes each reply as it arrives. The first failure ends all of them. */
  async #all<T extends Sliceable<T>, R>(
    items: T,
    budget: BlockBudget,
    makeTask: (piece: T) => Task,
    read: (answer: Answer, piece: T) => R,
  ): Promise<R[]> {
    const wanted = Math.ceil(items.length / (this.size * PIECES_PER_WORKER));
    const length = Math.max(1, Math.min(LARGEST_PIECE, wanted));
    const pieces = Array.from({ length: Math.ceil(items.length / length) }, (_, i) =>
      items.slice(i * length, (i + 1) * length),
    );
    const mostBytes = (): number => budget.ofPiece(pieces.length);
    try {
      return await collect<[Answer, T], R>(
        pieces.length,
        ([answer, piece]) => read(answer, piece),
        (i, done, reject) => {
          const resolve = (answer: Answer): void => done([answer, pieces[i]]);
          this.#waiting.push({ task: makeTask(pieces[i]), mostBytes, resolve, reject });
          if (i === pieces.length - 1) this.#dispatch();
        },
      );
    } catch (error) {
      this.#waiting = this.#waiting.filter((job) => job.mostBytes !== mostBytes);
      // What was begun is still answered, perhaps much later, and would hold all that was found until then.
      for (const worker of this.#workers) if (worker.job?.mostBytes === mostBytes) worker.job = FORGOTTEN;
      throw error;
    }
  }

  #dispatch(): void {
    if (this.#dead !== undefined) {
      this.#fail(this.#dead);
      return;
    }
    for (const worker of this.#workers) {
      if (worker.job !== undefined) continue;
      worker.job = this.#waiting.shift();
      if (worker.job === undefined) return;
      const { task, mostBytes } = worker.job;
      const sent: ToWorker = { kind: 'task', task: { ...task, mostBytes: mostBytes() } };
      worker.thread.postMessage(sent, task.kind === 'rows' ? [] : [task.bytes.buffer]);
    }
  }

  /** A worker that died may have lost replies: every job fails, now and later. */
  #fail(error: Error): void {
    this.#dead ??= error;
    for (const worker of this.#workers) {
      worker.job?.reject(this.#dead);
      worker.job = undefined;
    }
    for (const job of this.#waiting.splice(0)) job.reject(this.#dead);
  }
}
