/**
 * Other indexes that the module reads, where the setting names the folder of a database: this process serves it to its
 * own threads, as `warpshrew serve` would to anybody, on a port of this machine. The folder is never locked where its
 * files can be shared, so the `warpshrew index` that writes it goes on.
 */
import { type Failure, failureOf, ProgramError } from '../errors/errors.js';
import { type RpcServer, startRpcServer } from '../rpc/server.js';
import { ReplacedReader } from '../store/replaced-reader.js';
import { openUnlocked, type SharedStore, writtenState } from '../store/shared-files.js';
import { WrittenWatch } from '../store/written-watch.js';
import { failureFields, type Logger } from './log.js';
import type { Settings } from './options.js';
import { isServer, secondaryPlaces } from './secondary-gate.js';

/** The port is for this machine alone. */
const HOST = '127.0.0.1';
/** Something may still read rows of a copy behind the next one. */
const GRACE_MS = 5_000;

export interface ServedFolders {
  /** Those given, but that `secondary` names servers alone. */
  readonly settings: Settings;
  close(): Promise<void>;
}

/**
 * Opens the folders that `--secondary` names. Throws StoreError STORE_MISSING, STORE_EMPTY, STORE_FOREIGN, STORE_LOCKED
 * and what else opening a database throws; nothing is open then.
 */
export async function serveFolders(settings: Settings, log: Logger): Promise<ServedFolders> {
  const opened: ServedFolder[] = [];
  const close = async (): Promise<void> => {
    for (const folder of opened) await folder.close();
  };
  try {
    const served: string[] = [];
    for (const [name, place] of Object.entries(secondaryPlaces(settings.secondary) ?? {})) {
      let url = place;
      if (!isServer(place)) {
        const folder = await ServedFolder.open(place, (failure) =>
          log.warn({ ...failureFields(failure), index: name }, 'a newer state of another index cannot be read'),
        );
        opened.push(folder);
        url = folder.url;
      }
      served.push(`${name}=${url}`);
    }
    return { settings: { ...settings, secondary: settings.secondary && served.join(',') }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

class ServedFolder {
  readonly #dir: string;
  readonly #store: ReplacedReader;
  readonly #watch: WrittenWatch;
  readonly #onFailure: (failure: Failure) => void;
  #current: SharedStore;
  #lastFailure: string | undefined;
  #server: RpcServer | undefined;
  readonly #retired = new Set<SharedStore>();

  private constructor(dir: string, seen: string | undefined, first: SharedStore, onFailure: (of: Failure) => void) {
    this.#dir = dir;
    this.#current = first;
    this.#onFailure = onFailure;
    this.#store = new ReplacedReader(first.store);
    this.#watch = new WrittenWatch(dir, seen, () => this.#renew());
  }

  static async open(dir: string, onFailure: (failure: Failure) => void): Promise<ServedFolder> {
    const seen = writtenState(dir);
    const first = await openUnlocked(dir);
    const folder = new ServedFolder(dir, seen, first, onFailure);
    try {
      const view = async (name: string): Promise<never> => {
        throw new ProgramError('VIEW_NOT_FOUND', `the folder of an index has no view ${JSON.stringify(name)}`);
      };
      folder.#server = await startRpcServer({ host: HOST, port: 0, backend: { store: folder.#store, view } });
    } catch (error) {
      await folder.close();
      throw error;
    }
    // Where it was opened in place, nobody writes it.
    if (first.inPlace === undefined) folder.#watch.start();
    return folder;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async close(): Promise<void> {
    await this.#watch.close();
    await this.#server?.close();
    for (const copy of [this.#current, ...this.#retired]) await copy.close();
  }

  async #renew(): Promise<boolean> {
    try {
      const next = await openUnlocked(this.#dir);
      if (next.inPlace !== undefined) {
        await next.close();
        return false;
      }
      const before = this.#current;
      this.#current = next;
      this.#store.replace(next.store);
      this.#lastFailure = undefined;
      this.#retired.add(before);
      void this.#closeLater(before);
      return true;
    } catch (error) {
      const failure = failureOf(error);
      if (this.#lastFailure !== failure.code) this.#onFailure(failure);
      this.#lastFailure = failure.code;
      return false;
    }
  }

  async #closeLater(copy: SharedStore): Promise<void> {
    await this.#watch.pause(GRACE_MS);
    // Closing the folder closes it, too.
    if (!this.#watch.isClosed && this.#retired.delete(copy)) await copy.close();
  }
}
