/** Keeps the tables of a sink with a stored chain: reads blocks by height, and holds nobody up. */
import { EnvironmentError, type ErrorCode, failureOf, InternalError, WarpshrewError } from '../errors/errors.js';
import type { BlockTables } from '../export/block-tables.js';
import { lowestReadable, readBlocks } from '../export/read-blocks.js';
import type { StoreReader } from '../store/reader.js';
import { toDisplayHash } from '../util/bytes.js';
import { PostgresSink, type SinkPlace } from './postgres-sink.js';
import { NEW_SINK, type SinkPhase, type SinkStatus } from './sink-status.js';

/** Shows whether blocks are being undone (the counter of a `RollbackClock`). */
export interface UndoCounter {
  readonly now: number;
  /** The count, once no rollback is under way. */
  quiet(): Promise<number>;
}

export interface SinkFeedOptions {
  readonly store: StoreReader;
  readonly url: string;
  readonly schema: string;
  /** For temporary files. */
  readonly folder: string;
  readonly undoing: UndoCounter;
  /** Resolves when the chain may have changed since the last call, or after so many milliseconds. */
  readonly changed: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onStatus: (status: SinkStatus) => void;
  /** Ends at the tip, and at the first failure, which it throws. */
  readonly once?: boolean;
}

/** No reorg is deeper: beyond, the index was restored, or is another one. */
const DEEPEST = 1_000;
/** Blocks that are compared at a time. */
const LOOKED_AT = 100;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A connection that nothing is asked of is looked after so often. */
const IDLE_MS = 60_000;
/** Before the tables are looked at again that another sink may have moved. */
const AGAIN_MS = 100;
/** A walk over the whole state is followed by a pause of so many times its length: the index needs the disk, too. */
const PAUSE = 4;
/** What does not pass by itself. */
const FINAL: readonly ErrorCode[] = ['SINK_SCHEMA', 'SINK_OTHER_INDEX', 'SINK_OTHER_CHAIN', 'STORE_HISTORY_PRUNED'];

export class SinkFeed {
  readonly #options: SinkFeedOptions;
  #status: SinkStatus = NEW_SINK;
  #blocks: AsyncGenerator<BlockTables, void, void> | undefined;
  /** A block that was read and is not written. */
  #ahead: BlockTables | undefined;
  /** By the clock of `performance`. */
  #mayWalk = 0;
  /** Of the rollbacks, as the step under way found it. */
  #count = 0;

  constructor(options: SinkFeedOptions) {
    this.#options = options;
  }

  /** Goes on until it is told to stop, or fails for good, which the status says. Throws only with `once`. */
  async run(): Promise<void> {
    const { signal, once, changed } = this.#options;
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const isDone = await this.#follow(() => {
          wait = FIRST_WAIT_MS;
        });
        if (isDone && once === true) return;
      } catch (thrown) {
        const error = thrown instanceof WarpshrewError ? thrown : new InternalError(failureOf(thrown).message);
        if (once === true) throw error;
        if (this.#passes(error)) continue;
        const final = FINAL.includes(error.code) || error.kind === 'internal';
        this.#failed(error, final ? 'failed' : 'connecting');
        if (final) return;
        const until = performance.now() + wait;
        while (!signal.aborted && performance.now() < until) await changed(until - performance.now());
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      } finally {
        await this.#forget();
      }
    }
    this.#tell({ phase: 'stopped' });
  }

  /** Whether it comes of blocks that were undone while they were read. */
  #passes({ code, kind }: WarpshrewError): boolean {
    return code === 'STORE_REORG_UNDER_WAY' || (kind === 'store' && this.#options.undoing.now !== this.#count);
  }

  /**
   * With one connection, until something fails or it is told to stop; with `once`, until the tip is there, which true
   * says.
   */
  async #follow(onProgress: () => void): Promise<boolean> {
    const { store, url, schema, signal, once, changed } = this.#options;
    const identity = store.recordedIdentity();
    // An index that has no block is bound to nothing.
    if (identity === undefined) return changed(IDLE_MS).then(() => false);
    const sink = await PostgresSink.open(url, schema, identity);
    try {
      this.#tell({ height: sink.place?.height, trouble: undefined });
      while (!signal.aborted) {
        const moved = await this.#step(sink);
        onProgress();
        if (moved === 'again') return changed(AGAIN_MS).then(() => false);
        if (moved === 'moved') continue;
        if (once === true) return true;
        const began = performance.now();
        await changed(moved);
        // A connection that nothing was asked of may be gone.
        if (performance.now() - began >= IDLE_MS) await sink.blocksFrom(0, 1);
      }
      return false;
    } finally {
      await sink.close();
    }
  }

  /** Undoes blocks or writes some. A number: there is nothing to do, for so many milliseconds if nothing changes. */
  async #step(sink: PostgresSink): Promise<'moved' | 'again' | number> {
    const { store, undoing } = this.#options;
    const count = await undoing.quiet();
    this.#count = count;
    const tip = store.tip();
    if (tip === undefined) return IDLE_MS;
    const { place } = sink;
    if (place !== undefined && !this.#has(place)) {
      await this.#forget();
      return this.#goBack(sink, place, tip.height);
    }
    const next = place === undefined ? lowestReadable(store) : place.height + 1;
    if (next > tip.height) {
      this.#tell({ phase: 'following', trouble: undefined });
      return IDLE_MS;
    }
    if (this.#blocks === undefined) {
      const pause = next <= store.lowestRollback() ? this.#mayWalk - performance.now() : 0;
      if (pause > 0) return pause;
      this.#tell({ phase: 'writing' });
      await this.#begin(next, tip.height);
    }
    this.#ahead ??= await this.#read();
    if (this.#ahead === undefined) {
      await this.#forget();
      return 'moved';
    }
    const written = await sink.write(
      () => this.#next(),
      () => undoing.now === count,
    );
    if (written === undefined || undoing.now !== count) await this.#forget();
    // Another sink may have moved, which this connection cannot tell from a block that went.
    if (written === undefined) return 'again';
    const { blocks, rows } = this.#status;
    this.#tell({
      height: sink.place?.height,
      blocks: blocks + written.blocks,
      rows: rows + written.rows,
      trouble: undefined,
    });
    return 'moved';
  }

  /** Begins to read blocks. What that takes of a walk is over when this resolves: no transaction waits for it. */
  async #begin(from: number, to: number): Promise<void> {
    const { store, folder, signal } = this.#options;
    const walks = from <= store.lowestRollback();
    const began = performance.now();
    this.#blocks = readBlocks(store, from, to, { folder, signal });
    this.#ahead = await this.#read();
    if (walks) this.#mayWalk = performance.now() + PAUSE * (performance.now() - began);
  }

  async #next(): Promise<BlockTables | undefined> {
    const block = this.#ahead ?? (await this.#read());
    this.#ahead = undefined;
    return block;
  }

  async #read(): Promise<BlockTables | undefined> {
    const read = await this.#blocks?.next();
    return read === undefined || read.done === true ? undefined : read.value;
  }

  async #forget(): Promise<void> {
    const blocks = this.#blocks;
    this.#blocks = undefined;
    this.#ahead = undefined;
    await blocks?.return();
  }

  /** Takes back what is not in the chain. `place`: the last block of the sink, which the chain has not. */
  async #goBack(sink: PostgresSink, place: SinkPlace, tip: number): Promise<'moved' | 'again' | number> {
    const fork = await this.#forkBelow(sink, Math.min(place.height, tip));
    if (fork === undefined || place.height - fork.height > DEEPEST) {
      if (fork === undefined || fork.height < tip) throw otherChain(place, tip, fork);
      this.#failed(aheadOf(place, tip), 'ahead');
      return IDLE_MS;
    }
    if (!(await sink.undo(fork))) return 'again';
    this.#tell({ height: fork.height, undone: this.#status.undone + place.height - fork.height });
    return 'moved';
  }

  /** The highest block of the sink, from `height` down, that is in the chain. */
  async #forkBelow(sink: PostgresSink, height: number): Promise<SinkPlace | undefined> {
    for (let from = height; from >= 0; from -= LOOKED_AT) {
      const blocks = await sink.blocksFrom(from, LOOKED_AT);
      const found = blocks.find((block) => this.#has(block));
      if (found !== undefined || blocks.length < LOOKED_AT || height - from > DEEPEST) return found;
    }
    return undefined;
  }

  #has({ height, hash }: SinkPlace): boolean {
    const stored = this.#options.store.blockHash(height);
    return stored !== undefined && toDisplayHash(stored) === hash;
  }

  #failed(error: WarpshrewError, phase: SinkPhase): void {
    const { failures } = this.#status;
    const trouble = failureOf(error);
    this.#tell({ phase, trouble, failures: { ...failures, [error.code]: (failures[error.code] ?? 0) + 1 } });
  }

  #tell(change: Partial<SinkStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#options.onStatus(this.#status);
  }
}

function otherChain(place: SinkPlace, tip: number, fork: SinkPlace | undefined): EnvironmentError {
  return new EnvironmentError('SINK_OTHER_CHAIN', 'the tables of the sink hold another chain', {
    facts: { height: place.height, tip, ...(fork !== undefined && { fork: fork.height }) },
    hint: 'Nothing was changed. Name another schema with --sink-schema, or drop this one if the index is right.',
  });
}

function aheadOf(place: SinkPlace, tip: number): EnvironmentError {
  return new EnvironmentError('SINK_AHEAD', 'the tables of the sink have more blocks than the index', {
    facts: { height: place.height, tip },
    hint: 'Rows are written once the index has these blocks.',
  });
}
