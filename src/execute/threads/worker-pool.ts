/** The threads of the lane engine. */
import { Worker } from 'node:worker_threads';
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { errorOf, InternalError } from '../../errors/errors.js';
import type { SharedOutcomes } from '../../gpu/pack/types.js';
import { partsOf, type ScannedPart } from '../../lane/columns/scan-parts.js';
import { compiledBytesOf } from '../../program/runner.js';
import { DEEP_STACK } from '../../util/deep-thread.js';
import { shipped } from '../../util/shipped.js';
import { type BlockBudget, BlockTooLarge } from '../tasks/block-weight.js';
import { type RowParts, RowQueue, shareRows } from '../tasks/row-queue.js';
import type { RowReply, RunOfRows } from '../tasks/row-records.js';
import type { SharedWrites } from '../tasks/written-state.js';
import { Rehearsal, type RehearsalLength, type RehearsalProgress } from './rehearsal.js';
import type { BeginBlock, FromWorker, ToWorker, WorkerData } from './worker-protocol.js';

/** Fewer transactions than this are not worth a task for another thread. */
export const FEWEST_FOR_WORKERS = 8;

/** Rows of an answer at most: what one may take follows from it. */
const LARGEST_ANSWER = 128;

/** Threads that scan a block together. */
const FEWEST_TO_SCAN = 4;

/** Share of the workers that rehearse while the engine runs a block: cores have memory and clock in common. */
const BESIDE_THE_ENGINE = 0.25;

/** A part of a block that a worker scans. */
interface ScanJob {
  readonly scanned: (part: ScannedPart) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolWorker {
  readonly thread: Worker;
  readonly scans: ScanJob[];
}

export interface WorkerPoolOptions {
  /** Threads that there may be one day; no more than at first if not given. */
  readonly most?: number;
  /** Buffer of a WorkWatch, in which worker i is thread i + 1. */
  readonly watch?: SharedArrayBuffer | undefined;
  /** Hears how many rows of a batch the workers have not told anything of, each time that it changes. */
  readonly onQueue?: (rows: number) => void;
  /** Hears of each thread that cannot put programs away any more. */
  readonly onProgramFileLost?: (why: string) => void;
}

/** Rows that all workers run together. */
interface Batch {
  readonly number: number;
  readonly take: (reply: RowReply) => void;
  /** Rows of which nothing was heard. */
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerPool {
  /** Of each worker: what it is to scan, in the order in which it answers. */
  readonly #workers: PoolWorker[] = [];
  readonly #options: WorkerPoolOptions & { readonly most: number };
  readonly #ready = new SharedArrayBuffer(4);
  /** The rows under way. */
  #batch: Batch | undefined;
  #batches = 0;
  #rehearsal: Rehearsal | undefined;
  /** Failures of rehearsals before this one. */
  #failedBefore = 0;
  #dead: Error | undefined;
  #closing = false;

  /** `size`: threads that are started at once. */
  constructor(size: number, options: WorkerPoolOptions = {}) {
    this.#options = { most: size, ...options };
    this.grow(size);
  }

  get size(): number {
    return this.#workers.length;
  }

  /** Starts threads until there are `size`. No block is under way. */
  grow(size: number): void {
    if (size <= this.size) return;
    this.#rehearsal?.stop();
    this.#failedBefore = this.failedRehearsals;
    this.#rehearsal = undefined;
    while (this.size < size) this.#workers.push(this.#started(this.size + 1));
  }

  #started(number: number): PoolWorker {
    const { most, watch, onProgramFileLost } = this.#options;
    const compiledBytes = compiledBytesOf(most);
    const workerData: WorkerData = { watch, thread: number, compiledBytes, ready: this.#ready };
    const thread = new Worker(shipped('execute/threads/worker.js'), { workerData, resourceLimits: DEEP_STACK });
    const worker: PoolWorker = { thread, scans: [] };
    thread.on('message', (answer: FromWorker) => {
      if (answer.kind === 'program-file-lost') {
        onProgramFileLost?.(answer.why);
        return;
      }
      if (answer.kind === 'error') this.#fail(errorOf(answer.failure));
      else if (answer.kind === 'scanned') worker.scans.shift()?.scanned(answer.part);
      else this.#hear(answer);
    });
    thread.on('error', (cause) => this.#fail(new InternalError('a worker thread died', { cause })));
    thread.on('exit', (status) => {
      if (!this.#closing) this.#fail(new InternalError('a worker thread ended', { facts: { status } }));
    });
    return worker;
  }

  /** Whether no block would wait for threads that are being started. A pool that has failed says so when it is used. */
  get isReady(): boolean {
    return this.#dead !== undefined || Atomics.load(new Uint32Array(this.#ready), 0) === this.size;
  }

  /**
   * Whether workers may scan a block: so few would hardly be faster than the engine, and nobody waits for threads that
   * are being started, or that rehearse.
   */
  get canScan(): boolean {
    const rehearsal = this.#rehearsal;
    if (this.size < FEWEST_TO_SCAN) return false;
    return this.isReady && (rehearsal === undefined || rehearsal.isStopped || rehearsal.ended === this.size);
  }

  /** Hashes and scans `block` in parts, which are given in its order. */
  scan(block: BlockOffsets): Promise<ScannedPart[]> {
    const parts = partsOf(block, this.size);
    return Promise.all(
      parts.map(
        (part, i) =>
          new Promise<ScannedPart>((scanned, reject) => {
            const { thread, scans } = this.#workers[i];
            scans.push({ scanned, reject });
            if (this.#dead === undefined) thread.postMessage({ kind: 'scan', part } satisfies ToWorker);
            else this.#fail(this.#dead);
          }),
      ),
    );
  }

  /** Sends the next block to every worker. */
  begin(block: BeginBlock): void {
    this.#rehearsal?.stop();
    for (const { thread } of this.#workers) thread.postMessage(block);
  }

  /**
   * Has every worker run rows of `block`, as soon as {@link makeRoom} lets it. That goes on when the block has ended,
   * until the next one begins here. A pool that has failed is at its end at once, so that the next block says so.
   */
  rehearse(block: BeginBlock, length: RehearsalLength): RehearsalProgress {
    this.#rehearsal?.stop();
    this.#failedBefore = this.failedRehearsals;
    const rehearsal = Rehearsal.of(this.size);
    this.#rehearsal = rehearsal;
    this.#workers.forEach(({ thread }, part) => {
      const first = Math.floor((block.columns.count * part) / this.size);
      const sent: ToWorker = { kind: 'rehearse', block, part, first, length, shared: rehearsal.buffer };
      thread.postMessage(sent);
    });
    const hasFailed = (): boolean => this.#dead !== undefined;
    const { size } = this;
    return {
      get ended() {
        return hasFailed() ? size : rehearsal.ended;
      },
      get isStopped() {
        return rehearsal.isStopped;
      },
      get slowestUs() {
        return rehearsal.slowestUs;
      },
    };
  }

  /** How often a thread gave up a rehearsal because what it ran has thrown. */
  get failedRehearsals(): number {
    return this.#failedBefore + (this.#rehearsal?.failed ?? 0);
  }

  /** A block runs on the engine's own thread, or no longer: few workers rehearse beside it, all of them otherwise. */
  makeRoom(isRunning: boolean): void {
    this.#rehearsal?.allow(isRunning ? Math.floor(this.size * BESIDE_THE_ENGINE) : this.size);
  }

  /** Begins another part of the block on every worker, after one that has written `written`, or the same anew. */
  next(written: SharedWrites | undefined): void {
    for (const { thread } of this.#workers) thread.postMessage({ kind: 'next', written } satisfies ToWorker);
  }

  /** Tells every worker what the kernel has found of calls of the block. */
  tellOutcomes(outcomes: SharedOutcomes): void {
    for (const { thread } of this.#workers) thread.postMessage({ kind: 'outcomes', outcomes } satisfies ToWorker);
  }

  /** No more of the block follows: workers let go of what they know of it. */
  end(): void {
    for (const { thread } of this.#workers) thread.postMessage({ kind: 'end' } satisfies ToWorker);
  }

  /**
   * Runs rows of the block, part i on worker i first, as `how` says; `take` hears what became of some of them at a
   * time, in any order. Throws `BlockTooLarge` when they have no room in `budget`.
   */
  runRows(parts: RowParts, budget: BlockBudget, how: RunOfRows, take: (reply: RowReply) => void): Promise<void> {
    const rows = shareRows(parts, budget.left);
    const mostBytes = budget.ofPiece(Math.ceil(parts.rows.length / LARGEST_ANSWER));
    const number = ++this.#batches;
    return new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#batch = undefined;
        this.#options.onQueue?.(0);
        settle();
      };
      this.#batch = {
        number,
        take,
        left: parts.rows.length,
        resolve: () => end(resolve),
        reject: (error) => {
          new RowQueue(rows).stop();
          end(() => reject(error));
        },
      };
      this.#options.onQueue?.(parts.rows.length);
      const sent: ToWorker = { kind: 'rows', batch: number, rows, mostBytes, ...how };
      if (this.#dead !== undefined) this.#fail(this.#dead);
      else for (const { thread } of this.#workers) thread.postMessage(sent);
    });
  }

  /** What was begun of a batch that has failed is answered all the same, however much later: nobody wants it. */
  #hear(answer: Extract<FromWorker, { readonly batch: number }>): void {
    const batch = this.#batch;
    if (batch === undefined || batch.number !== answer.batch) return;
    if (answer.kind === 'too-large') {
      batch.reject(new BlockTooLarge());
      return;
    }
    try {
      batch.take(answer);
    } catch (error) {
      batch.reject(error);
      return;
    }
    batch.left -= answer.rows.length;
    if (batch.left === 0) batch.resolve();
    else this.#options.onQueue?.(batch.left);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#rehearsal?.stop();
    await Promise.all(this.#workers.map(({ thread }) => thread.terminate()));
  }

  /** A worker that died may have lost answers: everything fails, now and later. */
  #fail(error: Error): void {
    this.#dead ??= error;
    for (const { scans } of this.#workers) for (const { reject } of scans.splice(0)) reject(this.#dead);
    this.#batch?.reject(this.#dead);
  }
}
