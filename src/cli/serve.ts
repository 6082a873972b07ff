import { once } from 'node:events';
import { failureOf, InternalError, StoreError } from '../errors/errors.js';
import type { RpcBackend } from '../rpc/backend.js';
import { startRpcServer } from '../rpc/server.js';
import { requireServing } from '../service/config.js';
import { explorerFiles } from '../service/explorer-files.js';
import { createLogger } from '../service/log.js';
import type { Settings } from '../service/options.js';
import { PrefixRoots } from '../service/prefix-roots.js';
import { Reporter } from '../service/reporter.js';
import { servePages } from '../service/serve-pages.js';
import { ServiceState } from '../service/service-state.js';
import { laneViewSettings, serverSettings, viewSettings } from '../service/serving-settings.js';
import { LaneViews } from '../simulate/lane-views.js';
import type { GuestLine } from '../standard/guest-log.js';
import { DEFAULT_VIEW_LIMITS, StandardIndexer } from '../standard/standard-indexer.js';
import { openShared } from '../store/shared-files.js';
import type { Store } from '../store/store.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { DEFAULT_VIEW_POOL, type ViewLoad } from '../views/pool.js';
import { blockIn } from './block-in.js';
import { readModuleFile } from './files.js';

/** `warpshrew serve`: takes the settings of `index`, of which it needs those about serving. */
export async function serveCommand(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ text: string; exitStatus: number }> {
  const { settings } = requireServing({ flags, environment: process.env });
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, label: settings.label });
  const state = new ServiceState();
  const reporter = new Reporter(log, state);
  const { db, indexer } = settings;
  const blocks = typeof flags.blocks === 'string' ? flags.blocks : undefined;
  const served = await openServed({ db, indexer, blocks, settings, onLog: (line) => reporter.moduleLine(line) });
  try {
    const { viewLoad, laneViewLoad, inPlace } = served;
    if (inPlace !== undefined) log.warn({ reason: inPlace }, 'no other command can open the database meanwhile');
    const server = await startRpcServer({
      ...serverSettings(settings),
      backend: served.backend,
      files: settings.explorer ? explorerFiles() : undefined,
      pages: servePages({ state, store: served.backend.store, settings, viewLoad, laneViewLoad }),
      onAnswered: (method, ms, ok) => state.answered(method, ms, ok),
      onRefused: (code, facts) => reporter.refused(code, facts),
      onDefect: (error) => log.error({ code: 'INTERNAL' }, failureOf(error).message),
    });
    process.stdout.write(`${greeting(server.url, settings.explorer)}\n`);
    await stopped;
    await server.close();
  } finally {
    await served.close();
  }
  return { text: '', exitStatus: 0 };
}

/** A database and the views of its module, open for reading. */
export interface ServedDatabase {
  readonly backend: RpcBackend;
  /** Why the database is locked meanwhile; undefined: it is not. */
  readonly inPlace: string | undefined;
  readonly viewLoad: () => ViewLoad | undefined;
  readonly laneViewLoad: () => ViewLoad;
  /** Closes module and store. No request may use the backend any more. */
  close(): Promise<void>;
}

export interface ServedOptions {
  readonly db: string;
  /** WASM file; the project's own indexer if not given. */
  readonly indexer?: string;
  /** Where the blocks of the chain are, for traces with steps. */
  readonly blocks?: string;
  /** Bounds of views, and prefixes that have roots; the usual bounds and none if not given. */
  readonly settings?: Settings;
  /** What the module says in views. */
  readonly onLog?: (line: GuestLine) => void;
}

/** Opens a database to be served. Throws StoreError, STORE_MODULE_MISMATCH among them. */
export async function openServed({ db, indexer, blocks, settings, onLog }: ServedOptions): Promise<ServedDatabase> {
  const moduleBytes = indexer === undefined ? defaultIndexer() : readModuleFile(indexer);
  const shared = await openShared(db);
  const { store, inPlace } = shared;
  try {
    checkModule(db, store.identity().moduleHash, StandardIndexer.hashOf(moduleBytes));
    const lane = new StandardIndexer({
      moduleBytes,
      storeHandle: store.handle,
      ...(settings !== undefined && viewSettings(settings)),
      onLog,
    });
    lane.startViews();
    const laneViews = openLaneViews(store, settings);
    const prefixRoots = new PrefixRoots(settings?.prefixroot, store, (prefix, height, client) =>
      laneViews.run('prefixRoot', { height, prefix }, client),
    );
    return {
      backend: {
        store,
        view: (name, input, height, client) => lane.view(name, input, height, height, client),
        preview: (raw, name, input, height, client) =>
          lane.preview({ raw, name, input, height: height + 1 }, height, client),
        laneView: (kind, request, client) => laneViews.run(kind, request, client),
        block: async (height) => (blocks === undefined ? undefined : blockIn(blocks, height)),
        prefixRoot: (name, height, client) => prefixRoots.of(name, height, client),
      },
      inPlace,
      viewLoad: () => lane.viewLoad,
      laneViewLoad: () => laneViews.load,
      close: async () => {
        await lane.close();
        await laneViews.close();
        await shared.close();
      },
    };
  } catch (error) {
    await shared.close();
    throw error;
  }
}

/** Threads for views of the lane over an open database, with the bounds of `settings`, or the usual ones. */
export function openLaneViews(store: Store, settings?: Settings): LaneViews {
  const { handle: storeHandle } = store;
  if (storeHandle === undefined) throw new InternalError('a database that cannot be shared was to be served');
  const { answerBytes } = DEFAULT_VIEW_LIMITS;
  const bounds = settings === undefined ? { answerBytes, ...DEFAULT_VIEW_POOL } : laneViewSettings(settings);
  return new LaneViews({ storeHandle, ...bounds });
}

/** Views of another module would read keys that it never wrote. */
function checkModule(dir: string, recorded: string, given: string): void {
  if (recorded === given) return;
  throw new StoreError('STORE_MODULE_MISMATCH', 'the database was made with another module', {
    facts: { dir, recorded, given },
    hint: 'name the module it was made with: --indexer FILE.wasm',
  });
}

/** The line that a server prints when it is ready. */
export function greeting(url: string, explorer: boolean): string {
  const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
  return [
    ...(explorer ? [`Explorer: open ${url} in a browser`] : []),
    `JSON-RPC on ${url} (Ctrl-C ends it). Ask it something:`,
    `  curl -s ${url} -H 'content-type: application/json' -d '${body}'`,
    'Methods: docs/json-rpc.md',
  ].join('\n');
}
