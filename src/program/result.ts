import type { AlkaneId } from '../protocol/types.js';
import { binarySlice, readU32, readU128 } from '../util/bytes.js';
import { resultFuel } from './prices.js';

export interface ProgramResult {
  /** As returned, zero amounts included, in order. */
  readonly transfers: readonly { readonly id: AlkaneId; readonly amount: bigint }[];
  /** The contract's own keys as binary strings; of equal keys the last value. The values are views of the result. */
  readonly storage: ReadonlyMap<string, Uint8Array>;
  /** What the result costs (lane rules 5), in one charge. */
  readonly fuel: number;
  /** The count and the transfers as they came: a view of the result. */
  readonly counted: Uint8Array;
  /** A view of the result. */
  readonly data: Uint8Array;
}

export const TRANSFER_BYTES = 48;
export const COUNT_BYTES = 16;
const WORD_BYTES = 4;
/** Transfers of a result, at most (lane rules 5). */
export const MAX_TRANSFERS = 1_024;
/** Entries of a storage map and bytes of a key, at most (lane rules 4). */
export const MAX_MAP_ENTRIES = 4_096;
export const MAX_KEY_BYTES = 1_024;

/**
 * Where the parts of a result lie (alkanes-wire 8, lane rules 4): u128 count, transfers of three u128 (block, tx,
 * amount), storage map (u32 count; per entry u32 key length, key, u32 value length, value), data. All little-endian.
 */
export class ResultLayout {
  /** Transfers, and where the first one is. */
  transfers = 0;
  transfersAt = 0;
  /** Entries of the storage map as declared, and where the first one is. */
  entries = 0;
  entriesAt = 0;
  /** The data take the rest. */
  dataAt = 0;
  dataBytes = 0;
  /** What the result costs (lane rules 5), in one charge. */
  fuel = 0;

  /**
   * Finds the parts of the result that lies from `start` to `end`; false if a declared count or length does not fit, or
   * a limit is passed. Copies nothing, for nothing is paid yet.
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const transfers = countOfTransfers(bytes, start, end);
    if (transfers < 0) return false;
    const mapAt = start + COUNT_BYTES + transfers * TRANSFER_BYTES;
    const at = endOfMap(bytes, mapAt, end);
    if (at < 0) return false;
    const entries = readU32(bytes, mapAt);
    this.transfers = transfers;
    this.transfersAt = start + COUNT_BYTES;
    this.entries = entries;
    this.entriesAt = mapAt + WORD_BYTES;
    this.dataAt = at;
    this.dataBytes = end - at;
    this.fuel = resultFuel({ mapBytes: at - mapAt, entries, transfers, dataBytes: end - at });
    return true;
  }
}

/** The transfers that a u128 at `start` counts; -1 if they are too many, or `end` comes before they do. */
export function countOfTransfers(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < COUNT_BYTES) return -1;
  for (let i = 4; i < COUNT_BYTES; i++) if (bytes[start + i] !== 0) return -1;
  const transfers = readU32(bytes, start);
  return transfers > MAX_TRANSFERS || end - start - COUNT_BYTES < transfers * TRANSFER_BYTES ? -1 : transfers;
}

/** Where the storage map that begins at `start` ends; -1 if it is not whole, or a limit is passed. */
export function endOfMap(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < WORD_BYTES) return -1;
  const entries = readU32(bytes, start);
  if (entries > MAX_MAP_ENTRIES) return -1;
  let at = start + WORD_BYTES;
  for (let n = entries; n > 0; n--) {
    at = afterField(bytes, at, end, MAX_KEY_BYTES);
    if (at >= 0) at = afterField(bytes, at, end, Number.POSITIVE_INFINITY);
    if (at < 0) return -1;
  }
  return at;
}

/** The `transfers` that begin behind a count at `start`. */
export function transfersAt(bytes: Uint8Array, start: number, transfers: number): ProgramResult['transfers'] {
  return Array.from({ length: transfers }, (_, i) => {
    const at = start + COUNT_BYTES + i * TRANSFER_BYTES;
    const id = { block: readU128(bytes, at), tx: readU128(bytes, at + 16) };
    return { id, amount: readU128(bytes, at + 32) };
  });
}

/** The storage map at `start`, which is whole: see {@link ProgramResult.storage}. */
export function mapAt(bytes: Uint8Array, start: number): ProgramResult['storage'] {
  const storage = new Map<string, Uint8Array>();
  let at = start + WORD_BYTES;
  for (let n = readU32(bytes, start); n > 0; n--) {
    const keyEnd = at + WORD_BYTES + readU32(bytes, at);
    const key = binarySlice(bytes, at + WORD_BYTES, keyEnd);
    at = keyEnd + WORD_BYTES + readU32(bytes, keyEnd);
    storage.set(key, bytes.subarray(keyEnd + WORD_BYTES, at));
  }
  return storage;
}

/** The end of a field (u32 length, bytes) of at most `most` bytes at `at`; -1 if it is not whole. */
function afterField(bytes: Uint8Array, at: number, end: number, most: number): number {
  if (end - at < WORD_BYTES) return -1;
  const length = readU32(bytes, at);
  const from = at + WORD_BYTES;
  return length > most || length > end - from ? -1 : from + length;
}

const layout = new ResultLayout();

/** The result in `bytes`, or undefined where {@link ResultLayout.read} finds none. Copies nothing. */
export function parseResult(bytes: Uint8Array): ProgramResult | undefined {
  if (!layout.read(bytes, 0, bytes.length)) return undefined;
  const { transfers, fuel, dataAt } = layout;
  return {
    transfers: transfersAt(bytes, 0, transfers),
    storage: mapAt(bytes, COUNT_BYTES + transfers * TRANSFER_BYTES),
    fuel,
    counted: bytes.subarray(0, COUNT_BYTES + transfers * TRANSFER_BYTES),
    data: bytes.subarray(dataAt),
  };
}
