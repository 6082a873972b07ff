/**
 * One batch of changes to a state tree, by WASM that hashes four nodes at a time without allocating objects: a full
 * block of a real indexer changes 30,000 leaves on 70,000 pages. One instance per thread; all calls are synchronous.
 */
import { InternalError, StoreError } from '../../errors/errors.js';
import { stateTreeModule } from '../../util/built-wasm.js';
import { fromBinaryString, writeBinaryString } from '../../util/bytes.js';
import { reusingAllocator } from '../../util/row-bytes.js';
import { sha256 } from '../../util/sha256.js';
import { EMPTY_HASH, leafHash } from './tree-hash.js';
import { leafKeyKey, pageKey } from './tree-page.js';

/** Where the tree's rows are read from: the `tree` column, or a map in tests. */
export interface TreeSource {
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

/**
 * Receives a row of the `tree` column to store; undefined = delete. Both arguments are views: the next row overwrites
 * the key, the next batch the value.
 */
export type EmitRow = (key: Uint8Array, value: Uint8Array | undefined) => void;

/** A write: the key as a binary string; undefined removes the key. */
export type TreeWrite = readonly [key: string, value: Uint8Array | undefined];

// Layout of a change: see wasm/native/tree-changes.ts.
const CHANGE_BYTES = 96;
const KEY_WORD = 16;
const VALUE_WORD = 18;
const FLAGS_WORD = 20;
const PRESENT = 1;
const HASHED = 2;
/** Longer keys and values are hashed in JavaScript. */
const MAX_HASHED_THERE = 512;

const ROW_WORDS = 4;
const NAME = 0x100;

interface Exports {
  readonly memory: WebAssembly.Memory;
  begin(): void;
  alloc(bytes: number): number;
  takeChanges(table: number, count: number): void;
  giveRoot(row: number, length: number): number;
  wanted(): number;
  wantedAt(): number;
  give(): number;
  rebuild(): number;
  rowsAt(): number;
  rootAt(): number;
}

const keyRoom = reusingAllocator();

let exportsOfThread: Exports | undefined;

function wasm(): Exports {
  exportsOfThread ??= new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(stateTreeModule())))
    .exports as WebAssembly.Exports & Exports;
  return exportsOfThread;
}

/**
 * Applies `writes` (at least one, each key once) to the stored tree of a namespace and returns the new root; the rows
 * to store go to `emit`, each once. Writes nothing itself. Throws StoreError STORE_CORRUPT if a page cannot be read.
 */
export function updateTree(
  source: TreeSource,
  namespace: number,
  writes: readonly TreeWrite[],
  emit: EmitRow,
): Uint8Array {
  const tree = wasm();
  tree.begin();
  const table = putChanges(tree, writes);
  tree.takeChanges(table, writes.length);
  loadPages(tree, source, namespace);
  const count = tree.rebuild();
  emitRows(tree, namespace, count, emit);
  return bytesOf(tree).slice(tree.rootAt(), tree.rootAt() + 32);
}

/** Copies the writes into the WASM memory; returns the address of the table. */
function putChanges(tree: Exports, writes: readonly TreeWrite[]): number {
  const table = tree.alloc(writes.length * CHANGE_BYTES);
  let bytes = 0;
  for (const [key, value] of writes) bytes += key.length + shortLength(value);
  let at = tree.alloc(bytes);
  const memory = bytesOf(tree);
  const words = new Uint32Array(tree.memory.buffer, table, (writes.length * CHANGE_BYTES) / 4);
  let word = 0;
  for (const [key, value] of writes) {
    words[word + KEY_WORD] = at;
    words[word + KEY_WORD + 1] = key.length;
    writeBinaryString(memory, at, key);
    at += key.length;
    words[word + FLAGS_WORD] = value === undefined ? 0 : PRESENT;
    if (key.length > MAX_HASHED_THERE || (value !== undefined && value.length > MAX_HASHED_THERE)) {
      words[word + FLAGS_WORD] |= HASHED;
      const raw = fromBinaryString(key);
      memory.set(sha256(raw), table + word * 4);
      if (value !== undefined) memory.set(leafHash(raw, sha256(value)), table + word * 4 + 32);
    } else if (value !== undefined) {
      words[word + VALUE_WORD] = at;
      words[word + VALUE_WORD + 1] = value.length;
      memory.set(value, at);
      at += value.length;
    }
    word += CHANGE_BYTES / 4;
  }
  return table;
}

function shortLength(value: Uint8Array | undefined): number {
  return value === undefined || value.length > MAX_HASHED_THERE ? 0 : value.length;
}

/** Gives the tree the pages on the paths of the changes, level by level, so that each level is one read. */
function loadPages(tree: Exports, source: TreeSource, namespace: number): void {
  const [row] = source.getMany([pageKey(namespace, EMPTY_HASH, 0)]);
  const at = row === undefined ? 0 : tree.alloc(row.length);
  if (row !== undefined) bytesOf(tree).set(row, at);
  if (tree.giveRoot(at, row?.length ?? 0) === 0) throw unreadable(0);
  for (let depth = 1, count = tree.wanted(); count > 0; depth++, count = tree.wanted()) {
    loadLevel(tree, source, namespace, depth, count);
  }
}

function loadLevel(tree: Exports, source: TreeSource, namespace: number, depth: number, count: number): void {
  const list = tree.wantedAt();
  const paths = new Uint32Array(tree.memory.buffer, list, count * 2);
  const before = bytesOf(tree);
  const keys = Array.from({ length: count }, (_, i) =>
    pageKey(namespace, before.subarray(paths[2 * i], paths[2 * i] + 32), depth),
  );
  const rows = source.getMany(keys);
  let bytes = 0;
  for (const row of rows) {
    if (row === undefined) throw new InternalError('a page of the state tree is missing', { facts: { depth } });
    bytes += row.length;
  }
  let at = tree.alloc(bytes);
  // The memory may have moved.
  const memory = bytesOf(tree);
  const given = new Uint32Array(tree.memory.buffer, list, count * 2);
  rows.forEach((row, i) => {
    if (row === undefined) return;
    memory.set(row, at);
    given[2 * i] = at;
    given[2 * i + 1] = row.length;
    at += row.length;
  });
  if (tree.give() >= 0) throw unreadable(depth);
}

function emitRows(tree: Exports, namespace: number, count: number, emit: EmitRow): void {
  const memory = bytesOf(tree);
  const words = new Uint32Array(tree.memory.buffer);
  const first = tree.rowsAt() / 4;
  for (let row = first; row < first + count * ROW_WORDS; row += ROW_WORDS) {
    const path = memory.subarray(words[row + 1], words[row + 1] + 32);
    const value = words[row + 2];
    if (words[row] !== NAME) {
      const stored = value === 0 ? undefined : memory.subarray(value, value + words[row + 3]);
      emit(pageKey(namespace, path, words[row], keyRoom), stored);
      continue;
    }
    // The value of a name row is the change that has the key.
    const key = words[value / 4 + KEY_WORD];
    const named = value === 0 ? undefined : memory.subarray(key, key + words[value / 4 + KEY_WORD + 1]);
    emit(leafKeyKey(namespace, path, keyRoom), named);
  }
}

function bytesOf(tree: Exports): Uint8Array {
  return new Uint8Array(tree.memory.buffer);
}

function unreadable(depth: number): StoreError {
  return new StoreError('STORE_CORRUPT', 'a page of the state tree cannot be read', {
    facts: { depth },
    hint: 'Replay the chain into a new folder.',
  });
}
