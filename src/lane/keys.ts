/** Keys of namespace P (docs/lane-rules.md, section 7), as binary strings: ASCII prefixes, then raw bytes. */
import { idBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { binarySlice, fromBinaryString, toBinaryString, toHex, u32Bytes } from '../util/bytes.js';
import type { LaneKey } from './types.js';

export const SEQUENCE_KEY: LaneKey = 'sequence';

/** `sheet/` ++ txid in wire order ++ vout u32 LE. */
export function sheetKey(txid: Uint8Array, vout: number): LaneKey {
  return `sheet/${toBinaryString(txid)}${toBinaryString(u32Bytes(vout))}`;
}

/** As {@link sheetKey}, for the outpoint (txid, output number) at `at` of a serialised input. */
export function sheetKeyAt(bytes: Uint8Array, at: number): LaneKey {
  return `sheet/${binarySlice(bytes, at, at + 36)}`;
}

const SHEET = Buffer.from('sheet/');

/** As {@link sheetKeyAt}, in bytes. */
export function sheetKeyBytesAt(bytes: Uint8Array, at: number): Uint8Array {
  const key = new Uint8Array(SHEET.length + 36);
  key.set(SHEET);
  key.set(bytes.subarray(at, at + 36), SHEET.length);
  return key;
}

/** Keys of contracts' code begin with it. */
export const CODE_PREFIX = 'code/';

/** `code/` ++ id32. */
export function codeKey(id: AlkaneId): LaneKey {
  return CODE_PREFIX + toBinaryString(idBytes(id));
}

/** `store/` ++ id32 ++ `/`: the prefix of a contract's own keys. */
export function storagePrefix(id: AlkaneId): LaneKey {
  return `store/${toBinaryString(idBytes(id))}/`;
}

const SCRATCH = Buffer.concat([Buffer.from('store/'), Buffer.alloc(32), Buffer.from('/'), Buffer.alloc(1024)]);
const OWN_AT = 39;
const HEX_SCRATCH = Buffer.alloc(SCRATCH.length);

/** The key of a contract's own key `own`, from the contract's 32-byte id. */
export function storageKeyOfBytes(id: Uint8Array, own: Uint8Array): LaneKey {
  if (own.length > SCRATCH.length - OWN_AT) return `store/${toBinaryString(id)}/${toBinaryString(own)}`;
  // One string in one step: concatenated strings are flattened when they become keys of a Map.
  SCRATCH.set(id, 6);
  SCRATCH.set(own, OWN_AT);
  return SCRATCH.latin1Slice(0, OWN_AT + own.length);
}

/** `balance/` ++ asset id32 ++ holder id32. */
export function balanceKey(asset: AlkaneId, holder: AlkaneId): LaneKey {
  return balanceKeyOfBytes(idBytes(asset), idBytes(holder));
}

/** As {@link balanceKey}, from two 32-byte ids. */
export function balanceKeyOfBytes(asset: Uint8Array, holder: Uint8Array): LaneKey {
  return `balance/${toBinaryString(asset)}${toBinaryString(holder)}`;
}

/** The bytes of a key, for the store and for receipts. */
export function keyBytes(key: LaneKey): Uint8Array {
  return fromBinaryString(key);
}

/** A key in lower-case hex: the form of receipts. */
export function keyHex(key: LaneKey): string {
  if (key.length > HEX_SCRATCH.length) return toHex(fromBinaryString(key));
  HEX_SCRATCH.write(key, 0, 'latin1');
  return HEX_SCRATCH.hexSlice(0, key.length);
}
