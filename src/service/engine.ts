import type { MessagePort } from 'node:worker_threads';
import { REAL_CLOCK } from '../chain/clock.js';
import { patienceWith } from '../chain/node-errors.js';
import { EnvironmentError, InternalError } from '../errors/errors.js';
import type { EngineHealth } from '../execute/health/engine-health.js';
import { WorkWatch } from '../execute/tasks/work-watch.js';
import { Follower } from '../follow/follower.js';
import { StoreIndexer } from '../follow/store-indexer.js';
import { kernelError } from '../gpu/device/kernel-failures.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { usesKernel } from '../lane/policy.js';
import { OpenIndex } from '../pipeline/open-index.js';
import { fileLimit } from '../store/file-limit.js';
import { proveKey } from '../store/proof/prove-key.js';
import { KernelSource } from '../tasks/server/kernel-source.js';
import { toDisplayHash } from '../util/bytes.js';
import { lowerThread } from '../util/niceness.js';
import { type FetchBlock, serveBlocks } from './block-desk.js';
import { ContractLog } from './contract-log.js';
import { type EngineEvent, type Failure, failureOf } from './events.js';
import type { FollowedStream } from './followed-stream.js';
import { type OpenedChain, openChain } from './open-source.js';
import type { Settings } from './options.js';
import { serveProofs } from './proof-desk.js';
import { RollbackClock } from './rollback-clock.js';
import { secondaryPlaces } from './secondary-gate.js';
import { openSnapshots, type Snapshots } from './snapshots.js';

const MIB = 2 ** 20;

export interface EngineSetup {
  readonly settings: Settings;
  /** The command line that the settings were read with. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** WASM of the standard module. */
  readonly moduleBytes: Uint8Array;
  /** Buffer of the {@link RollbackClock} that views check. */
  readonly rollbacks: SharedArrayBuffer;
  /** Buffer of the {@link WorkWatch} that shows the block under way. */
  readonly watch: SharedArrayBuffer;
  /** The other end of a {@link ProofDesk}. */
  readonly proofs: MessagePort;
  /** The other end of a {@link BlockDesk}. */
  readonly blocks: MessagePort;
  /** A replica that follows this is run in place of an engine. */
  readonly stream: FollowedStream | undefined;
}

/** Everything of the engine's thread: source, store, the index and the follower. Tells what happens through `tell`. */
export class Engine {
  #toldHeight: number | undefined;
  #stopping = false;
  #drop: () => void = () => undefined;
  /** Resolves when a stop stops waiting. Work still under way then fails at the closed store at the latest. */
  readonly #dropped = new Promise<void>((resolve) => {
    this.#drop = resolve;
  });

  readonly #index: OpenIndex;
  readonly #gpu: GpuExecutor | undefined;
  readonly #chain: OpenedChain;
  readonly #follower: Follower;
  readonly #stopTimeout: number;
  readonly #ports: readonly MessagePort[];
  readonly #snapshots: Snapshots | undefined;
  readonly #tell: (event: EngineEvent) => void;

  private constructor(
    index: OpenIndex,
    gpu: GpuExecutor | undefined,
    chain: OpenedChain,
    follower: Follower,
    stopTimeout: number,
    ports: readonly MessagePort[],
    tell: (event: EngineEvent) => void,
    snapshots: Snapshots | undefined,
  ) {
    this.#snapshots = snapshots;
    this.#index = index;
    this.#gpu = gpu;
    this.#chain = chain;
    this.#follower = follower;
    this.#stopTimeout = stopTimeout;
    this.#ports = ports;
    this.#tell = tell;
  }

  /** Opens everything and sends `opened`. Throws the error of what cannot be opened, and leaves nothing open. */
  static async open(
    { settings, flags, moduleBytes, rollbacks, watch: watchBuffer, proofs, blocks }: EngineSetup,
    tell: (event: EngineEvent) => void,
  ): Promise<Engine> {
    const undo: (() => Promise<void>)[] = [];
    // Before anything that starts a thread: the threads of the module, the lane and the database inherit this priority.
    const niceness = lowerThread(settings.indexNiceness);
    try {
      const chain = await openChain(settings, (message, facts) => tell({ kind: 'warning', message, facts }), flags);
      const { network, startBlock } = chain;
      undo.push(() => chain.close());
      const kernel = new KernelSource(settings, 'sync');
      const { gpu, reason } = await findGpu(settings, kernel, (line) => tell({ kind: 'driver-noise', line }));
      if (gpu !== undefined) undo.push(() => gpu.close());
      const watch = new WorkWatch(watchBuffer);
      const index = await OpenIndex.open({
        dbDir: settings.db,
        moduleBytes,
        store: {
          network,
          laneStartHeight: settings.laneStartBlock,
          dependent: settings.dependent,
          addresses: settings.index === 'addresses',
          keepUndo: settings.keepUndo,
          history: settings.history,
          cacheBytes: settings.dbCache * MIB,
          treeBytes: settings.treeMemory * MIB,
          onThreadLost: (cause) => tell({ kind: 'store-thread-lost', reason: String(cause) }),
          onTreeRemade: (namespace) => tell({ kind: 'tree-remade', namespace }),
          label: settings.label,
        },
        engine: {
          watch,
          policy: settings.policy,
          dryRun: settings.dryRun,
          keepsNotes: settings.logLevel === 'debug' || settings.logLevel === 'trace',
          workers: settings.workers,
          gpu,
          onKernelFailure: (failure) =>
            tell({ kind: 'kernel-failure', failure: failureOf(kernelError(failure)), gpu: health() }),
          onCostsLost: (why) => tell({ kind: 'warning', message: why, facts: { path: settings.db } }),
          onProgramFileLost: (why) =>
            tell({
              kind: 'warning',
              message: 'programs are laid out anew for each run: no file holds them',
              facts: { why },
            }),
          onKernelHealth: (transition) => tell({ kind: 'kernel-health', transition, gpu: health() }),
          crossCheck: settings.crossCheck,
          latencyBound: settings.latencyBound,
          onDumpLost: (why) => tell({ kind: 'warning', message: why, facts: { path: settings.db } }),
          reopenGpu: kernel.reopen,
          awaitsGpu: kernel.isRemote && settings.gpu,
          onGpuFailure: (error) => tell({ kind: 'gpu-failure', failure: failureOf(error), gpu: health() }),
        },
        standard: {
          blockTimeoutMs: settings.blockTimeout,
          logLines: settings.moduleLogLines,
          secondaries: secondaryPlaces(settings.secondary),
          onLog: (line) => tell({ kind: 'module-log', line }),
        },
      });
      undo.push(() => index.close());
      const files = fileLimit(settings.db);
      if (files !== undefined && files.limit < files.wanted) {
        const message = 'this process may open few files more than the database has: raise the limit before it grows';
        tell({ kind: 'warning', message, facts: { ...files } });
      }
      const health = (): EngineHealth => index.engine.health;
      const { store } = index;
      const { handle: storeHandle } = store;
      if (storeHandle === undefined) throw new InternalError('the database cannot be shared between threads');
      serveProofs(proofs, (...of) => proveKey(store, ...of));
      undo.push(async () => proofs.close());
      serveBlocks(blocks, blocksOf(chain));
      undo.push(async () => blocks.close());
      const snapshots = await openSnapshots(settings, storeHandle, (report) => tell({ kind: 'snapshot', report }));
      if (snapshots !== undefined) undo.push(() => snapshots.close());
      const clock = new RollbackClock(rollbacks);
      const contracts = new ContractLog(settings.moduleLogLines, (line) => tell({ kind: 'contract-log', line }));
      // Milliseconds, for the current block.
      let waited = 0;
      const indexer = new StoreIndexer(index.blocks, {
        rootEvery: settings.rootEvery,
        keepUndo: settings.keepUndo,
        duringRollback: (act) => clock.during(act),
        duringIndex: async ({ height }, act) => {
          watch.beginBlock(height);
          // Somebody waits for the newest block.
          kernel.priority = (follower.status.nodeHeight ?? height) <= height ? 'tip' : 'sync';
          return act().finally(() => watch.endBlock());
        },
        onIndexed: ({ height, hash, raw }, { roots, statistics, ms, receipts }) => {
          contracts.block(receipts);
          if (roots !== undefined) snapshots?.after(height, (follower.status.nodeHeight ?? height) - height);
          tell({
            kind: 'block',
            height,
            hash: toDisplayHash(hash),
            bytes: raw.length,
            roots,
            statistics,
            ms: { fetch: waited, ...ms },
            gpu: health(),
            source: chain.statistics(),
          });
        },
      });
      const follower = new Follower({
        source: chain.source,
        indexer,
        network,
        recordedGenesis: store.genesis(),
        patience: (error) => patienceWith(error, settings.nodePatience),
        clock: REAL_CLOCK,
        startBlock,
        exitAt: settings.exitAt,
        checkWithin: settings.reorgCheckThreshold,
        pollMs: settings.pollInterval,
        onGenesis: (hash) => store.recordGenesis(hash),
        onState: (phase) => engine.#changed(phase),
        onFetched: (ms) => {
          waited = ms;
        },
        onIndexed: () => engine.#lookAtHeight(),
        onRollback: ({ from, toHeight }) => tell({ kind: 'rollback', from: from.height, to: toHeight }),
        onNote: (note, error, leftMs) =>
          tell({ kind: 'retry', note, failure: error === undefined ? undefined : failureOf(error), leftMs }),
      });
      const engine = new Engine(index, gpu, chain, follower, settings.stopTimeout, [proofs, blocks], tell, snapshots);
      tell({
        kind: 'opened',
        storeHandle,
        source: chain.source.name,
        network,
        adapter: gpu?.adapter.description,
        noGpu: reason,
        niceness,
      });
      return engine;
    } catch (error) {
      for (const close of undo.reverse()) await close();
      throw error;
    }
  }

  /** Follows the chain until {@link stop}, `--exit-at`, or a final failure; sends `ended`. */
  async run(): Promise<void> {
    let failure: Failure | undefined;
    try {
      this.#tell({ kind: 'phase', phase: 'syncing' });
      await Promise.race([this.#follower.run(), this.#dropped]);
    } catch (error) {
      // A block dropped by the stop is not a failure.
      if (!this.#stopping) failure = failureOf(error);
    }
    this.#tell({ kind: 'ended', failure });
  }

  /** Finishes the block under way; when that takes longer than `--stop-timeout`, drops it whole. Does not wait. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const late = setTimeout(this.#drop, this.#stopTimeout);
    void this.#follower.stop().then(() => clearTimeout(late));
  }

  /** Closes everything, the store last. No other thread may be attached to it any more. */
  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#snapshots?.close();
    await this.#chain.close();
    await this.#index.close();
    await this.#gpu?.close();
  }

  #changed(phase: (EngineEvent & { kind: 'phase' })['phase']): void {
    this.#lookAtHeight();
    this.#tell({ kind: 'phase', phase });
  }

  #lookAtHeight(): void {
    const { nodeHeight } = this.#follower.status;
    if (nodeHeight === undefined || nodeHeight === this.#toldHeight) return;
    this.#toldHeight = nodeHeight;
    this.#tell({ kind: 'source-tip', height: nodeHeight, statistics: this.#chain.statistics() });
  }
}

/** Blocks of the chain that is followed: from the node if there is one, which has them by hash. */
function blocksOf({ node, source }: OpenedChain): FetchBlock {
  const { signal } = new AbortController();
  if (node !== undefined) return (height, hash) => node.block(hash, height, signal);
  return async (height) => {
    for await (const { raw } of source.blocks(height, height, signal)) return raw;
    return undefined;
  };
}

/** Looks for a GPU if the policy uses one; `gpu` requires it, `auto` reports why there is none. */
async function findGpu(
  settings: Settings,
  source: KernelSource,
  onNoise: (line: string) => void,
): Promise<{ readonly gpu?: GpuExecutor; readonly reason?: string }> {
  const { policy, dryRun, gpu } = settings;
  if (!gpu || !usesKernel(policy, dryRun)) return {};
  try {
    return { gpu: await source.open(onNoise) };
  } catch (error) {
    if (policy === 'gpu' || !(error instanceof EnvironmentError)) throw error;
    return { reason: `${error.code}: ${error.message}` };
  }
}
