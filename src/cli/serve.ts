import { once } from 'node:events';
import { StoreError } from '../errors.js';
import { startRpcServer } from '../rpc/server.js';
import { StandardIndexer } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { readModuleFile } from './files.js';

export interface ServeOptions {
  readonly db: string;
  readonly host: string;
  readonly port: number;
  /** Names in `Host` that are answered, beside the usual ones. */
  readonly allowHost?: string;
  /** WASM file; the project's own indexer if not given. */
  readonly indexer?: string;
}

/** `warpshrew serve --db DIR`. */
export async function serveCommand(options: ServeOptions): Promise<{ text: string; exitStatus: number }> {
  await serveDatabase(options, Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]));
  return { text: '', exitStatus: 0 };
}

/** Answers JSON-RPC from a database until `stopped` resolves, then closes server, module and store in this order. */
export async function serveDatabase(options: ServeOptions, stopped: Promise<unknown>): Promise<void> {
  const moduleBytes = options.indexer === undefined ? defaultIndexer() : readModuleFile(options.indexer);
  const store = await Store.openRecorded(options.db, { readOnly: true });
  let standard: StandardIndexer | undefined;
  try {
    checkModule(options.db, store.identity().moduleHash, StandardIndexer.hashOf(moduleBytes));
    const lane = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
    standard = lane;
    lane.startViews();
    const server = await startRpcServer({
      host: options.host,
      port: options.port,
      allowHost: options.allowHost,
      backend: { store, view: (name, input, height, client) => lane.view(name, input, height, height, client) },
    });
    process.stdout.write(`${greeting(server.url)}\n`);
    await stopped;
    await server.close();
  } finally {
    await standard?.close();
    await store.close();
  }
}

/** Views of another module would read keys that it never wrote. */
function checkModule(dir: string, recorded: string, given: string): void {
  if (recorded === given) return;
  throw new StoreError('STORE_MODULE_MISMATCH', 'the database was made with another module', {
    facts: { dir, recorded, given },
    hint: 'name the module it was made with: --indexer FILE.wasm',
  });
}

function greeting(url: string): string {
  const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
  return [
    `JSON-RPC on ${url} (Ctrl-C ends it). Ask it something:`,
    `  curl -s ${url} -H 'content-type: application/json' -d '${body}'`,
    'Methods: docs/json-rpc.md',
  ].join('\n');
}
