/** The threads of the lane engine. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InternalError } from '../errors.js';
import type { CallRecords } from '../gpu/records.js';
import type { LaneTransaction } from '../lane/scan.js';
import type { LaneOutcome } from '../lane/types.js';
import type { DryRun } from './block-tasks.js';
import type { DryRuns } from './dry-run.js';
import { decodeDryRuns, decodeOutcomes, encodeItems, encodeTransactions } from './worker-codec.js';
import type { BeginBlock, CpuItem, FromWorker, ToWorker, WorkerData, WorkerTask } from './worker-messages.js';

/** Tasks per worker that a batch is cut into, so that a slow one does not hold the others up. */
const PIECES_PER_WORKER = 4;
const LARGEST_PIECE = 128;

/** The built worker, also where the sources themselves run (under vitest). */
function workerFile(): string {
  const path = import.meta.url.endsWith('.ts') ? '../../dist/execute/worker.js' : './worker.js';
  return fileURLToPath(new URL(path, import.meta.url));
}

interface Job {
  readonly task: WorkerTask;
  readonly resolve: (answer: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerPool {
  readonly #workers: { readonly thread: Worker; job: Job | undefined }[];
  readonly #waiting: Job[] = [];
  #dead: Error | undefined;
  #closing = false;

  /** `watch`: buffer of a WorkWatch, in which worker i is thread i + 1. */
  constructor(
    readonly size: number,
    watch?: SharedArrayBuffer,
  ) {
    this.#workers = Array.from({ length: size }, (_, i) => {
      const workerData: WorkerData = { watch, thread: i + 1 };
      const thread = new Worker(workerFile(), { workerData });
      const worker: { readonly thread: Worker; job: Job | undefined } = { thread, job: undefined };
      thread.on('message', (answer: FromWorker) => {
        const job = worker.job;
        worker.job = undefined;
        if (answer.kind === 'error') {
          this.#fail(new InternalError(`a worker failed: ${answer.message}`, { cause: answer.stack }));
          job?.reject(this.#dead as Error);
          return;
        }
        job?.resolve(answer);
        this.#dispatch();
      });
      thread.on('error', (cause) => this.#fail(new InternalError('a worker thread died', { cause })));
      thread.on('exit', (status) => {
        if (!this.#closing) this.#fail(new InternalError('a worker thread ended', { facts: { status } }));
      });
      return worker;
    });
  }

  /** Tells every worker of the next block. */
  begin(block: BeginBlock): void {
    for (const { thread } of this.#workers) thread.postMessage(block);
  }

  /** Dry runs of `transactions`, in their order. */
  async dryRun(transactions: readonly LaneTransaction[]): Promise<DryRuns> {
    const answers = await this.#all(transactions, (piece) => ({ kind: 'dry', bytes: encodeTransactions(piece) }));
    const runs: DryRun[] = [];
    const records: CallRecords[] = [];
    const recordsOf = new Uint32Array(transactions.length);
    for (const answer of answers) {
      if (answer.kind !== 'dry') continue;
      const found = decodeDryRuns(answer.bytes);
      recordsOf.fill(records.length, runs.length, runs.length + found.length);
      runs.push(...found);
      if (answer.records !== undefined) records.push(answer.records);
    }
    return { runs, records, recordsOf };
  }

  /** Runs `items`, in their order. */
  async execute(items: readonly CpuItem[]): Promise<LaneOutcome[]> {
    const answers = await this.#all(items, (piece) => ({ kind: 'cpu', bytes: encodeItems(piece) }));
    return answers.flatMap((answer) => (answer.kind === 'cpu' ? decodeOutcomes(answer.bytes) : []));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map(({ thread }) => thread.terminate()));
  }

  #all<T>(items: readonly T[], makeTask: (piece: readonly T[]) => WorkerTask): Promise<FromWorker[]> {
    const wanted = Math.ceil(items.length / (this.size * PIECES_PER_WORKER));
    const length = Math.max(1, Math.min(LARGEST_PIECE, wanted));
    const answers: Promise<FromWorker>[] = [];
    for (let at = 0; at < items.length; at += length) {
      const task = makeTask(items.slice(at, at + length));
      answers.push(
        new Promise((resolve, reject) => {
          this.#waiting.push({ task, resolve, reject });
        }),
      );
    }
    this.#dispatch();
    return Promise.all(answers);
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
      const { task } = worker.job;
      const message: ToWorker = { kind: 'task', task };
      worker.thread.postMessage(message, [task.bytes.buffer]);
    }
  }

  /** A worker that is gone cannot be trusted to have said everything: every job fails, now and later. */
  #fail(error: Error): void {
    this.#dead ??= error;
    for (const worker of this.#workers) {
      worker.job?.reject(this.#dead);
      worker.job = undefined;
    }
    for (const job of this.#waiting.splice(0)) job.reject(this.#dead);
  }
}
