/**
 * Txids, wtxids and merkle roots of a whole block by WASM that hashes four messages at a time: node:crypto makes an
 * object for every hash, which costs several times the hashing of a transaction. One instance per thread; nothing here
 * waits.
 */
import { blockHashModule } from '../util/built-wasm.js';
import type { MerkleRoot } from './hash.js';

export const HASH_LENGTH = 32;
const ROW = 16;
const PAGE = 65_536;
/** Bytes that an input needs apart from its own: its row, padding, the length of its blocks. */
const MESSAGE_OVERHEAD = 88;
const SLACK = 1024;

/**
 * Where the transactions of a serialised block lie; every list has an entry per transaction, `starts` one more: the
 * end.
 */
export interface TransactionTable {
  readonly raw: Uint8Array;
  readonly count: number;
  readonly starts: Uint32Array;
  /** Where the witnesses begin; the locktime where there are none. */
  readonly witnesses: Uint32Array;
  /** 1 where marker and flag follow the version. */
  readonly segwit: Uint8Array;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  base(): number;
  hashTransactions(table: number, count: number, out: number, work: number): void;
  hashWitnesses(table: number, count: number, out: number, work: number): void;
  merkle(hashes: number, count: number, work: number): number;
  merkleLevel(hashes: number, count: number, out: number, work: number): number;
  hashAll(table: number, count: number, out: number, work: number, twice: number): void;
}

/** Addresses for one block: its bytes at `block`, then the table, then the hashes, then room to work. */
interface Places {
  readonly block: number;
  readonly table: number;
  readonly hashes: number;
  readonly work: number;
}

let exportsOfThread: Exports | undefined;

function wasm(): Exports {
  exportsOfThread ??= new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(blockHashModule())))
    .exports as WebAssembly.Exports & Exports;
  return exportsOfThread;
}

/** The txids (32 bytes each, wire order) of all transactions, one after the other. */
export function hashTransactions(block: TransactionTable): Uint8Array {
  const places = load(block);
  wasm().hashTransactions(places.table, block.count, places.hashes, places.work);
  return hashesAt(places, block.count);
}

/** As {@link hashTransactions} for the wtxids (for the coinbase: its txid); `txids` are the block's. */
export function hashWitnesses(block: TransactionTable, txids: Uint8Array): Uint8Array {
  const places = load(block);
  new Uint8Array(wasm().memory.buffer).set(txids, places.hashes);
  wasm().hashWitnesses(places.table, block.count, places.hashes, places.work);
  return hashesAt(places, block.count);
}

/** As `merkleRoot` of hash.ts, over at least one hash of 32 bytes, one after the other. */
export function merkleRootOf(hashes: Uint8Array): MerkleRoot {
  const count = hashes.length / HASH_LENGTH;
  const at = wasm().base();
  const work = at + (count + 1) * HASH_LENGTH;
  const memory = room(work + SLACK);
  memory.set(hashes, at);
  const mutated = wasm().merkle(at, count, work) !== 0;
  return { root: memory.slice(at, at + HASH_LENGTH), mutated };
}

/**
 * The parents (32 bytes each) of a level of at least one hash; a level of odd length repeats its last hash, also one of
 * a single hash. `mutated`: two neighbours are equal.
 */
export function merkleLevelOf(hashes: Uint8Array): { readonly parents: Uint8Array; readonly mutated: boolean } {
  const count = hashes.length / HASH_LENGTH;
  const at = wasm().base();
  const work = at + (count + 1) * HASH_LENGTH;
  const memory = room(work + SLACK);
  memory.set(hashes, at);
  const mutated = wasm().merkleLevel(at, count, at, work) !== 0;
  return { parents: memory.slice(at, at + ((count + 1) >> 1) * HASH_LENGTH), mutated };
}

/**
 * SHA-256, or double SHA-256 with `twice`, of messages `from` to `to` (32 bytes each): message i lies at `offsets[i]`
 * to `offsets[i + 1]` of `bytes`. The module's memory grows to four times their length: bound it.
 */
export function hashMessages(
  bytes: Uint8Array,
  offsets: Uint32Array,
  from: number,
  to: number,
  twice: boolean,
): Uint8Array {
  const count = to - from;
  const first = offsets[from];
  const length = offsets[to] - first;
  const at = wasm().base();
  const table = (at + length + 15) & ~15;
  const out = table + ((count * 8 + 15) & ~15);
  const work = out + count * HASH_LENGTH;
  const memory = room(work + length + count * MESSAGE_OVERHEAD + SLACK);
  memory.set(bytes.subarray(first, first + length), at);
  const rows = new Uint32Array(memory.buffer, table, count * 2);
  for (let i = 0; i < count; i++) {
    rows[2 * i] = at + offsets[from + i] - first;
    rows[2 * i + 1] = at + offsets[from + i + 1] - first;
  }
  wasm().hashAll(table, count, out, work, twice ? 1 : 0);
  return memory.slice(out, out + count * HASH_LENGTH);
}

/** Puts the block and its table into the module's memory. */
function load({ raw, count, starts, witnesses, segwit }: TransactionTable): Places {
  const block = wasm().base();
  const table = (block + raw.length + 15) & ~15;
  const hashes = table + count * ROW;
  const work = hashes + (count + 1) * HASH_LENGTH;
  const memory = room(work + raw.length + count * MESSAGE_OVERHEAD + SLACK);
  memory.set(raw, block);
  const rows = new Uint32Array(memory.buffer, table, count * 4);
  for (let i = 0, at = 0; i < count; i++) {
    rows[at++] = block + starts[i];
    rows[at++] = block + witnesses[i];
    rows[at++] = block + starts[i + 1];
    rows[at++] = segwit[i];
  }
  return { block, table, hashes, work };
}

function hashesAt({ hashes }: Places, count: number): Uint8Array {
  return new Uint8Array(wasm().memory.buffer).slice(hashes, hashes + count * HASH_LENGTH);
}

/** The memory, grown to at least `bytes`; a block's limits bound it. */
function room(bytes: number): Uint8Array {
  const { memory } = wasm();
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return new Uint8Array(memory.buffer);
}
