/**
 * One state tree in the memory of a WASM instance (wasm/native/state-tree.ts), which hashes four leaves or nodes at a
 * time and makes no object per key. All calls are synchronous. The memory is shared, so that another thread can hash
 * the tree (tree-hasher.ts).
 */
import { InternalError } from '../../errors/errors.js';
import { binarySlice, fromBinaryString, writeBinaryString } from '../../util/bytes.js';
import { CHANGE_BYTES, type PackedEntry, PackedWrites } from '../../util/packed-writes.js';
import { copyWords, LastView } from '../../util/words.js';
import { HASH_BYTES, PATH_BYTES, pathOf, valueHashOf } from './tree-hash.js';
import { type TreeExports, treeInstance } from './tree-instance.js';
import type { StateProof } from './verify-proof.js';

/** By key as a binary string; undefined removes the key. */
export type TreeWrites = ReadonlyMap<string, Uint8Array | undefined>;

/** A write by path and hash of the value instead of key and value. */
export type PathWrite = readonly [path: Uint8Array, valueHash: Uint8Array | undefined];

/** Gives the tree rows that it has dropped, by their numbers in order, by {@link TreeMemory.load}. */
export type LoadRows = (rows: readonly number[], unhashed: boolean) => void;

/** Bits of a bucket's number that a row spans: wasm/native/tree-buckets.ts. */
export const ROW_BITS = 3;
const LEAST_BITS = ROW_BITS;
/** Most bits of a bucket's number, of which there are three tables in memory. */
export const MOST_BITS = 24;
const UNWRITTEN = 1;
const DROPPED = 2;

/** Longer keys and values are hashed in JavaScript. */
const MAX_HASHED_THERE = 1 << 12;
/** Writes that are handed over at a time: bytes beyond which no more are added, and room for the last one. */
const PORTION_BYTES = 1 << 14;
/** Changes that are applied at a time: they bound the memory that a batch takes beside the tree. */
const PIECE_CHANGES = 1 << 18;

// The input: see takeWrites in wasm/native/tree-changes.ts.
const GIVEN = 0xffffffff;
const REMOVED = 0xfffffffe;
const HEAD = 8;
const INPUT_BYTES = PORTION_BYTES + HEAD + 2 * MAX_HASHED_THERE;

/** Rows are numbered by the first `bits - 3` bits of the paths in them. */
export class TreeMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #wasm: TreeExports;
  #bytes = new Uint8Array(0);
  #words = new DataView(new ArrayBuffer(0));
  readonly #mostBits: number;
  /** Changes taken and not yet applied. */
  #pending = 0;

  /**
   * An empty tree of 2^`bits` buckets, or with `dropped` one whose rows are all to be loaded. It has at most
   * 2^`mostBits` buckets, however many leaves there are.
   */
  constructor({ bits = LEAST_BITS, dropped = false, mostBits = MOST_BITS } = {}) {
    this.#mostBits = Math.max(mostBits, bits);
    const { memory, wasm } = treeInstance();
    this.#memory = memory;
    this.#wasm = wasm;
    this.#wasm.create(Math.max(bits, LEAST_BITS), dropped ? 1 : 0);
  }

  /** Bits of a row's number. */
  get rowBits(): number {
    return this.#wasm.bits.value - ROW_BITS;
  }

  get leaves(): number {
    return Number(this.#wasm.leaves.value);
  }

  get droppedRows(): number {
    return this.#wasm.droppedRows.value;
  }

  /**
   * Bytes that hold the tree. WebAssembly memory itself is larger by what is free between them and by the buffers of a
   * batch (at most some 60 MiB), and never shrinks.
   */
  get bytes(): number {
    return this.#wasm.treeBytes() >>> 0;
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A copy of the root; all changes must be hashed. */
  root(): Uint8Array {
    const at = this.#wasm.rootAt();
    return this.#view().slice(at, at + HASH_BYTES);
  }

  /** Applies writes, without hashing; tells for each, in their order, whether its key was there: 1, or 0. */
  apply(writes: TreeWrites, load: LoadRows): Uint8Array {
    this.#makeRoomFor(writes.size);
    const existed = new Uint8Array(writes.size);
    let done = 0;
    const flush = (): void => {
      const count = this.#applyPending(load);
      const at = this.#wasm.existedAt();
      existed.set(this.#view().subarray(at, at + count), done);
      done += count;
    };
    const taken = (): void => {
      if (this.#pending >= PIECE_CHANGES) flush();
    };
    const prepared = writes instanceof PackedWrites ? writes.prepared() : undefined;
    if (prepared === undefined) this.#takeAll(writes, taken);
    else this.#takePrepared(prepared.changes, taken);
    if (this.#pending > 0) flush();
    return existed;
  }

  /** What a tree takes of each write, into `changes`: {@link CHANGE_BYTES} bytes for each. For an empty tree alone. */
  changesOf(writes: PackedWrites, changes: Uint8Array): void {
    let done = 0;
    this.#takeAll(writes, () => {
      const at = this.#wasm.changesAt() >>> 0;
      const bytes = this.#pending * CHANGE_BYTES;
      changes.set(this.#view().subarray(at, at + bytes), done);
      done += bytes;
      this.#wasm.clearChanges();
      this.#pending = 0;
    });
  }

  /** Takes writes in portions; `taken` is called after each. */
  #takeAll(writes: TreeWrites, taken: () => void): void {
    let from = this.#wasm.input(INPUT_BYTES) >>> 0;
    let at = from;
    let count = 0;
    const next = (end: number): void => {
      at = end;
      count++;
      if (at < from + PORTION_BYTES) return;
      this.#take(count);
      taken();
      count = 0;
      from = this.#wasm.input(INPUT_BYTES) >>> 0;
      at = from;
    };
    if (writes instanceof PackedWrites) {
      const views = new LastView();
      for (const address of writes.addresses()) next(this.#putEntry(at, writes.read(address), views));
    } else {
      for (const [key, value] of writes) next(this.#putWrite(at, key, value));
    }
    this.#take(count);
    taken();
  }

  /** Takes what {@link changesOf} made. */
  #takePrepared(changes: Uint8Array, taken: () => void): void {
    const step = PIECE_CHANGES * CHANGE_BYTES;
    for (let from = 0; from < changes.length; from += step) {
      const part = changes.subarray(from, from + step);
      const count = part.length / CHANGE_BYTES;
      const at = this.#wasm.roomForChanges(count) >>> 0;
      this.#view().set(part, at);
      this.#wasm.addChanges(count);
      this.#pending += count;
      taken();
    }
  }

  /** As {@link apply}, by paths: for trees that no keys can be found for. */
  applyPaths(writes: readonly PathWrite[], load: LoadRows): void {
    const at = this.#wasm.input(writes.length * (HEAD + PATH_BYTES + HASH_BYTES)) >>> 0;
    const bytes = this.#view();
    let end = at;
    for (const [path, valueHash] of writes) {
      end = this.#putHead(end, GIVEN, valueHash === undefined ? REMOVED : GIVEN);
      bytes.set(path, end);
      end += PATH_BYTES;
      if (valueHash === undefined) continue;
      bytes.set(valueHash, end);
      end += HASH_BYTES;
    }
    this.#take(writes.length);
    this.#applyPending(load);
  }

  #applyPending(load: LoadRows): number {
    const wasm = this.#wasm;
    wasm.sortChanges();
    const wanted = wasm.droppedRows.value === 0 ? 0 : wasm.wantedRows();
    if (wanted > 0) load(this.#rowList(wanted), false);
    wasm.apply();
    while (wasm.isCrowded() !== 0 && wasm.bits.value < this.#mostBits) this.#grow(load);
    const count = this.#pending;
    this.#pending = 0;
    return count;
  }

  /**
   * More writes than there are leaves: most are new. Buckets that have room for them from the beginning leave less
   * memory unused between blocks that became too small, by half, than those that are doubled again and again.
   */
  #makeRoomFor(writes: number): void {
    const wasm = this.#wasm;
    if (writes <= this.leaves || wasm.droppedRows.value > 0) return;
    while (wasm.isCrowdedBy(BigInt(writes)) !== 0 && wasm.bits.value < this.#mostBits) wasm.grow();
  }

  #grow(load: LoadRows): void {
    this.#wasm.grow();
    if (this.#wasm.droppedRows.value === 0) return;
    // The hashes of the new buckets are not known: all have to be seen once.
    for (let row = this.findDropped(0); row < this.rowCount; row = this.findDropped(row)) {
      const rows: number[] = [];
      for (; row < this.rowCount && rows.length < 1_024; row = this.findDropped(row + 1)) rows.push(row);
      load(rows, true);
      this.hash();
      this.#wasm.dropRows(rows[0], rows[rows.length - 1] + 1);
    }
  }

  /** Puts a write into the input at `at`; returns where the next one goes. No object is made for it. */
  #putWrite(at: number, key: string, value: Uint8Array | undefined): number {
    const bytes = this.#view();
    const longKey = key.length > MAX_HASHED_THERE;
    const longValue = value !== undefined && value.length > MAX_HASHED_THERE;
    const valueLength = value === undefined ? REMOVED : longValue ? GIVEN : value.length;
    let end = this.#putHead(at, longKey ? GIVEN : key.length, valueLength);
    if (longKey) bytes.set(pathOf(fromBinaryString(key)), end);
    else writeBinaryString(bytes, end, key);
    end += longKey ? PATH_BYTES : key.length;
    if (value === undefined) return end;
    bytes.set(longValue ? valueHashOf(value) : value, end);
    return end + (longValue ? HASH_BYTES : value.length);
  }

  /** As {@link #putWrite}, without a string. */
  #putEntry(at: number, entry: PackedEntry, views: LastView): number {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = entry;
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    if (valueEnd < 0 || keyLength > MAX_HASHED_THERE || valueLength > MAX_HASHED_THERE) {
      const value = valueEnd < 0 ? undefined : bytes.subarray(valueStart, valueEnd);
      return this.#putWrite(at, binarySlice(bytes, keyStart, keyEnd), value);
    }
    this.#view();
    const key = this.#putHead(at, keyLength, valueLength);
    const from = views.of(bytes);
    copyWords(from, keyStart, keyEnd, this.#words, key);
    copyWords(from, valueStart, valueEnd, this.#words, key + keyLength);
    return key + keyLength + valueLength;
  }

  /** Hands the writes in the input over. */
  #take(count: number): void {
    this.#wasm.takeWrites(count);
    this.#pending += count;
  }

  #putHead(at: number, keyLength: number, valueLength: number): number {
    this.#words.setUint32(at, keyLength, true);
    this.#words.setUint32(at + 4, valueLength, true);
    return at + HEAD;
  }

  /** Brings the hashes up to date and returns the root. */
  hash(): Uint8Array {
    this.#wasm.hashAll();
    return this.root();
  }

  /** Buckets whose hash is not known. */
  get unhashed(): number {
    return this.#wasm.dirtyCount.value;
  }

  /**
   * For `hashHandedOver` in at most `threads` threads: until {@link takeBack} nothing else may be called but
   * {@link hashHere}.
   */
  handOver(threads: number): WebAssembly.Memory {
    this.#wasm.beginHash(threads);
    return this.#memory;
  }

  /** As `hashHandedOver`, in this thread. */
  hashHere(): void {
    this.#wasm.hashParts();
  }

  /** Hashes what is left, when nobody else is at it any more. */
  takeBack(): void {
    this.#wasm.endHash();
  }

  /** The rows that had changes at the last {@link hash}, in order. */
  touchedRows(): readonly number[] {
    return this.#rowList(this.#wasm.touchedRows.value);
  }

  #rowList(count: number): number[] {
    return [...new Uint32Array(this.#memory.buffer, this.#wasm.rowsAt() >>> 0, count)];
  }

  get rowCount(): number {
    return 2 ** this.rowBits;
  }

  /**
   * Takes a row as it is stored, of the paths that begin with the `bits` bits `prefix`: what is dropped of it is
   * loaded. Returns the number of entries taken, or undefined if the row is not valid. `unhashed`: its hashes are
   * not known.
   */
  load(bits: number, prefix: number, row: Uint8Array | undefined, unhashed: boolean): number | undefined {
    const length = row?.length ?? 0;
    const at = this.#wasm.input(length) >>> 0;
    if (row !== undefined) this.#view().set(row, at);
    const taken = this.#wasm.loadRow(bits, prefix, at, length, unhashed ? 1 : 0);
    return taken < 0 ? undefined : taken;
  }

  /** Counts leaves that were loaded for the first time. */
  addLeaves(count: number): void {
    this.#wasm.addLeaves(count);
  }

  /** The stored row of the paths that begin with the `bits` bits `prefix`: a view, until the next call. */
  row(bits: number, prefix: number): Uint8Array | undefined {
    const length = this.#wasm.storeRow(bits, prefix) >>> 0;
    if (length === 0) return undefined;
    const at = this.#wasm.outputAt() >>> 0;
    return this.#view().subarray(at, at + length);
  }

  /** First row from `row` to `end` that is not written; `end` if there is none. */
  findUnwritten(row: number, end: number): number {
    return this.#wasm.findRow(row, end, UNWRITTEN) >>> 0;
  }

  /** First row from `row` on that is dropped; {@link rowCount} if there is none. */
  findDropped(row: number, end = this.rowCount): number {
    return this.#wasm.findRow(row, end, DROPPED) >>> 0;
  }

  setWritten(row: number, end: number): void {
    this.#wasm.setWritten(row, end);
  }

  /** Marks all rows as not written. */
  unwriteAll(): void {
    this.#wasm.unwriteAll();
  }

  /** Says that rows which were not loaded are empty. */
  settleDropped(): void {
    this.#wasm.settleDropped();
  }

  /** Forgets the entries of rows that are written; their hashes stay. */
  drop(row: number, end: number): void {
    this.#wasm.dropRows(row, end);
  }

  /** The way from the root to `path`. */
  prove(path: Uint8Array, load: LoadRows): StateProof {
    if (path.length !== PATH_BYTES) throw new InternalError('a path has 31 bytes');
    const at = this.#wasm.proofAt() >>> 0;
    this.#view().set(path, at);
    const bucket = this.#wasm.bucketOfProof();
    const row = bucket >>> ROW_BITS;
    if (bucket >= 0 && this.findDropped(row, row + 1) === row) load([row], false);
    const leaf = this.#wasm.prove() >>> 0;
    const bytes = this.#view();
    const from = (this.#wasm.proofAt() >>> 0) + 64;
    const siblings = Array.from({ length: this.#wasm.siblings.value }, (_, i) =>
      bytes.slice(from + i * HASH_BYTES, from + (i + 1) * HASH_BYTES),
    );
    if (leaf === 0) return { siblings, leaf: undefined };
    const valueHash = bytes.slice(leaf + PATH_BYTES, leaf + PATH_BYTES + HASH_BYTES);
    return { siblings, leaf: { path: bytes.slice(leaf, leaf + PATH_BYTES), valueHash } };
  }

  /** The memory as it lies now: growing moves it. */
  #view(): Uint8Array {
    const { buffer } = this.#memory;
    if (this.#bytes.buffer !== buffer) {
      this.#bytes = new Uint8Array(buffer);
      this.#words = new DataView(buffer);
    }
    return this.#bytes;
  }
}
