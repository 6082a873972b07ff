import type { MessagePort } from 'node:worker_threads';
import { failureOf, InternalError, StoreError, StreamError } from '../errors/errors.js';
import { NO_GPU } from '../execute/health/engine-health.js';
import { WorkWatch } from '../execute/tasks/work-watch.js';
import { emptyStatistics } from '../lane/statistics.js';
import { hashOf } from '../standard/module.js';
import { inspectFolder } from '../store/folder.js';
import { LANE_RULES, STORE_SCHEMA } from '../store/identity.js';
import { proveKey } from '../store/proof/prove-key.js';
import { Store } from '../store/store.js';
import type { StoreIdentity, StoreOptions } from '../store/types.js';
import { type Chunk, decodeChunk, NO_HEIGHT } from '../stream/chunk.js';
import { EventParts, type StreamEvent } from '../stream/event-parts.js';
import { findStart } from '../stream/find-start.js';
import { checkSameIndex } from '../stream/identity.js';
import { JetStreamLog } from '../stream/nats/jetstream-log.js';
import { Replica } from '../stream/replica.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import { lowerThread } from '../util/niceness.js';
import { serveBlocks } from './block-desk.js';
import type { EngineSetup } from './engine.js';
import type { EngineEvent, Failure, Phase } from './events.js';
import { type FollowedStream, identityInStream, passes, waitToRetry } from './followed-stream.js';
import { serveProofs } from './proof-desk.js';
import { RollbackClock } from './rollback-clock.js';
import { openSnapshots, type Snapshots } from './snapshots.js';

const MIB = 2 ** 20;
/** While it has much to read, it asks so often where the stream ends by now. */
const LOOK_MS = 10_000;

type Tell = (event: EngineEvent) => void;

/** Everything of the thread of a replica: the store, and what follows the stream. Tells what happens as the engine. */
export class ReplicaEngine {
  readonly #store: Store;
  readonly #stream: FollowedStream;
  readonly #replica: Replica;
  readonly #watch: WorkWatch;
  readonly #ports: readonly MessagePort[];
  readonly #snapshots: Snapshots | undefined;
  readonly #tell: Tell;
  readonly #stopping = new AbortController();
  #phase: Phase = 'starting';
  #streamHeight: number | undefined;
  #lookedAt = 0;
  #failures = 0;

  private constructor(
    store: Store,
    setup: EngineSetup,
    stream: FollowedStream,
    snapshots: Snapshots | undefined,
    tell: Tell,
  ) {
    const clock = new RollbackClock(setup.rollbacks);
    this.#store = store;
    this.#stream = stream;
    this.#replica = new Replica(store, { duringRollback: (undo) => clock.during(undo) });
    this.#watch = new WorkWatch(setup.watch);
    this.#ports = [setup.proofs, setup.blocks];
    this.#snapshots = snapshots;
    this.#tell = tell;
  }

  /**
   * Opens the store and sends `opened`. A new one is opened when the stream says what its index was made with: until
   * then it waits, or until `stopped` aborts, which throws InternalError. Throws the error of what cannot be opened.
   */
  static async open(
    setup: EngineSetup,
    stream: FollowedStream,
    tell: Tell,
    stopped: AbortSignal,
  ): Promise<ReplicaEngine> {
    const { settings, moduleBytes } = setup;
    if (settings.index === 'addresses') throw noAddresses();
    const niceness = lowerThread(settings.indexNiceness);
    const made = await madeWith(settings.db, stream, hashOf(moduleBytes), tell, stopped);
    const store = await Store.open(settings.db, {
      ...made,
      moduleHash: hashOf(moduleBytes),
      keepUndo: settings.keepUndo,
      history: settings.history,
      cacheBytes: settings.dbCache * MIB,
      treeBytes: settings.treeMemory * MIB,
      onThreadLost: (cause) => tell({ kind: 'store-thread-lost', reason: String(cause) }),
      onTreeRemade: (namespace) => tell({ kind: 'tree-remade', namespace }),
      label: settings.label,
    });
    try {
      const { handle: storeHandle } = store;
      if (storeHandle === undefined) throw new InternalError('the database cannot be shared between threads');
      serveProofs(setup.proofs, (...of) => proveKey(store, ...of));
      serveBlocks(setup.blocks, async () => undefined);
      const snapshots = await openSnapshots(settings, storeHandle, (report) => tell({ kind: 'snapshot', report }));
      const engine = new ReplicaEngine(store, setup, stream, snapshots, tell);
      const { shown: source } = stream.address;
      const { network } = store.identity();
      tell({ kind: 'opened', storeHandle, source, network, adapter: undefined, noGpu: undefined, niceness });
      return engine;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Follows the stream until {@link stop} or a failure that does not pass; sends `ended`. */
  async run(): Promise<void> {
    let failure: Failure | undefined;
    this.#enter('syncing');
    while (!this.#stopping.signal.aborted && failure === undefined) {
      try {
        await this.#follow();
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        if (passes(error)) await this.#retry(error);
        else failure = failureOf(error);
      }
    }
    if (failure === undefined) this.#enter('stopped');
    this.#tell({ kind: 'ended', failure });
  }

  /** Finishes the block under way. Does not wait. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Closes everything, the store last. No other thread may be attached to it any more. */
  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#snapshots?.close();
    await this.#store.close();
  }

  async #retry(error: unknown): Promise<void> {
    this.#enter('waiting-for-node');
    this.#tell({ kind: 'retry', note: 'the stream cannot be read', failure: failureOf(error), leftMs: undefined });
    await waitToRetry(this.#failures++, this.#stopping.signal);
  }

  /** Over one connection. Throws StreamError STREAM_*, StoreError. */
  async #follow(): Promise<void> {
    const log = await JetStreamLog.reader(this.#stream.address);
    try {
      const { bytes } = await log.end();
      const start = await findStart(this.#store, log);
      const end = bytes === undefined ? undefined : decodeChunk(bytes);
      if (end !== undefined) this.#sees(end, 0);
      // Nothing may come for long.
      if (end === undefined || (end.last && bytesEqual(end.hash, this.#store.tip()?.hash))) this.#enter('at-tip');
      const parts = new EventParts();
      for await (const message of log.read(start, this.#stopping.signal)) {
        this.#failures = 0;
        const { pending } = message;
        const chunk = decodeChunk(message.bytes);
        this.#sees(chunk, pending);
        if (pending > 0 && performance.now() - this.#lookedAt > LOOK_MS) await this.#look(log);
        const event = parts.add(chunk);
        if (event !== undefined) await this.#apply(event, pending);
        if (this.#stopping.signal.aborted) return;
      }
    } finally {
      await log.close();
    }
  }

  async #look(log: JetStreamLog): Promise<void> {
    this.#lookedAt = performance.now();
    const { bytes } = await log.end();
    if (bytes !== undefined) this.#sees(decodeChunk(bytes), 0);
  }

  /** A message of the stream says how high the index was; `pending`: so many come behind it. */
  #sees({ tip }: Chunk, pending: number): void {
    const known = this.#streamHeight;
    if (tip === NO_HEIGHT || tip === known || (pending > 0 && known !== undefined && known > tip)) return;
    this.#streamHeight = tip;
    this.#tell({ kind: 'source-tip', height: tip, statistics: {} });
  }

  async #apply(event: StreamEvent, pending: number): Promise<void> {
    const { height } = event;
    const begun = performance.now();
    this.#watch.beginBlock(height === NO_HEIGHT ? 0 : height);
    const { undone, stored } = await this.#replica
      .apply(event, { moreFollow: pending > 0 })
      .finally(() => this.#watch.endBlock());
    if (undone !== undefined) this.#tell({ kind: 'rollback', ...undone });
    if (stored !== undefined) {
      this.#snapshots?.after(height, Math.max(0, (this.#streamHeight ?? height) - height));
      const receipts = this.#store.blockRecord(height)?.receiptCount ?? 0;
      const nothingRan = emptyStatistics();
      this.#tell({
        kind: 'block',
        height,
        hash: toDisplayHash(event.hash),
        bytes: event.body.length,
        roots: stored,
        statistics: { ...nothingRan, lane: { ...nothingRan.lane, txs: receipts } },
        ms: { commit: performance.now() - begun },
        gpu: NO_GPU,
        source: {},
      });
    }
    this.#enter(pending > 0 ? 'syncing' : 'at-tip');
  }

  #enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#tell({ kind: 'phase', phase });
  }
}

/** What the store is, or will be, made with. */
async function madeWith(
  db: string,
  { address, network }: FollowedStream,
  moduleHash: string,
  tell: Tell,
  stopped: AbortSignal,
): Promise<Pick<StoreOptions, 'network' | 'laneStartHeight' | 'dependent'>> {
  if (inspectFolder(db) === 'present') {
    const recorded = await recordedIn(db);
    if (recorded?.addresses === true) throw noAddresses();
    if (recorded !== undefined) return { ...recorded, network: network ?? recorded.network };
  }
  const identity = await identityInStream(address, stopped, (error) =>
    tell({ kind: 'retry', note: 'the stream cannot be read', failure: failureOf(error), leftMs: undefined }),
  );
  if (identity === undefined) throw new InternalError('the service is closing');
  const own = { schema: STORE_SCHEMA, rules: LANE_RULES, moduleHash };
  checkSameIndex(identity, { ...identity, ...own, network: network ?? identity.network });
  return identity;
}

/** The error of a replica that should keep what no stream tells. */
function noAddresses(): StreamError {
  return new StreamError('STREAM_OTHER_INDEX', 'a replica cannot keep outputs and transactions by address', {
    hint: 'A stream does not have them. Leave --index out, and begin with a snapshot of an index without it.',
  });
}

/** Undefined where there never was a block. Throws StoreError. */
async function recordedIn(db: string): Promise<StoreIdentity | undefined> {
  try {
    return await Store.inspect(db);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_EMPTY') return undefined;
    throw error;
  }
}
