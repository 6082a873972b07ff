import { once } from 'node:events';
import { InternalError, StoreError } from '../errors/errors.js';
import type { RpcBackend } from '../rpc/backend.js';
import { startRpcServer } from '../rpc/server.js';
import { LaneViews } from '../simulate/lane-views.js';
import { DEFAULT_VIEW_LIMITS, StandardIndexer } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { DEFAULT_VIEW_POOL } from '../views/pool.js';
import { blockIn } from './block-in.js';
import { readModuleFile } from './files.js';

export interface ServeOptions {
  readonly db: string;
  readonly host: string;
  readonly port: number;
  /** Additional names that `Host` may have. */
  readonly allowHost?: string;
  /** WASM file; the project's own indexer if not given. */
  readonly indexer?: string;
  /** Where the blocks of the chain are, for traces with steps. */
  readonly blocks?: string;
}

/** `warpshrew serve --db DIR`. */
export async function serveCommand(options: ServeOptions): Promise<{ text: string; exitStatus: number }> {
  await serveDatabase(options, Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]));
  return { text: '', exitStatus: 0 };
}

/** Answers JSON-RPC from a database until `stopped` resolves, then closes server, module and store in this order. */
async function serveDatabase(options: ServeOptions, stopped: Promise<unknown>): Promise<void> {
  const served = await openServed(options);
  try {
    const { host, port, allowHost } = options;
    const server = await startRpcServer({ host, port, allowHost, backend: served.backend });
    process.stdout.write(`${greeting(server.url)}\n`);
    await stopped;
    await server.close();
  } finally {
    await served.close();
  }
}

/** A database and the views of its module, open for reading. */
export interface ServedDatabase {
  readonly backend: RpcBackend;
  /** Closes module and store. No request may use the backend any more. */
  close(): Promise<void>;
}

/** Opens a database to be served. Throws StoreError, STORE_MODULE_MISMATCH among them. */
export async function openServed({
  db,
  indexer,
  blocks,
}: Pick<ServeOptions, 'db' | 'indexer' | 'blocks'>): Promise<ServedDatabase> {
  const moduleBytes = indexer === undefined ? defaultIndexer() : readModuleFile(indexer);
  const store = await Store.openRecorded(db, { readOnly: true });
  try {
    checkModule(db, store.identity().moduleHash, StandardIndexer.hashOf(moduleBytes));
    const lane = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
    lane.startViews();
    const laneViews = openLaneViews(store);
    return {
      backend: {
        store,
        view: (name, input, height, client) => lane.view(name, input, height, height, client),
        preview: (raw, name, input, height, client) =>
          lane.preview({ raw, name, input, height: height + 1 }, height, client),
        laneView: (kind, request, client) => laneViews.run(kind, request, client),
        block: async (height) => (blocks === undefined ? undefined : blockIn(blocks, height)),
      },
      close: async () => {
        await lane.close();
        await laneViews.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Threads for views of the lane over an open database, with the bounds that views have by default. */
export function openLaneViews(store: Store): LaneViews {
  const { handle: storeHandle } = store;
  if (storeHandle === undefined) throw new InternalError('a database that cannot be shared was to be served');
  const { answerBytes } = DEFAULT_VIEW_LIMITS;
  return new LaneViews({ storeHandle, answerBytes, ...DEFAULT_VIEW_POOL });
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
export function greeting(url: string): string {
  const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
  return [
    `JSON-RPC on ${url} (Ctrl-C ends it). Ask it something:`,
    `  curl -s ${url} -H 'content-type: application/json' -d '${body}'`,
    'Methods: docs/json-rpc.md',
  ].join('\n');
}
