import { Histogram } from 'prom-client';
import type { SourceStatistics } from '../chain/open.js';
import type { ErrorCode, NoticeCode, RpcCode } from '../errors/codes/registry.js';
import { type EngineHealth, NO_GPU } from '../execute/health/engine-health.js';
import { StatisticsSum } from '../lane/statistics.js';
import type { SinkStatus } from '../sink/sink-status.js';
import type { StateRoots } from '../store/types.js';
import type { Niceness } from '../util/niceness.js';
import { newRunId } from '../util/run-id.js';
import { BlockFigures } from './block-figures.js';
import type { EngineEvent, Failure, Phase } from './events.js';

/** Milliseconds over which the speed is measured. */
const SPEED_WINDOW_MS = 30_000;
/** Upper bounds of latencies in seconds: a height takes a millisecond, a view may take 10 s. */
const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface IndexedHead {
  readonly height: number;
  /** Display order, hex. */
  readonly hash: string;
  /** Undefined for a block that got none. */
  readonly roots: StateRoots | undefined;
}

/** What the service has seen since it started, from the engine's events and the RPC server. Its only clock is `now`. */
export class ServiceState {
  /** Names this run in the log, metrics and `/status`. */
  readonly run = newRunId();
  phase: Phase = 'starting';
  head: IndexedHead | undefined;
  sourceHeight: number | undefined;
  /** Counters of the source, as of its last change or the last block. */
  sourceStatistics: SourceStatistics = {};
  /** Why indexing stopped for good. */
  failure: Failure | undefined;
  /** The failure that is being retried; undefined once it is over. */
  trouble: Failure | undefined;
  /**
   * When the trouble began, and `troubleUntil`: when indexing gives up (undefined: never), by the clock {@link now}.
   */
  troubleSince = 0;
  troubleUntil: number | undefined;
  gpu: EngineHealth = NO_GPU;
  adapter: string | undefined;
  /** Priority of the threads that index; undefined until they run. */
  indexing: Niceness | undefined;
  blocks = 0;
  bytes = 0;
  reorgs = 0;
  deepestReorg = 0;
  blocksUndone = 0;
  /** State trees that were made from the state because their stored rows did not give them. */
  treesRemade = 0;
  storeThreadsLost = 0;
  snapshotsMade = 0;
  snapshotsFailed = 0;
  /** Height of the newest that was made. */
  lastSnapshot: number | undefined;
  /** Of `--sink`; undefined where there is none. */
  sink: SinkStatus | undefined;
  readonly lanes = new StatisticsSum();
  readonly figures = new BlockFigures();
  readonly retries = new Map<string, number>();
  /** Requests by method and whether they succeeded. */
  readonly requests = new Map<string, { ok: number; failed: number }>();
  readonly latencies = new Histogram({
    name: 'warpshrew_rpc_request_seconds',
    help: 'Time to answer a JSON-RPC request.',
    labelNames: ['method'],
    buckets: LATENCIES,
    registers: [],
  });
  /** Requests and connections that were refused before they were read, by code. */
  readonly refused = new Map<string, number>();
  /** Lines of the module's log that were left out. */
  moduleLinesLeftOut = 0;
  /** Texts of contracts that were left out. */
  contractTextsLeftOut = 0;
  readonly startedAt: number;
  readonly #recent: { readonly at: number; readonly bytes: number }[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;

    this.startedAt = now();
  }

  apply(event: EngineEvent): void {
    switch (event.kind) {
      case 'opened':
        this.adapter = event.adapter;
        this.indexing = event.niceness;
        if (event.adapter !== undefined) this.gpu = { ...this.gpu, gpu: 'healthy' };
        return;
      case 'phase':
        this.phase = event.phase;
        if (event.phase === 'at-tip' || event.phase === 'node-behind') this.trouble = undefined;
        return;
      case 'source-tip':
        this.sourceHeight = event.height;
        this.sourceStatistics = event.statistics;
        return;
      case 'block':
        this.#indexed(event);
        return;
      case 'rollback':
        this.reorgs++;
        this.deepestReorg = Math.max(this.deepestReorg, event.from - event.to);
        this.blocksUndone += event.from - event.to;
        return;
      case 'snapshot':
        if (event.report.kind === 'failed') this.snapshotsFailed++;
        else {
          this.snapshotsMade++;
          this.lastSnapshot = event.report.height;
        }
        return;
      case 'tree-remade':
        this.treesRemade++;
        return;
      case 'store-thread-lost':
        this.storeThreadsLost++;
        return;
      case 'retry':
        this.#retried(event.failure, event.leftMs);
        return;
      case 'warning':
      case 'module-log':
      case 'contract-log':
      case 'driver-noise':
      case 'closed':
        return;
      case 'gpu-failure':
      case 'kernel-failure':
      case 'kernel-health':
        this.gpu = event.gpu;
        return;
      case 'ended':
      case 'not-opened':
      case 'crashed':
        this.failure ??= event.failure;
        this.phase = this.failure === undefined ? 'stopped' : 'failed';
    }
  }

  /** A request or connection was refused. Returns whether it is the first with this code. */
  refusedRequest(code: RpcCode): boolean {
    const before = this.refused.get(code) ?? 0;
    this.refused.set(code, before + 1);
    return before === 0;
  }

  /** A request was answered. `method` is a method of the server, or `unknown`. */
  answered(method: string, ms: number, ok: boolean): void {
    const counts = this.requests.get(method) ?? { ok: 0, failed: 0 };
    this.requests.set(method, counts);
    if (ok) counts.ok++;
    else counts.failed++;
    this.latencies.observe({ method }, ms / 1000);
  }

  /** Blocks and bytes per second over the last half minute. */
  speed(): { readonly blocks: number; readonly bytes: number } {
    this.#forget();
    const seconds = Math.max(1, Math.min(SPEED_WINDOW_MS, this.#now() - this.startedAt) / 1000);
    const bytes = this.#recent.reduce((sum, block) => sum + block.bytes, 0);
    return { blocks: this.#recent.length / seconds, bytes: bytes / seconds };
  }

  /** Blocks between the indexed tip and the source's; undefined while either is unknown. */
  behind(tip: number | undefined): number | undefined {
    return this.sourceHeight === undefined || tip === undefined ? undefined : Math.max(0, this.sourceHeight - tip);
  }

  uptimeSeconds(): number {
    return (this.#now() - this.startedAt) / 1000;
  }

  /** The failure being retried, since how many seconds, and for how many more; `givesUpIn` undefined: for ever. */
  waiting():
    | { readonly code: ErrorCode; readonly seconds: number; readonly givesUpIn: number | undefined }
    | undefined {
    const { trouble, troubleSince, troubleUntil } = this;
    if (trouble === undefined || this.failure !== undefined) return undefined;
    const seconds = Math.floor((this.#now() - troubleSince) / 1000);
    const givesUpIn = troubleUntil && Math.max(0, Math.ceil((troubleUntil - this.#now()) / 1000));
    return { code: trouble.code, seconds, givesUpIn };
  }

  #retried(failure: Failure | undefined, leftMs: number | undefined): void {
    if (failure !== undefined) {
      if (this.trouble === undefined) this.troubleSince = this.#now();
      this.trouble = failure;
      this.troubleUntil = leftMs === undefined ? undefined : this.#now() + leftMs;
    }
    const code: ErrorCode | NoticeCode = failure?.code ?? 'CONTRADICTION';
    this.retries.set(code, (this.retries.get(code) ?? 0) + 1);
  }

  #indexed(event: EngineEvent & { kind: 'block' }): void {
    const { height, hash, roots, bytes, statistics, ms, source } = event;
    this.head = { height, hash, roots };
    this.gpu = event.gpu;
    this.sourceStatistics = source;
    this.trouble = undefined;
    this.blocks++;
    this.bytes += bytes;
    this.lanes.add(statistics);
    this.figures.add(statistics, ms);
    for (const [phase, took] of Object.entries(ms)) this.lanes.addMs(phase, took);
    this.#recent.push({ at: this.#now(), bytes });
    this.#forget();
  }

  #forget(): void {
    const oldest = this.#now() - SPEED_WINDOW_MS;
    let gone = 0;
    while (gone < this.#recent.length && this.#recent[gone].at < oldest) gone++;
    this.#recent.splice(0, gone);
  }
}
