import { MessageChannel, Worker } from 'node:worker_threads';
import { InternalError } from '../errors/errors.js';
import { WorkWatch } from '../execute/tasks/work-watch.js';
import { ChangeBell } from '../rpc/change-bell.js';
import { type RpcServer, startRpcServer } from '../rpc/server.js';
import { LaneViews } from '../simulate/lane-views.js';
import { StandardIndexer } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import { DEEP_STACK } from '../util/deep-thread.js';
import { shipped } from '../util/shipped.js';
import { within } from '../util/within.js';
import { BlockDesk } from './block-desk.js';
import type { EngineSetup } from './engine.js';
import { type EngineCommand, type EngineEvent, errorOf, type Failure, failureOf } from './events.js';
import { explorerFiles } from './explorer-files.js';
import { folderBytes } from './folder-bytes.js';
import type { FollowedStream } from './followed-stream.js';
import type { Logger } from './log.js';
import type { Settings } from './options.js';
import { Pages } from './pages.js';
import { PrefixRoots } from './prefix-roots.js';
import { ProofDesk } from './proof-desk.js';
import { Publishing } from './publishing.js';
import { Reporter } from './reporter.js';
import { RollbackClock } from './rollback-clock.js';
import { type ServedFolders, serveFolders } from './secondary-folders.js';
import { ServiceState } from './service-state.js';
import { laneViewSettings, serverSettings, viewSettings } from './serving-settings.js';
import { openSink, type SinkThread } from './sink-thread.js';
import { SlowBlocks } from './slow-blocks.js';
import { Views } from './views.js';

/** Extra time after `--stop-timeout` for the engine's thread to drop the block itself, if it is not busy with it. */
const DROP_GRACE_MS = 500;
/** Time to close the store, and for a terminated thread to end: native calls are not interrupted. */
const CLOSE_MS = 10_000;

export interface ServiceOptions {
  readonly settings: Settings;
  /** The command line that the settings were read with: they are read again when the node refuses the credentials. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** WASM of the standard module. */
  readonly moduleBytes: Uint8Array;
  readonly log: Logger;
  readonly version: string;
  /** Height of the snapshot that the database was restored from just now. */
  readonly restored: number | undefined;
  /** The stream to follow, in place of a chain. */
  readonly stream?: FollowedStream;
}

/**
 * The main thread of `warpshrew index` and `follow-stream`: it owns the engine's thread, a reader of its store, views
 * and the server.
 */
export class Service {
  readonly state = new ServiceState();
  /** Resolves when indexing has ended, with its failure if it did not end on request. */
  readonly ended: Promise<Failure | undefined>;
  readonly reporter: Reporter;
  /** The engine's thread died, and the open store with it: nothing can be served any more. */
  crashed = false;
  readonly #worker: Worker;
  readonly #bell = new ChangeBell();
  readonly #rollbacks = new RollbackClock();
  readonly #watch = new WorkWatch();
  readonly #blocks: SlowBlocks;
  readonly #proofs: ProofDesk;
  readonly #fetched: BlockDesk;
  readonly #stopTimeout: number;
  readonly #folders: ServedFolders;
  readonly #gone: Promise<void>;
  #opened: ((event: EngineEvent & { kind: 'opened' }) => void) | undefined;
  #refused: ((failure: Failure) => void) | undefined;
  #end: (failure: Failure | undefined) => void = () => undefined;
  #closing = false;
  #server: RpcServer | undefined;
  #views: StandardIndexer | undefined;
  #laneViews: LaneViews | undefined;
  #publishing: Publishing | undefined;
  #sink: SinkThread | undefined;

  private constructor({ settings, flags, moduleBytes, log, stream }: ServiceOptions, folders: ServedFolders) {
    this.#folders = folders;
    this.reporter = new Reporter(log, this.state);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#stopTimeout = settings.stopTimeout;
    this.#blocks = new SlowBlocks(() => this.#watch.look(), settings.slowBlock, log);
    const { buffer: rollbacks } = this.#rollbacks;
    const { port1, port2: proofs } = new MessageChannel();
    this.#proofs = new ProofDesk(port1);
    const fetching = new MessageChannel();
    this.#fetched = new BlockDesk(fetching.port1);
    const { port2: ownBlocks } = fetching;
    const setup: EngineSetup = {
      settings,
      flags,
      moduleBytes,
      rollbacks,
      watch: this.#watch.buffer,
      proofs,
      blocks: ownBlocks,
      stream,
    };
    this.#worker = new Worker(shipped('service/engine-worker.js'), {
      workerData: setup,
      transferList: [proofs, ownBlocks],
      resourceLimits: DEEP_STACK,
    });
    this.#worker.on('message', (event: EngineEvent) => this.#hear(event));
    this.#worker.on('error', (error) => this.#hear({ kind: 'crashed', failure: failureOf(error) }));
    this.#gone = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /**
   * Opens the store in the engine's thread, which begins to follow the chain, and serves it. Throws the error of the
   * store, source, module or port that cannot be opened, after closing everything. Resolves with undefined, everything
   * closed, if `stopped` resolves meanwhile.
   */
  static async start(options: ServiceOptions, stopped: Promise<void>): Promise<Service | undefined> {
    const folders = await serveFolders(options.settings, options.log);
    const given = { ...options, settings: folders.settings };
    const service = new Service(given, folders);
    try {
      const served = service.#serve(given).then(() => true);
      if (await Promise.race([served, stopped])) return service;
      served.catch(() => undefined);
      await service.close();
      return undefined;
    } catch (error) {
      await service.close();
      throw error;
    }
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /**
   * Lets the engine finish or drop the block under way, answers pending requests, closes the store last. A thread too
   * busy with the block to drop it is terminated: what it has not committed is lost, as after a crash.
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.#command({ kind: 'stop' });
    const ended = await within(this.#stopTimeout + DROP_GRACE_MS, Promise.race([this.ended, this.#gone]));
    if (!ended) this.reporter.cutOff(this.#watch.look());
    this.#blocks.close();
    // Readers of the store must be closed before the thread that owns it.
    await this.#server?.close();
    await this.#views?.close();
    await this.#laneViews?.close();
    await this.#publishing?.close();
    await this.#sink?.close();
    await this.#folders.close();
    this.#proofs.close();
    this.#fetched.close();
    if (ended) {
      this.#command({ kind: 'released' });
      if (await within(CLOSE_MS, this.#gone)) return;
    }
    void this.#worker.terminate();
    if (await within(CLOSE_MS, this.#gone)) return;
    this.reporter.cutOff(this.#watch.look());
    // It is stuck in a native call; the store stays consistent.
    process.kill(process.pid, 'SIGKILL');
  }

  async #serve({ settings, moduleBytes, log, version, restored }: ServiceOptions): Promise<void> {
    const { storeHandle, network, source } = await new Promise<EngineEvent & { kind: 'opened' }>((resolve, reject) => {
      this.#opened = resolve;
      this.#refused = (failure) => reject(errorOf(failure));
    });
    this.#mayServe();
    const store = await Store.attach(storeHandle);
    this.#mayServe();
    const { buffer: rollbacks } = this.#rollbacks;
    this.#publishing = Publishing.open(settings, { storeHandle, rollbacks }, log);
    const standard = new StandardIndexer({
      moduleBytes,
      storeHandle,
      ...viewSettings(settings),
      onLog: (line) => this.reporter.moduleLine(line),
    });
    this.#views = standard;
    standard.startViews();
    const views = new Views(standard, store, this.#rollbacks);
    const laneViews = new LaneViews({ storeHandle, ...laneViewSettings(settings) });
    this.#laneViews = laneViews;
    const prefixRoots = new PrefixRoots(settings.prefixroot, store, (prefix, height, client) =>
      views.consistent('prefixRoot', height, () => laneViews.run('prefixRoot', { height, prefix }, client)),
    );
    const { state } = this;
    this.#sink = openSink(settings, storeHandle, this.#rollbacks.buffer, (status) => {
      this.reporter.sink(status, state.sink);
      state.sink = status;
    });
    const blocks = this.#blocks;
    const pages = new Pages({
      state,
      store,
      settings,
      network,
      source,
      version,
      blocks,
      queued: () => this.#watch.queued,
      inKernel: () => this.#watch.inKernel,
      viewLoad: () => standard.viewLoad,
      laneViewLoad: () => laneViews.load,
      publishing: () => this.#publishing?.figures,
    });
    this.#server = await startRpcServer({
      ...serverSettings(settings),
      backend: {
        store,
        view: (name, input, height, client) => views.run(name, input, height, client),
        preview: (raw, name, input, height, client) => views.preview(raw, name, input, height, client),
        laneView: (kind, request, client) =>
          views.consistent(kind, request.height, () => laneViews.run(kind, request, client)),
        block: (height, hash, client) => this.#fetched.block(height, hash, client),
        prove: (namespace, key, height, client) => this.#proofs.prove(client, namespace, key, height),
        prefixRoot: (name, height, client) => prefixRoots.of(name, height, client),
        snapshots: async () => ({
          databaseBytes: await folderBytes(settings.db),
          made: state.snapshotsMade,
          lastHeight: state.lastSnapshot,
          restoredHeight: restored,
          enabled: settings.snapshotDirectory !== undefined,
          blocksIndexed: state.blocks,
        }),
      },
      bell: this.#bell,
      pages: pages.routes,
      files: settings.explorer ? explorerFiles() : undefined,
      onAnswered: (method, ms, ok) => state.answered(method, ms, ok),
      onRefused: (code, facts) => this.reporter.refused(code, facts),
      onDefect: (error) => log.error({ code: 'INTERNAL' }, failureOf(error).message),
    });
    if (this.#closing) await this.#server.close();
    this.#mayServe();
    log.info({ url: this.url }, 'serving JSON-RPC');
  }

  /** Stops opening once a signal has arrived. */
  #mayServe(): void {
    if (this.#closing) throw new InternalError('the service is closing');
  }

  #hear(event: EngineEvent): void {
    this.state.apply(event);
    this.reporter.hear(event);
    if (event.kind === 'block' || event.kind === 'rollback') this.#changed();
    if (event.kind === 'opened') this.#opened?.(event);
    else if (event.kind === 'closed') void this.#worker.terminate();
    else if (event.kind === 'ended') this.#end(event.failure);
    else if (event.kind === 'not-opened' || event.kind === 'crashed') {
      this.crashed = event.kind === 'crashed';
      this.#refused?.(event.failure);
      this.#end(event.failure);
    }
  }

  #changed(): void {
    this.#bell.ring();
    this.#publishing?.changed();
    this.#sink?.ring();
  }

  #command(command: EngineCommand): void {
    this.#worker.postMessage(command);
  }
}
