import { type Failure, failureOf, InternalError } from '../errors/errors.js';
import type { RpcBackend } from '../rpc/backend.js';
import { ChangeBell } from '../rpc/change-bell.js';
import type { ReplicaState } from '../service/serve-pages.js';
import { ReplacedReader } from '../store/replaced-reader.js';
import { openUnlocked, writtenState } from '../store/shared-files.js';
import { WrittenWatch } from '../store/written-watch.js';
import type { ViewLoad } from '../views/pool.js';
import { type ServedDatabase, type ServedOptions, serveShared } from './served.js';

/** How long a copy stays open behind the last answer from it: something may still read rows of it. */
const GRACE_MS = 5_000;

/** A copy, and how many answers are being made from it. */
interface Generation {
  readonly served: ServedDatabase;
  users: number;
  isRetired: boolean;
}

/**
 * What is served of a database that others may write: a copy that shares its files, as of a moment, and soon after
 * something was written a newer one. The database is never locked where its files can be shared.
 */
export class Replica {
  readonly backend: RpcBackend;
  /** Rings when a newer copy is served. */
  readonly bell = new ChangeBell();
  readonly #options: ServedOptions;
  readonly #onFailure: (failure: Failure) => void;
  readonly #store: ReplacedReader;
  #current: Generation;
  #renewed = 0;
  #failed = 0;
  #lastFailure: string | undefined;
  readonly #watch: WrittenWatch;
  readonly #retired = new Set<Generation>();

  private constructor(
    options: ServedOptions,
    onFailure: (failure: Failure) => void,
    first: ServedDatabase,
    seen: string | undefined,
  ) {
    this.#options = options;
    this.#onFailure = onFailure;
    this.#current = { served: first, users: 0, isRetired: false };
    this.#watch = new WrittenWatch(options.db, seen, () => this.#renew());
    this.#store = new ReplacedReader(first.backend.store);
    this.backend = {
      store: this.#store,
      view: (name, input, height, client) => this.#use(({ view }) => view(name, input, height, client)),
      preview: (raw, name, input, height, client) =>
        this.#use(({ preview }) => given(preview)(raw, name, input, height, client)),
      laneView: (kind, request, client) => this.#use(({ laneView }) => given(laneView)(kind, request, client)),
      block: (height, hash, client) => this.#use(({ block }) => given(block)(height, hash, client)),
      prove: (namespace, key, height, client) =>
        this.#use(async ({ prove }) => given(prove)(namespace, key, height, client)),
      prefixRoot: (name, height, client) => this.#use(({ prefixRoot }) => given(prefixRoot)(name, height, client)),
    };
    if (first.inPlace === undefined) this.#watch.start();
  }

  /** Throws StoreError, STORE_MODULE_MISMATCH among them. `onFailure` hears of each kind of failure once in a row. */
  static async open(options: ServedOptions, onFailure: (failure: Failure) => void): Promise<Replica> {
    const seen = writtenState(options.db);
    const first = await serveShared(await openUnlocked(options.db), options);
    return new Replica(options, onFailure, first, seen);
  }

  /** Why the database is locked meanwhile; undefined: it is not. */
  get inPlace(): string | undefined {
    return this.#current.served.inPlace;
  }

  readonly viewLoad = (): ViewLoad | undefined => this.#current.served.viewLoad();
  readonly laneViewLoad = (): ViewLoad => this.#current.served.laneViewLoad();

  state(): ReplicaState {
    return {
      renewed: this.#renewed,
      failed: this.#failed,
      lastFailure: this.#lastFailure ?? null,
      lagSeconds: this.#watch.lagSeconds,
    };
  }

  /** Closes all copies. No request may use the backend any more. */
  async close(): Promise<void> {
    await this.#watch.close();
    await this.#current.served.close();
    for (const { served } of this.#retired) await served.close();
  }

  /** Goes over to a copy of now; gives whether it has. */
  async #renew(): Promise<boolean> {
    try {
      const served = await serveShared(await openUnlocked(this.#options.db), this.#options);
      if (served.inPlace !== undefined) {
        await served.close();
        return false;
      }
      const before = this.#current;
      this.#current = { served, users: 0, isRetired: false };
      this.#store.replace(served.backend.store);
      this.#renewed++;
      this.#lastFailure = undefined;
      this.#retire(before);
      this.bell.ring();
      return true;
    } catch (error) {
      const failure = failureOf(error);
      this.#failed++;
      if (this.#lastFailure !== failure.code) this.#onFailure(failure);
      this.#lastFailure = failure.code;
      return false;
    }
  }

  #retire(generation: Generation): void {
    generation.isRetired = true;
    this.#retired.add(generation);
    if (generation.users === 0) void this.#closeLater(generation);
  }

  async #closeLater(generation: Generation): Promise<void> {
    await this.#watch.pause(GRACE_MS);
    // Closing the replica closes it, too.
    if (this.#watch.isClosed || generation.users > 0 || !this.#retired.delete(generation)) return;
    await generation.served.close();
  }

  async #use<T>(make: (backend: RpcBackend) => Promise<T>): Promise<T> {
    const generation = this.#current;
    generation.users++;
    try {
      return await make(generation.served.backend);
    } finally {
      generation.users--;
      if (generation.isRetired && generation.users === 0) void this.#closeLater(generation);
    }
  }
}

/** What every served database has. */
function given<T>(method: T | undefined): T {
  if (method === undefined) throw new InternalError('a served database lacks a method');
  return method;
}
