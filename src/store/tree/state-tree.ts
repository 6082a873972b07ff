import { StoreError } from '../../errors/errors.js';
import { bytesEqual } from '../../util/bytes.js';
import { pathOf } from './tree-hash.js';
import type { LoadRows, TreeMemory, TreeWrites } from './tree-memory.js';
import { encodeHeader, headerKey, placeOf, rowKey, type TreeHeader } from './tree-rows.js';
import type { StateProof } from './verify-proof.js';

/** Where the tree's rows are read from: the `tree` column. */
export interface TreeSource {
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

/** Receives a row of the `tree` column to store; undefined = delete. The value is a view until the call returns. */
export type EmitRow = (key: Uint8Array, value: Uint8Array | undefined) => void;

/** Takes rows to store, in portions that `write` ends. */
export interface TreeWriter {
  readonly emit: EmitRow;
  readonly write: () => void;
}

export interface TreeUpdate {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** For each write, in their order: 1 if its key was there before, 0 if not. */
  readonly existed: Uint8Array;
}

/** How a commit writes rows. */
export interface SweepLimits {
  /** Commits in which a sweep goes round. */
  readonly blocks: number;
  /** Blocks that the stored rows may be behind. */
  readonly behind: number;
  /** Bytes of memory beyond which what is written is dropped. */
  readonly bytes: number;
}

/** Prefixes that are read or dropped at a time. */
const PORTION_BITS = 8;
const PORTION = 2 ** PORTION_BITS;

/**
 * The state tree of one namespace: in memory, and in rows that are written behind it. After an error its state is
 * undefined: it must be loaded again.
 */
export class StateTree {
  readonly #memory: TreeMemory;
  readonly #source: TreeSource;
  /** Byte that begins the namespace's rows. */
  readonly #namespace: number;
  #header: TreeHeader | undefined;

  /** `header`: of the rows that are stored; undefined while there are none. */
  constructor(memory: TreeMemory, source: TreeSource, namespace: number, header: TreeHeader | undefined) {
    this.#memory = memory;
    this.#source = source;
    this.#namespace = namespace;
    this.#header = header;
  }

  /** Root of the tree, 32 bytes. */
  root(): Uint8Array {
    return this.#memory.root();
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  get leaves(): number {
    return this.#memory.leaves;
  }

  /** Rows that all of it takes. */
  get rows(): number {
    return this.#memory.rowCount;
  }

  /** Rows whose entries are on the disk only. */
  get droppedRows(): number {
    return this.#memory.droppedRows;
  }

  /** What is stored of the tree; undefined while there is nothing. */
  get header(): TreeHeader | undefined {
    return this.#header;
  }

  /**
   * Applies a batch in memory: value bytes (an empty value is a leaf like any other), or undefined to remove the key.
   * Keys are binary strings, each once. Throws StoreError STORE_CORRUPT if a row that it needs cannot be read.
   */
  update(writes: TreeWrites): TreeUpdate {
    const existed = this.add(writes);
    return { root: this.hash(), existed };
  }

  /** As {@link update}, but the root is that before until {@link hash}; returns what existed. */
  add(writes: TreeWrites): Uint8Array {
    return this.#memory.apply(writes, this.#load);
  }

  /** Brings the hashes up to date after {@link add}; returns the root. */
  hash(): Uint8Array {
    return this.#memory.hash();
  }

  /** Parts of it that {@link hash} has to hash. */
  get unhashed(): number {
    return this.#memory.unhashed;
  }

  /**
   * Its memory, for other threads that hash it, `threads` at most: until {@link takeBack} nothing else may be called
   * but {@link hashHere}.
   */
  handOver(threads: number): WebAssembly.Memory {
    return this.#memory.handOver(threads);
  }

  /** Hashes what no other thread takes. */
  hashHere(): void {
    this.#memory.hashHere();
  }

  /** When no other thread is at it any more. The hashes are up to date then. */
  takeBack(): void {
    this.#memory.takeBack();
  }

  /**
   * Proof under {@link root} that `key` has its value, or that it is absent. Throws StoreError STORE_CORRUPT as
   * {@link update}.
   */
  prove(key: Uint8Array): StateProof {
    return this.#memory.prove(pathOf(key), this.#load);
  }

  readonly #load: LoadRows = (rows, unhashed) => {
    const header = this.#header;
    const { rowBits } = this.#memory;
    if (header === undefined) throw unreadable({});
    const places = [];
    for (const row of rows) {
      const place = placeOf(header, rowBits, row);
      const last = places.at(-1);
      if (last?.bits !== place.bits || last.prefix !== place.prefix) places.push(place);
    }
    for (let from = 0; from < places.length; from += PORTION) {
      const portion = places.slice(from, from + PORTION);
      const values = this.#source.getMany(portion.map(({ bits, prefix }) => rowKey(this.#namespace, bits, prefix)));
      portion.forEach(({ bits, prefix }, i) => {
        if (this.#memory.load(bits, prefix, values[i], unhashed) === undefined) throw unreadable({ bits, prefix });
      });
    }
  };

  /** The stored rows of this tree that `other` has otherwise, by bits and prefix; all must be in memory. */
  *rowsUnlike(other: StateTree): Generator<{ readonly bits: number; readonly prefix: number }, void, void> {
    const bits = Math.min(this.#memory.rowBits, other.#memory.rowBits);
    for (let prefix = 0; prefix < 2 ** bits; prefix++) {
      const [own, others] = [this.#memory.row(bits, prefix), other.#memory.row(bits, prefix)];
      if (own === others || (own !== undefined && bytesEqual(own, others))) continue;
      yield { bits, prefix };
    }
  }

  /**
   * Gives `emit` what the block of `height`, just applied, has to store of the tree. With `write` that is called after
   * each portion: the block must be stored then, and every portion leaves the stored rows valid.
   */
  store(height: number, limits: SweepLimits, emit: EmitRow, write?: () => void): void {
    const first = this.#header ?? this.#firstHeader(height);
    if (first === undefined) return;
    if (write !== undefined && this.#outgrew(first)) {
      this.#storeAnew(first, height, { emit, write });
      return;
    }
    let header = first;
    const step = (prefixes: number): void => {
      header = this.#sweep(header, height, prefixes, emit);
      this.#header = header;
      if (write === undefined) return;
      emit(headerKey(this.#namespace), encodeHeader(header));
      write();
    };
    const steps = (prefixes: number): void => {
      const portion = write === undefined ? prefixes : PORTION;
      for (let left = prefixes; left > 0; left -= portion) step(Math.min(left, portion));
    };
    steps(Math.ceil(2 ** header.oldBits / limits.blocks));
    while (height + 1 - header.cleanNext > limits.behind) steps(2 ** header.oldBits - header.cursor);
    const full = 2 ** header.oldBits;
    for (let passed = 0; passed < full && this.bytes > limits.bytes; passed += PORTION) {
      const before = header;
      step(PORTION);
      this.#dropPassed(before, header);
    }
    if (write === undefined) emit(headerKey(this.#namespace), encodeHeader(header));
  }

  /** Whether one stored row stands for more rows in memory than a portion has, all of them there. */
  #outgrew({ oldBits }: TreeHeader): boolean {
    return this.#memory.rowBits - oldBits > PORTION_BITS && this.droppedRows === 0;
  }

  /**
   * Writes all rows, with as many bits as in memory, instead of the few that are stored. The header goes before and
   * comes back after: what a crash leaves between is made from the state.
   */
  #storeAnew({ oldBits, newBits, cursor }: TreeHeader, height: number, { emit, write }: TreeWriter): void {
    emit(headerKey(this.#namespace), undefined);
    const finer = 2 ** (newBits - oldBits);
    for (let prefix = 0; prefix < cursor * finer; prefix++) emit(rowKey(this.#namespace, newBits, prefix), undefined);
    for (let prefix = cursor; prefix < 2 ** oldBits; prefix++)
      emit(rowKey(this.#namespace, oldBits, prefix), undefined);
    write();
    const { rowBits } = this.#memory;
    this.#memory.unwriteAll();
    let header: TreeHeader = { oldBits: rowBits, newBits: rowBits, cursor: 0, cleanNext: height, sweepNext: height };
    do {
      header = this.#sweep(header, height, PORTION, emit, false);
      if (header.cursor !== 0) write();
    } while (header.cursor !== 0);
    this.#header = header;
    this.storeHeader(emit);
    write();
  }

  /** Gives `emit` a first header, after which the block of `height`, just applied, is all that is not stored. */
  begin(height: number, emit: EmitRow): void {
    if (this.#header !== undefined) return;
    this.#header = this.#firstHeader(height);
    this.storeHeader(emit);
  }

  /** Undefined for an empty tree, which has none. */
  #firstHeader(height: number): TreeHeader | undefined {
    if (this.leaves === 0) return undefined;
    return { oldBits: 0, newBits: 0, cursor: 0, cleanNext: height, sweepNext: height };
  }

  /** Drops what a sweep has passed. */
  #dropPassed(before: TreeHeader, after: TreeHeader): void {
    const end = after.cursor === 0 ? 2 ** before.oldBits : after.cursor;
    this.#memory.drop(this.#rowOf(before.oldBits, before.cursor), this.#rowOf(before.oldBits, end));
  }

  /** Number of the first row in memory that has paths of the stored prefix. */
  #rowOf(bits: number, prefix: number): number {
    return prefix * 2 ** (this.#memory.rowBits - bits);
  }

  /** Writes what has changed at the next `prefixes` prefixes; returns the header after that. */
  #sweep(before: TreeHeader, height: number, prefixes: number, emit: EmitRow, mayGrow = true): TreeHeader {
    const begins = before.cursor === 0;
    const newBits = begins && mayGrow ? Math.max(before.oldBits, this.#memory.rowBits) : before.newBits;
    const header = { ...before, newBits, sweepNext: begins ? height + 1 : before.sweepNext };
    const end = Math.min(header.cursor + prefixes, 2 ** header.oldBits);
    if (header.newBits === header.oldBits) this.#writeChanged(header.oldBits, header.cursor, end, emit);
    else this.#writeFiner(header, end, emit);
    if (end < 2 ** header.oldBits) return { ...header, cursor: end };
    return { ...header, oldBits: newBits, cursor: 0, cleanNext: header.sweepNext };
  }

  /** Writes the rows of prefixes `from` to `end` that have changed. */
  #writeChanged(bits: number, from: number, end: number, emit: EmitRow): void {
    const last = this.#rowOf(bits, end);
    for (let row = this.#rowOf(bits, from); ; ) {
      row = this.#memory.findUnwritten(row, last);
      if (row === last) return;
      const prefix = Math.floor(row / 2 ** (this.#memory.rowBits - bits));
      this.#writeRow(bits, prefix, emit);
      row = this.#rowOf(bits, prefix + 1);
    }
  }

  /** Writes all rows of the old prefixes from the cursor to `end` with more bits, instead of those that are there. */
  #writeFiner({ oldBits, newBits, cursor }: TreeHeader, end: number, emit: EmitRow): void {
    for (let prefix = cursor; prefix < end; prefix++) {
      emit(rowKey(this.#namespace, oldBits, prefix), undefined);
      const [from, to] = [this.#rowOf(oldBits, prefix), this.#rowOf(oldBits, prefix + 1)];
      this.#loadDropped(from, to);
      const step = this.#rowOf(newBits, 1);
      for (let row = from; row < to; row += step) {
        const value = this.#memory.row(newBits, row / step);
        if (value !== undefined) emit(rowKey(this.#namespace, newBits, row / step), value);
      }
      this.#memory.setWritten(from, to);
    }
  }

  #writeRow(bits: number, prefix: number, emit: EmitRow): void {
    const [from, to] = [this.#rowOf(bits, prefix), this.#rowOf(bits, prefix + 1)];
    this.#loadDropped(from, to);
    emit(rowKey(this.#namespace, bits, prefix), this.#memory.row(bits, prefix));
    this.#memory.setWritten(from, to);
  }

  #loadDropped(from: number, to: number): void {
    const rows: number[] = [];
    for (let row = this.#memory.findDropped(from, to); row < to; row = this.#memory.findDropped(row + 1, to)) {
      rows.push(row);
    }
    if (rows.length > 0) this.#load(rows, false);
  }

  /** As {@link store}, after the undoing of the block of `height`: every row that it touched is written at once. */
  storeUndone(height: number, emit: EmitRow): void {
    const before = this.#header;
    if (before === undefined) return;
    let done = { bits: -1, prefix: -1 };
    for (const row of this.#memory.touchedRows()) {
      const place = placeOf(before, this.#memory.rowBits, row);
      if (place.bits === done.bits && place.prefix === done.prefix) continue;
      this.#writeRow(place.bits, place.prefix, emit);
      done = place;
    }
    const least = (next: number): number => Math.min(next, height);
    this.#header = { ...before, cleanNext: least(before.cleanNext), sweepNext: least(before.sweepNext) };
    emit(headerKey(this.#namespace), encodeHeader(this.#header));
  }

  /**
   * As {@link storeUndone}, in portions that `write` ends: what they leave is not valid, so the header goes before. It
   * comes back with {@link storeHeader}.
   */
  storeUndoneInPortions(height: number, { emit, write }: TreeWriter): void {
    if (this.#header === undefined) return;
    emit(headerKey(this.#namespace), undefined);
    write();
    const toTheEnd = (): void => {
      do {
        if (this.#header !== undefined) this.#header = this.#sweep(this.#header, height, PORTION, emit, false);
        write();
      } while (this.#header?.cursor !== 0);
    };
    // What a sweep under way has passed may have changed since.
    if (this.#header.cursor !== 0) toTheEnd();
    toTheEnd();
    this.#header = { ...this.#header, cleanNext: height, sweepNext: height };
  }

  storeHeader(emit: EmitRow): void {
    if (this.#header !== undefined) emit(headerKey(this.#namespace), encodeHeader(this.#header));
  }

  /**
   * Writes what is left, up to the state after `height`. Every portion leaves the stored rows valid, if they were.
   */
  flush(height: number, { emit, write }: TreeWriter): void {
    this.#begin();
    while (this.#header !== undefined && this.#isBehind(this.#header, height)) {
      this.#header = this.#sweep(this.#header, height, PORTION, emit, false);
      emit(headerKey(this.#namespace), encodeHeader(this.#header));
      write();
    }
  }

  /** Writes all rows, without a header, and drops them: for a tree that does not fit into memory while it is made. */
  spill(height: number, { emit, write }: TreeWriter): void {
    this.#memory.hash();
    this.#begin();
    while (this.#header !== undefined) {
      const before = this.#header;
      this.#header = this.#sweep(before, height, PORTION, emit);
      write();
      this.#dropPassed(before, this.#header);
      if (this.#header.cursor !== 0) continue;
      // These rows are not of the state after any block.
      this.#header = { ...this.#header, cleanNext: 0, sweepNext: 0 };
      return;
    }
  }

  /** The header of a tree of which nothing is stored: all rows are to be written. */
  #begin(): void {
    if (this.#header !== undefined || this.leaves === 0) return;
    const { rowBits } = this.#memory;
    this.#header = { oldBits: rowBits, newBits: rowBits, cursor: 0, cleanNext: 0, sweepNext: 0 };
  }

  #isBehind({ cursor, cleanNext }: TreeHeader, height: number): boolean {
    return cursor !== 0 || cleanNext <= height;
  }
}

function unreadable(facts: Readonly<Record<string, number>>): StoreError {
  return new StoreError('STORE_CORRUPT', 'a row of the state tree cannot be read', {
    facts,
    hint: 'Open the store again: the tree is then made from the state.',
  });
}
