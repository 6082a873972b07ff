import { InternalError, StoreError } from '../errors/errors.js';
import type { RpcBackend } from '../rpc/backend.js';
import type { Settings } from '../service/options.js';
import { PrefixRoots } from '../service/prefix-roots.js';
import { laneViewSettings, viewSettings } from '../service/serving-settings.js';
import { LaneViews } from '../simulate/lane-views.js';
import type { GuestLine } from '../standard/guest-log.js';
import { DEFAULT_VIEW_LIMITS, StandardIndexer } from '../standard/standard-indexer.js';
import { proveKey } from '../store/proof/prove-key.js';
import { openShared, type SharedStore } from '../store/shared-files.js';
import type { Store } from '../store/store.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { DEFAULT_VIEW_POOL, type ViewLoad } from '../views/pool.js';
import { blockIn } from './block-in.js';
import { readModuleFile } from './files.js';

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

/** Opens a database to be served as it is now. Throws StoreError, STORE_MODULE_MISMATCH among them. */
export async function openServed(options: ServedOptions): Promise<ServedDatabase> {
  return serveShared(await openShared(options.db), options);
}

/** Views over a shared database, which closes with them, or where it throws: StoreError STORE_MODULE_MISMATCH. */
export async function serveShared(shared: SharedStore, options: ServedOptions): Promise<ServedDatabase> {
  const { db, indexer, blocks, settings, onLog } = options;
  const { store, inPlace } = shared;
  try {
    const moduleBytes = indexer === undefined ? defaultIndexer() : readModuleFile(indexer);
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
        prove: (namespace, key, height) => proveKey(store, namespace, key, height),
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
