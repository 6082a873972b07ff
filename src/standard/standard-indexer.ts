import { InternalError, ProgramError } from '../errors/errors.js';
import { DEFAULT_VIEW_POOL, type ViewLoad, ViewPool } from '../views/pool.js';
import { FlushedPairs } from './flushed-pairs.js';
import type { GuestLine } from './guest-log.js';
import { hashOf, StandardModule, type ViewLimits } from './module.js';
import { type ModuleWorker, moduleWorker, type WorkerTask } from './module-worker.js';
import type { PreviewRequest } from './preview.js';
import type { SecondaryUrls } from './secondary.js';
import type { WorkerReply, WorkerSetup } from './worker-protocol.js';
import { fromPlain } from './worker-protocol.js';

/** Outcome of running the standard module on one block. */
export interface StandardRun {
  /** Last value per key (binary string), in first-write order; empty if the run failed. */
  readonly pairs: ReadonlyMap<string, Uint8Array>;
  /** Calls of `__flush` whose buffer decoded. 0 if the run failed. */
  readonly flushes: number;
  /** Pairs flushed, duplicates counted. */
  readonly pairCount: number;
  /** Sum of the lengths of the values in `pairs`. */
  readonly valueBytes: number;
  readonly ms: number;
  /** Why nothing of the block may be kept. */
  readonly error: ProgramError | undefined;
}

export interface StandardIndexerOptions {
  readonly moduleBytes: Uint8Array;
  /**
   * Handle of the store whose namespace S the module reads; without it the thread keeps the state itself, beginning
   * empty.
   */
  readonly storeHandle?: bigint;
  /** Limit of one block (default 10 minutes) and of one view (default 10 s). */
  readonly blockTimeoutMs?: number;
  readonly viewTimeoutMs?: number;
  /** Longest wait of a view for a thread; the limit of a view if not given. */
  readonly viewWaitMs?: number;
  /**
   * Threads for views (default 2), and how many views may wait for one (default 128). Without a store there are none.
   */
  readonly viewThreads?: number;
  readonly viewQueue?: number;
  /** Bounds of a view (default 512 MiB of memory, 16 MiB of answer). Without a store there are none. */
  readonly viewLimits?: ViewLimits;
  /** Servers of other indexes that the module may read, by name. */
  readonly secondaries?: SecondaryUrls | undefined;
  /** Print all of the module's log lines to standard error. */
  readonly log?: boolean;
  /**
   * Called with what the module logs, in blocks and views, at most `logLines` lines per second and thread (default 20).
   */
  readonly onLog?: (line: GuestLine) => void;
  readonly logLines?: number;
}

export const DEFAULT_VIEW_LIMITS: ViewLimits = { memoryBytes: 512 << 20, answerBytes: 16 << 20 };

/** Maximum delay of a timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Runs one Metashrew module, the standard module, on every block, beside the parallel lane. Blocks have their own
 * thread, so a view never waits for one; without a store views share that thread, because it holds the state.
 */
export class StandardIndexer {
  readonly hash: string;
  readonly #blocks: ModuleWorker;
  readonly #views: ViewPool<WorkerTask, WorkerReply> | undefined;
  readonly #blockTimeoutMs: number;
  readonly #viewTimeoutMs: number;

  /** Throws what {@link StandardModule.load} throws. */
  constructor(options: StandardIndexerOptions) {
    const { compiled, hash } = StandardModule.load(options.moduleBytes);
    const { storeHandle, moduleBytes, onLog, viewLimits = DEFAULT_VIEW_LIMITS } = options;
    const log = options.log ? 'print' : onLog === undefined ? 0 : (options.logLines ?? 20);
    const { secondaries } = options;
    const setup: WorkerSetup = { compiled, hash, storeHandle, log, secondaries, views: undefined };
    this.hash = hash;
    this.#blocks = moduleWorker(() => setup, onLog);
    this.#blockTimeoutMs = Math.min(options.blockTimeoutMs ?? 600_000, MAX_TIMEOUT_MS);
    const limitMs = Math.min(options.viewTimeoutMs ?? DEFAULT_VIEW_POOL.limitMs, MAX_TIMEOUT_MS);
    this.#viewTimeoutMs = limitMs;
    const waitMs = Math.min(options.viewWaitMs ?? limitMs, MAX_TIMEOUT_MS);
    const { viewThreads: threads = DEFAULT_VIEW_POOL.threads, viewQueue: queue = DEFAULT_VIEW_POOL.queue } = options;
    // Compiled when the first view is requested.
    let ofViews: WorkerSetup | undefined;
    const viewSetup = (): WorkerSetup => {
      ofViews ??= {
        ...setup,
        compiled: StandardModule.compileForViews(moduleBytes, viewLimits),
        views: viewLimits,
      };
      return ofViews;
    };
    const makeWorker = (): ModuleWorker => moduleWorker(viewSetup, onLog);
    this.#views = storeHandle === undefined ? undefined : new ViewPool(makeWorker, { threads, queue, limitMs, waitMs });
  }

  /** Load of the view threads; undefined without a store. */
  get viewLoad(): ViewLoad | undefined {
    return this.#views?.load;
  }

  /** Starts the view threads, so that the first views do not wait for them. */
  startViews(): void {
    this.#views?.start();
  }

  /** SHA-256 of a module's bytes, hex. */
  static hashOf(moduleBytes: Uint8Array): string {
    return hashOf(moduleBytes);
  }

  /**
   * Runs the module on a raw block; it reads the state of `height - 1`. A failure of the module is the run's `error`;
   * only a fault of the store or of the thread rejects. `unstored`: so many blocks before need not be stored yet, but
   * must be the last ones that ran here.
   */
  async runBlock(raw: Uint8Array, height: number, unstored = 0): Promise<StandardRun> {
    const started = performance.now();
    try {
      const reply = await this.#blocks.call({ kind: 'block', raw, height, unstored }, this.#blockTimeoutMs);
      if (reply.kind !== 'block') throw new InternalError('a reply of another kind from the standard module');
      const pairs = FlushedPairs.at(reply.flushes, reply.places, reply.preparation, reply.before);
      const { valueBytes } = pairs;
      const error = reply.error && fromPlain(reply.error);
      return { pairs, flushes: reply.flushes.length, pairCount: reply.pairCount, valueBytes, ms: reply.ms, error };
    } catch (error) {
      if (!isModuleError(error)) throw error;
      const ms = performance.now() - started;
      return { pairs: new Map(), flushes: 0, pairCount: 0, valueBytes: 0, ms, error };
    }
  }

  /**
   * Runs a view with the argument `height` over the state after block `stateHeight` (`height` if not given); clients
   * take turns. Throws ProgramError VIEW_NOT_FOUND, VIEW_FAILED, VIEW_MEMORY, VIEW_ANSWER_TOO_LARGE, VIEW_BUSY (no
   * thread for it) or MODULE_TIMEOUT.
   */
  async view(name: string, input: Uint8Array, height: number, stateHeight = height, client = ''): Promise<Uint8Array> {
    return this.#answer({ kind: 'view', name, input, height, stateHeight }, client);
  }

  /**
   * Runs a view on the state after a block that is not stored, which runs on the state after block `stateHeight`. Both
   * together have the bounds of one view. Throws what {@link view} throws, and PREVIEW_FAILED.
   */
  async preview(request: PreviewRequest, stateHeight: number, client = ''): Promise<Uint8Array> {
    return this.#answer({ kind: 'preview', ...request, stateHeight }, client);
  }

  async #answer(task: WorkerTask, client: string): Promise<Uint8Array> {
    const reply = await (this.#views?.call(task, client) ?? this.#blocks.call(task, this.#viewTimeoutMs));
    if (reply.kind !== 'view') throw new InternalError('a reply of another kind from the standard module');
    return reply.output;
  }

  /** Ends the threads. Must be called before the store is closed. */
  async close(): Promise<void> {
    await this.#blocks.close();
    await this.#views?.close();
  }
}

function isModuleError(error: unknown): error is ProgramError {
  return error instanceof ProgramError;
}
