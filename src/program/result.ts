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
  /** A view of the result. */
  readonly data: Uint8Array;
}

export const TRANSFER_BYTES = 48;
const COUNT_BYTES = 16;
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
    if (end - start < COUNT_BYTES) return false;
    for (let i = 4; i < COUNT_BYTES; i++) if (bytes[start + i] !== 0) return false;
    const transfers = readU32(bytes, start);
    const mapAt = start + COUNT_BYTES + transfers * TRANSFER_BYTES;
    if (transfers > MAX_TRANSFERS || end - mapAt < WORD_BYTES) return false;
    const entries = readU32(bytes, mapAt);
    if (entries > MAX_MAP_ENTRIES) return false;
    let at = mapAt + WORD_BYTES;
    for (let n = entries; n > 0; n--) {
      at = afterField(bytes, at, end, MAX_KEY_BYTES);
      if (at >= 0) at = afterField(bytes, at, end, Number.POSITIVE_INFINITY);
      if (at < 0) return false;
    }
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
  const transfers = Array.from({ length: layout.transfers }, (_, i) => {
    const at = layout.transfersAt + i * TRANSFER_BYTES;
    const id = { block: readU128(bytes, at), tx: readU128(bytes, at + 16) };
    return { id, amount: readU128(bytes, at + 32) };
  });
  const storage = new Map<string, Uint8Array>();
  for (let n = layout.entries, at = layout.entriesAt; n > 0; n--) {
    const keyEnd = at + WORD_BYTES + readU32(bytes, at);
    const key = binarySlice(bytes, at + WORD_BYTES, keyEnd);
    at = keyEnd + WORD_BYTES + readU32(bytes, keyEnd);
    storage.set(key, bytes.subarray(keyEnd + WORD_BYTES, at));
  }
  return { transfers, storage, fuel: layout.fuel, data: bytes.subarray(layout.dataAt) };
}
