import type { ErrorCode, NoticeCode } from '../errors/codes/registry.js';
import { maskUserInfo } from '../errors/mask.js';
import type { StatisticsSum } from '../lane/statistics.js';
import { healthRoots } from '../rpc/health-roots.js';
import type { Page } from '../rpc/server-options.js';
import { type SinkStatus, sinkBehind } from '../sink/sink-status.js';
import { LANE_RULES, STORE_SCHEMA } from '../store/identity.js';
import type { StoreReader } from '../store/reader.js';
import { toDisplayHash } from '../util/bytes.js';
import type { ViewLoad } from '../views/pool.js';
import { type Failure, failureText } from './events.js';
import { folderBytes } from './folder-bytes.js';
import { metricsText } from './metrics.js';
import type { Settings } from './options.js';
import { CONTENT_TYPE } from './prometheus.js';
import { publishCodes, publishStatus } from './publish-pages.js';
import type { PublishFigures } from './publishing.js';
import type { ServiceState } from './service-state.js';
import { type SlowBlocks, workFields } from './slow-blocks.js';

export interface PagesOptions {
  readonly state: ServiceState;
  readonly store: StoreReader;
  readonly settings: Settings;
  readonly network: string;
  /** Where blocks come from, without passwords. */
  readonly source: string;
  readonly version: string;
  readonly viewLoad: () => ViewLoad | undefined;
  readonly laneViewLoad: () => ViewLoad;
  readonly blocks: SlowBlocks;
  /** Transactions of a batch that wait for the workers. */
  readonly queued: () => number;
  /** Calls that the kernel has not answered. */
  readonly inKernel: () => number;
  /** Undefined: nothing is published. */
  readonly publishing: () => PublishFigures | undefined;
}

/** The pages for `GET`: `/health`, `/ready`, `/status`, `/metrics` (docs/operations.md). */
export class Pages {
  readonly routes: Readonly<Record<string, () => Page | Promise<Page>>> = {
    '/health': () => this.#health(),
    '/ready': () => this.#ready(),
    '/status': () => this.#status(),
    '/metrics': () => this.#metrics(),
  };

  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** 503 once indexing has failed for good, though what is indexed is still served; problems are listed in the body. */
  #health(): Page {
    const { state, store } = this.#options;
    const tip = store.tip();
    const codes = this.#codes();
    const status = state.failure !== undefined ? 'failed' : codes.length > 0 ? 'degraded' : 'ok';
    const waiting = state.waiting();
    const { kernel } = state.gpu;
    return json(state.failure === undefined ? 200 : 503, {
      status,
      codes,
      height: tip?.height ?? null,
      behind: state.behind(tip?.height) ?? null,
      ...healthRoots(tip && store.roots(tip.height)),
      waiting: waiting === undefined ? null : { ...waiting, givesUpIn: waiting.givesUpIn ?? null },
      kernel: { state: state.gpu.gpu, why: kernel.why ?? null, probeAt: kernel.probeAt ?? null },
    });
  }

  /** 503 until the indexed tip is that of the source, or within `--ready-within` blocks of it. */
  #ready(): Page {
    const { state, store, settings } = this.#options;
    const height = store.tip()?.height;
    const behind = state.behind(height);
    const reasons: string[] = [];
    if (state.failure !== undefined) reasons.push(`indexing stopped: ${failureText(state.failure)}`);
    else if (state.phase === 'stopped') reasons.push('indexing has ended');
    if (state.phase === 'node-behind') reasons.push('the chain of the node ends below what is indexed');
    if (behind === undefined) reasons.push('the height of the chain is not known yet');
    else if (behind > settings.readyWithin)
      reasons.push(`${behind} blocks behind, at most ${settings.readyWithin} allowed`);
    if (state.trouble !== undefined) reasons.push(failureText(state.trouble));
    const work = this.#options.blocks.current;
    if (work?.slow) reasons.push(`BLOCK_SLOW: block ${work.height} takes ${Math.floor(work.ms / 1000)} s so far`);
    const ready = reasons.length === 0;
    return json(ready ? 200 : 503, {
      ready,
      phase: state.phase,
      height: height ?? null,
      behind: behind ?? null,
      reasons,
    });
  }

  async #status(): Promise<Page> {
    const { state, store, settings, network, source, version, viewLoad, laneViewLoad, blocks } = this.#options;
    const identity = store.recordedIdentity();
    const tip = store.tip();
    const speed = state.speed();
    const { rss, heapUsed, external } = process.memoryUsage();
    return json(200, {
      version,
      run: state.run,
      node: process.version,
      schema: STORE_SCHEMA,
      rules: LANE_RULES,
      network,
      label: settings.label ?? null,
      tip:
        tip === undefined
          ? null
          : { height: tip.height, hash: toDisplayHash(tip.hash), roots: store.roots(tip.height) },
      source: {
        name: source,
        height: state.sourceHeight ?? null,
        behind: state.behind(tip?.height) ?? null,
        ...state.sourceStatistics,
      },
      phase: state.phase,
      block: blockShown(blocks),
      failure: shown(state.failure),
      trouble: shown(state.trouble),
      sinceStart: {
        seconds: Math.floor(state.uptimeSeconds()),
        blocks: state.blocks,
        bytes: state.bytes,
        reorgs: state.reorgs,
        deepestReorg: state.deepestReorg,
        blocksUndone: state.blocksUndone,
        treesRemade: state.treesRemade,
        storeThreadsLost: state.storeThreadsLost,
        retries: Object.fromEntries(state.retries),
        refused: Object.fromEntries(state.refused),
      },
      lane: laneShown(state.lanes),
      speed: { blocksPerSecond: round(speed.blocks), bytesPerSecond: Math.round(speed.bytes) },
      engine: {
        policy: settings.policy,
        dryRun: settings.dryRun,
        adapter: state.adapter ?? null,
        ...state.gpu,
        queued: this.#options.queued(),
        inKernel: this.#options.inKernel(),
        lastGpuFailure: state.gpu.lastGpuFailure ?? null,
        lastKernelFailure: state.gpu.lastKernelFailure ?? null,
        lastCostLoss: state.gpu.lastCostLoss ?? null,
        lastProgramFileLoss: state.gpu.lastProgramFileLoss ?? null,
      },
      publishing: publishStatus(this.#options.publishing(), tip?.height),
      sink: sinkShown(state.sink, tip?.height),
      threads: { indexing: state.indexing, views: viewLoad() ?? null, laneViews: laneViewLoad() },
      store: { folder: settings.db, bytes: await folderBytes(settings.db), identity: identity ?? null },
      memory: { rss, heapUsed, external },
    });
  }

  async #metrics(): Promise<Page> {
    const { state, store, settings, version, viewLoad, laneViewLoad, blocks } = this.#options;
    const body = await metricsText({
      state,
      height: store.tip()?.height,
      blockSeconds: (blocks.current?.ms ?? 0) / 1000,
      slowestBlockSeconds: blocks.slowest,
      queued: this.#options.queued(),
      inKernel: this.#options.inKernel(),
      dbBytes: await folderBytes(settings.db),
      views: viewLoad(),
      laneViews: laneViewLoad(),
      publishing: this.#options.publishing(),
      version,
      labels: settings.label === undefined ? {} : { label: settings.label },
    });
    return { status: 200, type: CONTENT_TYPE, body };
  }

  /** Codes of all current problems, the worst first. */
  #codes(): (ErrorCode | NoticeCode)[] {
    const { failure, trouble, gpu } = this.#options.state;
    // Degraded is no problem to act on: the kernel is used, and results are right whatever it does.
    const gpuCode =
      gpu.gpu === 'unhealthy' || gpu.gpu === 'probing' ? (gpu.lastGpuFailure ?? 'GPU_DEVICE_LOST') : undefined;
    const slow: NoticeCode | undefined = this.#options.blocks.current?.slow ? 'BLOCK_SLOW' : undefined;
    const publishing = publishCodes(this.#options.publishing());
    const sinkCode = this.#options.state.sink?.trouble?.code;
    return [failure?.code, trouble?.code, sinkCode, gpuCode, slow, ...publishing].filter((code) => code !== undefined);
  }
}

function shown(failure: Failure | undefined): object | null {
  if (failure === undefined) return null;
  const { code, message, facts, hint } = failure;
  return { code, message, facts, hint: hint ?? null };
}

function sinkShown(sink: SinkStatus | undefined, tip: number | undefined): object | null {
  if (sink === undefined) return null;
  const { height = null } = sink;
  return { ...sink, height, behind: sinkBehind(sink, tip) ?? null, trouble: shown(sink.trouble) };
}

function blockShown({ current }: SlowBlocks): object | null {
  return current === undefined ? null : workFields(current);
}

/** What the lane did since the start, and the milliseconds that each phase took. */
function laneShown(sum: StatisticsSum): object {
  const { lane, executors, repaired, predicted, mispredicted, demoted, unclean, punted, ms } = sum;
  const phaseMs = Object.fromEntries(Object.entries(ms).map(([phase, took]) => [phase, Math.round(took)]));
  return { ...lane, executors, repaired, predicted, mispredicted, demoted, unclean, punted, phaseMs };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function json(status: number, value: unknown): Page {
  const body = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return { status, type: 'application/json', body: maskUserInfo(body) };
}
