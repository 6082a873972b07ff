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
import type { RowReply, RowTask } from '../tasks/row-records.js';
import type { SharedWrites } from '../tasks/written-state.js';
import { collect } from './collect.js';
import { Rehearsal, type RehearsalLength, type RehearsalProgress } from './rehearsal.js';
import type { BeginBlock, FromWorker, ToWorker, WorkerData } from './worker-protocol.js';

/** Fewer transactions than this are not worth a task for another thread. */
export const FEWEST_FOR_WORKERS = 8;

/** Tasks per worker that a batch is cut into, so that a slow one does not hold the others up. */
const PIECES_PER_WORKER = 4;
const LARGEST_PIECE = 128;

/** A worker gets its next task before it has answered, so that it need not wait for it, where answers are small. */
const MOST_BEGUN = 2;
const SMALL_ANSWER = 1 << 20;

/** Threads that scan a block together. */
const FEWEST_TO_SCAN = 4;

/** Share of the workers that rehearse while the engine runs a block: cores have memory and clock in common. */
const BESIDE_THE_ENGINE = 0.25;

interface Job {
  readonly task: RowTask;
  /** What it may take, by what the pieces before it have left. */
  readonly mostBytes: () => number;
  readonly resolve: (reply: RowReply) => void;
  /** Of a part of a block to scan. */
  readonly scanned?: (part: ScannedPart) => void;
  readonly reject: (error: unknown) => void;
}

/** A job of whose end nobody wants to hear any more. */
const FORGOTTEN: Job = {
  task: { rows: new Uint32Array(0), overrides: undefined },
  mostBytes: () => 0,
  resolve: () => undefined,
  reject: () => undefined,
};

export class WorkerPool {
  /** Of each worker: what it has been given, in the order in which it answers. */
  readonly #workers: { readonly thread: Worker; readonly jobs: Job[] }[];
  readonly #ready = new SharedArrayBuffer(4);
  #waiting: Job[] = [];
  /** Bytes of the largest answer to jobs of the list under way; undefined: there was none yet. */
  #largest: number | undefined;
  #rehearsal: Rehearsal | undefined;
  /** Failures of rehearsals before this one. */
  #failedBefore = 0;
  #dead: Error | undefined;
  #closing = false;

  /**
   * `watch`: buffer of a WorkWatch, in which worker i is thread i + 1. `onProgramFileLost` hears of each thread that
   * cannot put programs away any more.
   */
  constructor(
    readonly size: number,
    watch?: SharedArrayBuffer,
    onProgramFileLost?: (why: string) => void,
  ) {
    this.#workers = Array.from({ length: size }, (_, i) => {
      const workerData: WorkerData = { watch, thread: i + 1, compiledBytes: compiledBytesOf(size), ready: this.#ready };
      const thread = new Worker(shipped('execute/threads/worker.js'), { workerData, resourceLimits: DEEP_STACK });
      const worker: { readonly thread: Worker; readonly jobs: Job[] } = { thread, jobs: [] };
      thread.on('message', (answer: FromWorker) => {
        if (answer.kind === 'program-file-lost') {
          onProgramFileLost?.(answer.why);
          return;
        }
        const job = worker.jobs.shift();
        if (answer.kind === 'error') {
          this.#fail(errorOf(answer.failure));
          job?.reject(this.#dead as Error);
          return;
        }
        if (answer.kind === 'scanned') job?.scanned?.(answer.part);
        else if (answer.kind === 'too-large') job?.reject(new BlockTooLarge());
        else {
          const { bytes, words } = answer;
          this.#largest = Math.max(this.#largest ?? 0, bytes.length + words.byteLength);
          // The worker goes on while this thread takes the answer.
          this.#dispatch();
          job?.resolve(answer);
        }
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
    return collect<ScannedPart, ScannedPart>(
      parts.length,
      (found) => found,
      (i, scanned, reject) => {
        const { thread, jobs } = this.#workers[i];
        jobs.push({ ...FORGOTTEN, scanned, reject });
        if (this.#dead === undefined) thread.postMessage({ kind: 'scan', part: parts[i] } satisfies ToWorker);
        else this.#fail(this.#dead);
      },
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
   * Runs `rows` of the block in pieces, of each of which `take` hears what became of it, in any order. Throws
   * `BlockTooLarge` when a piece takes more than `budget` gives it.
   */
  async runRows(
    rows: Uint32Array,
    budget: BlockBudget,
    taskOf: (piece: Uint32Array) => RowTask,
    take: (piece: Uint32Array, reply: RowReply) => void,
  ): Promise<void> {
    const wanted = Math.ceil(rows.length / (this.size * PIECES_PER_WORKER));
    const length = Math.max(1, Math.min(LARGEST_PIECE, wanted));
    const pieces = Array.from({ length: Math.ceil(rows.length / length) }, (_, i) =>
      rows.slice(i * length, (i + 1) * length),
    );
    const mostBytes = (): number => budget.ofPiece(pieces.length);
    this.#largest = undefined;
    try {
      await collect<[RowReply, Uint32Array], void>(
        pieces.length,
        ([reply, piece]) => take(piece, reply),
        (i, done, reject) => {
          const resolve = (reply: RowReply): void => done([reply, pieces[i]]);
          this.#waiting.push({ task: taskOf(pieces[i]), mostBytes, resolve, reject });
          if (i === pieces.length - 1) this.#dispatch();
        },
      );
    } catch (error) {
      this.#waiting = this.#waiting.filter((job) => job.mostBytes !== mostBytes);
      // What was begun is still answered, perhaps much later, and would hold all that was found until then.
      for (const { jobs } of this.#workers) {
        for (let i = 0; i < jobs.length; i++) if (jobs[i].mostBytes === mostBytes) jobs[i] = FORGOTTEN;
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#rehearsal?.stop();
    await Promise.all(this.#workers.map(({ thread }) => thread.terminate()));
  }

  #dispatch(): void {
    if (this.#dead !== undefined) {
      this.#fail(this.#dead);
      return;
    }
    const most = this.#largest !== undefined && this.#largest <= SMALL_ANSWER ? MOST_BEGUN : 1;
    for (let begun = 0; begun < most; begun++) {
      for (const { thread, jobs } of this.#workers) {
        if (jobs.length > begun) continue;
        const job = this.#waiting.shift();
        if (job === undefined) return;
        jobs.push(job);
        const sent: ToWorker = { kind: 'rows', ...job.task, mostBytes: job.mostBytes() };
        thread.postMessage(sent);
      }
    }
  }

  /** A worker that died may have lost replies: every job fails, now and later. */
  #fail(error: Error): void {
    this.#dead ??= error;
    for (const worker of this.#workers) {
      for (const job of worker.jobs.splice(0)) job.reject(this.#dead);
    }
    for (const job of this.#waiting.splice(0)) job.reject(this.#dead);
  }
}
