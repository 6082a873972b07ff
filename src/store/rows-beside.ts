/**
 * Writes the rows of the keys of a large block in several threads at once, in many batches, before the block counts:
 * making rows and bringing them into the database takes longer than all else of a commit, and the database takes rows
 * of one thread while another one makes the next.
 *
 * First the block is announced, with its undo record, which names all of its keys: from there on it is a block that is
 * written in pieces (pieces.ts), and taken back in the same way after a crash. The batch that makes it count ends that.
 */
import { availableParallelism } from 'node:os';
import { commitVersions } from './commit-versions.js';
import { type CopiedRoom, type CopiedWrites, NUMBERS } from './copied-writes.js';
import type { Database, DatabaseBatch } from './database.js';
import { META_UNFINISHED } from './keys.js';
import { putUnfinished } from './pieces.js';
import { Portions, type WriteBatch } from './portions.js';
import { endParts, NAMESPACES, PART_NUMBERS, type RowsJob, writeParts } from './row-parts.js';
import type { RoomFor, SortedWrites } from './sorted-writes.js';
import type { Namespace } from './types.js';
import { putUndo, UNDO_PARTS } from './undo-rows.js';
import { type GivenUp, WritingThreads } from './writing-threads.js';

/** Keys of a part at most, if nothing else is said. */
const PART_KEYS = 2_048;
/** A block of fewer parts is written by the caller: telling the threads would take about as long. */
const FEWEST_PARTS = 2;
/** More do not help: the log of the database takes the rows of one thread after the other. */
const MOST_THREADS = 5;
const THREADS = Math.min(MOST_THREADS, availableParallelism() - 1);

export interface RowsBesideOptions {
  /** Keys of a part; if not given, blocks are written in parts where there are threads for it. */
  readonly partKeys: number | undefined;
  readonly pieceBytes: number;
  readonly write: WriteBatch;
  /** Called for each thread that is there no more. */
  readonly onLost: (cause: unknown) => void;
}

type Sorted = Readonly<Record<Namespace, SortedWrites>>;
/** Keys that follow each other: number of the namespace, the first, the one after the last. */
type Part = readonly [ns: number, from: number, end: number];

export class RowsBeside {
  readonly #database: Database;
  readonly #options: RowsBesideOptions;
  readonly #partKeys: number;
  #threads: WritingThreads<RowsJob> | undefined;
  #job: RowsJob | undefined;
  /** Whether rows of a block may be there that does not count. */
  #isBegun = false;
  /** Of what was written of the block. */
  #bytes = 0;
  readonly #rooms: Partial<Record<Namespace, CopiedRoom>> = {};
  /** Memory for the entries of a block: that of the block before, where it is enough. */
  readonly roomFor: Readonly<Record<Namespace, RoomFor>> = {
    S: (entries, bytes) => this.#roomOf('S', entries, bytes),
    P: (entries, bytes) => this.#roomOf('P', entries, bytes),
  };

  constructor(database: Database, options: RowsBesideOptions) {
    this.#database = database;
    this.#options = options;
    const byThreads = database.handle !== undefined && availableParallelism() > 1;
    this.#partKeys = options.partKeys ?? (byThreads ? PART_KEYS : Number.POSITIVE_INFINITY);
  }

  /** Whether a block of so many writes is written so. */
  takes(writes: number): boolean {
    return writes >= FEWEST_PARTS * this.#partKeys;
  }

  /** Whether rows of a block may be there that {@link putEnd} has not ended yet. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Whether they are too many for one batch: what follows from them is, too. */
  get isLarge(): boolean {
    return this.#isBegun && this.#bytes > this.#options.pieceBytes;
  }

  /**
   * Writes the undo record of block `height` and the rows of its keys; returns the bytes that other threads wrote.
   * Throws StoreError STORE_CORRUPT and STORE_WRITE_FAILED, and InternalError if a thread does not answer.
   */
  put(height: number, writes: Sorted): number {
    const { pieceBytes } = this.#options;
    const announced = new Portions(this.#database, pieceBytes, this.#write);
    putUnfinished(announced, height);
    this.#isBegun = true;
    this.#bytes = 0;
    for (const _ of putUndo(announced, height, writes, pieceBytes / UNDO_PARTS));
    this.#write(announced.batch);
    const { job, own } = this.#jobOf(height, writes);
    this.#job = job;
    // The caller writes some of them, too.
    this.#running()?.begin(job.parts.length / PART_NUMBERS - 1, () => job);
    writeParts(this.#database, job, writes, this.#write);
    const bytes = this.#threads?.end() ?? 0;
    this.#job = undefined;
    this.#bytes += bytes;
    this.#putOwn(height, writes, own);
    return bytes;
  }

  readonly #write: WriteBatch = (batch) => {
    this.#bytes += batch.bytes;
    this.#options.write(batch);
  };

  /** Goes into the batch that makes the block count. */
  putEnd(batch: Pick<DatabaseBatch, 'del'>): void {
    if (this.#isBegun) batch.del('meta', META_UNFINISHED);
    this.#isBegun = false;
  }

  /** Waits for what was begun, and forgets it. */
  abandon(): GivenUp {
    const isBegun = this.#isBegun;
    this.#isBegun = false;
    if (this.#job !== undefined) endParts(this.#job);
    this.#job = undefined;
    return { isBegun, failure: this.#threads?.abandon() };
  }

  /** To be called before the database is closed. */
  async close(): Promise<void> {
    await this.#threads?.close();
  }

  /** What all threads may write, and the keys that only this one can. */
  #jobOf(height: number, writes: Sorted): { readonly job: RowsJob; readonly own: readonly Part[] } {
    const shared = { S: writes.S.share(), P: writes.P.share() };
    const counts = { S: shared.S.copied.count, P: shared.P.copied.count };
    const parts: Part[] = [];
    const own: Part[] = [];
    NAMESPACES.forEach((ns, number) => {
      const size = this.#sizeOfParts(counts[ns]);
      for (let from = 0; from < counts[ns]; from += size) {
        const end = Math.min(counts[ns], from + size);
        (isWhole(shared[ns].copied, from, end) ? parts : own).push([number, from, end]);
      }
      if (counts[ns] < writes[ns].count) own.push([number, counts[ns], writes[ns].count]);
    });
    const numbers = new Int32Array(new SharedArrayBuffer(4 * PART_NUMBERS * parts.length));
    numbers.set(parts.flat());
    const next = new Int32Array(new SharedArrayBuffer(4));
    const rooms = { S: shared.S.room, P: shared.P.room };
    return { job: { height, rooms, counts, parts: numbers, next }, own };
  }

  /** Keys of each part: every thread gets as many parts as the others, and all end at about the same time. */
  #sizeOfParts(keys: number): number {
    if (this.#options.partKeys !== undefined) return this.#partKeys;
    const writers = THREADS + 1;
    const parts = writers * Math.ceil(keys / (writers * this.#partKeys));
    return Math.ceil(keys / Math.max(1, parts));
  }

  #putOwn(height: number, writes: Sorted, own: readonly Part[]): void {
    const rows = new Portions(this.#database, this.#options.pieceBytes, this.#write);
    try {
      for (const [number, from, end] of own) {
        const ns = NAMESPACES[number];
        commitVersions(this.#database, rows, ns, writes[ns], height, from, end);
      }
    } catch (error) {
      rows.batch.discard();
      throw error;
    }
    this.#write(rows.batch);
  }

  #running(): WritingThreads<RowsJob> | undefined {
    const { handle } = this.#database;
    if (handle === undefined) return undefined;
    this.#threads ??= new WritingThreads({
      count: THREADS,
      file: 'store/rows-thread.js',
      handle,
      onLost: this.#options.onLost,
    });
    return this.#threads;
  }

  #roomOf(ns: Namespace, entries: number, bytes: number): CopiedRoom {
    const room = this.#rooms[ns];
    if (room !== undefined && room.numbers.length >= NUMBERS * entries && room.bytes.length >= bytes) return room;
    const made = {
      bytes: new Uint8Array(new SharedArrayBuffer(bytes)),
      numbers: new Int32Array(new SharedArrayBuffer(4 * NUMBERS * entries)),
    };
    this.#rooms[ns] = made;
    return made;
  }
}

/** Whether all of the entries lie where others see them. */
function isWhole(copied: CopiedWrites, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (copied.isElsewhere(at)) return false;
  return true;
}
