import type { AlkaneId } from '../protocol/types.js';
import { readU32, readU128, toBinaryString } from '../util/bytes.js';
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

const TRANSFER_BYTES = 48;
/** Transfers of a result, at most (lane rules 5). */
export const MAX_TRANSFERS = 1_024;
/** Entries of a storage map and bytes of a key, at most (lane rules 4). */
export const MAX_MAP_ENTRIES = 4_096;
export const MAX_KEY_BYTES = 1_024;

/**
 * Parses what `__execute` returned (alkanes-wire 8, lane rules 4): u128 count, transfers of three u128 (block, tx,
 * amount), storage map (u32 count; per entry u32 key length, key, u32 value length, value), data. All little-endian.
 * undefined if a declared count or length does not fit, or a limit is passed. Copies nothing, for nothing is paid yet.
 */
export function parseResult(bytes: Uint8Array): ProgramResult | undefined {
  if (bytes.length < 16) return undefined;
  const count = readU128(bytes, 0);
  if (count > MAX_TRANSFERS || count > BigInt(Math.floor((bytes.length - 16) / TRANSFER_BYTES))) return undefined;
  let at = 16;
  const transfers: ProgramResult['transfers'][number][] = [];
  for (let n = Number(count); n > 0; n--) {
    const id = { block: readU128(bytes, at), tx: readU128(bytes, at + 16) };
    transfers.push({ id, amount: readU128(bytes, at + 32) });
    at += TRANSFER_BYTES;
  }

  const mapStart = at;
  const word = (): number | undefined => {
    if (bytes.length - at < 4) return undefined;
    at += 4;
    return readU32(bytes, at - 4);
  };
  const field = (max: number): Uint8Array | undefined => {
    const length = word();
    if (length === undefined || length > max || length > bytes.length - at) return undefined;
    at += length;
    return bytes.subarray(at - length, at);
  };
  const entries = word();
  if (entries === undefined || entries > MAX_MAP_ENTRIES) return undefined;
  const storage = new Map<string, Uint8Array>();
  for (let n = entries; n > 0; n--) {
    const key = field(MAX_KEY_BYTES);
    if (!key) return undefined;
    const value = field(Number.POSITIVE_INFINITY);
    if (!value) return undefined;
    storage.set(toBinaryString(key), value);
  }
  const data = bytes.subarray(at);
  const fuel = resultFuel({
    mapBytes: at - mapStart,
    entries,
    transfers: transfers.length,
    dataBytes: data.length,
  });
  return { transfers, storage, fuel, data };
}
