import { Worker } from 'node:worker_threads';
import { type RpcServer, startRpcServer } from '../rpc/server.js';
import { StandardLane } from '../standard/lane.js';
import { Store } from '../store/store.js';
import { builtFile } from '../util/built-file.js';
import { DEEP_STACK } from '../util/deep-thread.js';
import type { EngineSetup } from './engine.js';
import { type EngineCommand, type EngineEvent, errorOf, type Failure, failureOf } from './events.js';
import type { Logger } from './log.js';
import type { Settings } from './options.js';
import { Pages } from './pages.js';
import { Reporter } from './reporter.js';
import { RollbackClock } from './rollback-clock.js';
import { ServiceState } from './service-state.js';
import { Views } from './views.js';

export interface ServiceOptions {
  readonly settings: Settings;
  /** The command line that the settings were read with: they are read again when the node refuses the credentials. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** WASM of the standard lane's module. */
  readonly moduleBytes: Uint8Array;
  readonly log: Logger;
  readonly version: string;
}

/** What the main thread of `warpshrew index` holds: the engine's thread, a reader of its store, views, the server. */
export class Service {
  readonly state = new ServiceState();
  /** Resolves when indexing has ended, with its failure if it was not asked to end. */
  readonly ended: Promise<Failure | undefined>;
  readonly reporter: Reporter;
  /** The engine's thread is gone, and the open store with it: nothing can be served any more. */
  crashed = false;
  private readonly worker: Worker;
  private readonly rollbacks = new RollbackClock();
  private readonly gone: Promise<void>;
  private opened: ((event: EngineEvent & { kind: 'opened' }) => void) | undefined;
  private refused: ((failure: Failure) => void) | undefined;
  private end: (failure: Failure | undefined) => void = () => undefined;
  private server: RpcServer | undefined;
  private views: StandardLane | undefined;

  private constructor({ settings, flags, moduleBytes, log }: ServiceOptions) {
    this.reporter = new Reporter(log, this.state);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    const setup: EngineSetup = { settings, flags, moduleBytes, rollbacks: this.rollbacks.buffer };
    this.worker = new Worker(builtFile('service/engine-worker.js'), { workerData: setup, resourceLimits: DEEP_STACK });
    this.worker.on('message', (event: EngineEvent) => this.hear(event));
    this.worker.on('error', (error) => this.hear({ kind: 'crashed', failure: failureOf(error) }));
    this.gone = new Promise((resolve) => this.worker.once('exit', () => resolve()));
  }

  /**
   * Opens the store in the engine's thread, which begins to follow the chain, and serves it. Throws what opening the store, the
   * source, the module or the port throws; everything is closed then.
   */
  static async start(options: ServiceOptions): Promise<Service> {
    const service = new Service(options);
    try {
      await service.serve(options);
      return service;
    } catch (error) {
      await service.close();
      throw error;
    }
  }

  get url(): string {
    return this.server?.url ?? '';
  }

  /** Lets the engine finish or drop the block under way, answers what was asked, closes the store last. */
  async close(): Promise<void> {
    this.command({ kind: 'stop' });
    await Promise.race([this.ended, this.gone]);
    await this.server?.close();
    await this.views?.close();
    this.command({ kind: 'released' });
    await this.gone;
  }

  private async serve({ settings, moduleBytes, log, version }: ServiceOptions): Promise<void> {
    const { storeHandle, network, source } = await new Promise<EngineEvent & { kind: 'opened' }>((resolve, reject) => {
      this.opened = resolve;
      this.refused = (failure) => reject(errorOf(failure));
    });
    const store = await Store.attach(storeHandle);
    const { viewTimeout: viewTimeoutMs, viewWorkers: viewThreads, viewQueue } = settings;
    const lane = new StandardLane({ moduleBytes, storeHandle, viewTimeoutMs, viewThreads, viewQueue });
    this.views = lane;
    lane.startViews();
    const views = new Views(lane, store, this.rollbacks);
    const { state } = this;
    const pages = new Pages({ state, store, settings, network, source, version, viewLoad: () => lane.viewLoad });
    this.server = await startRpcServer({
      host: settings.host,
      port: settings.port,
      cors: settings.cors,
      backend: { store, view: (name, input, height) => views.run(name, input, height) },
      pages: pages.routes,
      onAnswered: (method, ms, ok) => state.answered(method, ms, ok),
      onDefect: (error) => log.error({ code: 'INTERNAL' }, failureOf(error).message),
    });
    log.info({ url: this.url }, 'serving JSON-RPC');
  }

  private hear(event: EngineEvent): void {
    this.state.apply(event);
    this.reporter.hear(event);
    if (event.kind === 'opened') this.opened?.(event);
    else if (event.kind === 'closed') void this.worker.terminate();
    else if (event.kind === 'ended') this.end(event.failure);
    else if (event.kind === 'not-opened' || event.kind === 'crashed') {
      this.crashed = event.kind === 'crashed';
      this.refused?.(event.failure);
      this.end(event.failure);
    }
  }

  private command(command: EngineCommand): void {
    this.worker.postMessage(command);
  }
}
