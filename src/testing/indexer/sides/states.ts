/** What both sides are compared by. */
import { SEQUENCE_KEY, sheetKey } from '../../../lane/keys.js';
import type { LaneKey } from '../../../lane/types.js';
import { formatId, idBytes, idFromBytes } from '../../../protocol/alkane-id.js';
import { decodeSheet } from '../../../protocol/sheet.js';
import { fromBinaryString, readU128, toBinaryString, toHex } from '../../../util/bytes.js';

/** Ids are 32 bytes, as binary strings. */
export interface ContractState {
  readonly sequence: bigint;
  /** By id: the module's bytes, or `clone ` and the id of the original. */
  readonly codes: ReadonlyMap<string, string>;
  /** By id, `/` and the contract's own key; no empty values. */
  readonly storage: ReadonlyMap<string, Uint8Array>;
  /** By asset and holder; no zeros. */
  readonly balances: ReadonlyMap<string, bigint>;
}

/** The same of the lane. */
export function laneContracts(state: ReadonlyMap<LaneKey, Uint8Array>): ContractState {
  const codes = new Map<string, string>();
  const storage = new Map<string, Uint8Array>();
  const balances = new Map<string, bigint>();
  for (const [key, value] of state) {
    if (key.startsWith('code/')) {
      codes.set(key.slice(5), codeOf(value));
    } else if (key.startsWith('store/')) storage.set(key.slice(6), value);
    else if (key.startsWith('balance/')) balances.set(key.slice(8), readU128(value, 0));
  }
  const sequence = state.get(SEQUENCE_KEY);
  return { sequence: sequence === undefined ? 1n : readU128(sequence, 0), codes, storage, balances };
}

/** By the value of a `code/` key, which the lane keeps as it is. */
const seen = new WeakMap<Uint8Array, string>();

function codeOf(value: Uint8Array): string {
  let code = seen.get(value);
  if (code === undefined) {
    const rest = toBinaryString(value.subarray(1));
    code = value[0] === 0 ? rest : CLONE + rest;
    seen.set(value, code);
  }
  return code;
}

/** The assets of an outpoint by id. */
export function laneSheet(
  state: ReadonlyMap<LaneKey, Uint8Array>,
  txid: Uint8Array,
  vout: number,
): ReadonlyMap<string, bigint> {
  const entries = decodeSheet(state.get(sheetKey(txid, vout))).entries();
  return new Map(entries.map(({ id, amount }) => [toBinaryString(idBytes(id)), amount]));
}

/** Something that is not the same on both sides. */
export interface Difference {
  readonly what: 'status' | 'data' | 'sequence' | 'code' | 'storage' | 'balance' | 'sheet';
  readonly where: string;
  readonly lane: string;
  readonly indexer: string;
}

/**
 * What differs between two states. `ignored`: ids that the indexer had before. `sameTxids`: by the txid of the
 * indexer's twin, as a binary string, that of the lane's: contracts store txids.
 */
export function differencesOf(
  lane: ContractState,
  indexer: ContractState,
  ignored: ReadonlySet<string>,
  sameTxids: ReadonlyMap<string, string>,
): Difference[] {
  const found: Difference[] = [];
  const add = (what: Difference['what'], where: string, a: string | undefined, b: string | undefined): void => {
    if (a !== b) found.push({ what, where, lane: a ?? 'none', indexer: b ?? 'none' });
  };
  add('sequence', '', String(lane.sequence), String(indexer.sequence));
  const has = (id: string): boolean => !ignored.has(id);
  for (const id of new Set([...lane.codes.keys(), ...indexer.codes.keys()])) {
    const [here, there] = [moduleOf(id, lane.codes), moduleOf(id, indexer.codes)];
    if (has(id) && here !== there) {
      found.push({ what: 'code', where: nameOf(id), lane: sizeOf(here), indexer: sizeOf(there) });
    }
  }
  const renamed = new Map([...indexer.storage].map(([key, value]) => [rename(key, sameTxids), value]));
  for (const key of new Set([...lane.storage.keys(), ...renamed.keys()])) {
    if (!has(key.slice(0, 32))) continue;
    const value = renamed.get(key);
    const there = value && rename(toBinaryString(value), sameTxids);
    const here = lane.storage.get(key);
    const where = `${nameOf(key)} ${JSON.stringify(key.slice(33))}`;
    if (here === undefined || toBinaryString(here) !== there) {
      add('storage', where, here && toHex(here), there === undefined ? undefined : toHex(fromBinaryString(there)));
    }
  }
  for (const key of new Set([...lane.balances.keys(), ...indexer.balances.keys()])) {
    if (!has(key.slice(32))) continue;
    const where = `${nameOf(key)} held by ${nameOf(key.slice(32))}`;
    add('balance', where, textOf(lane.balances.get(key)), textOf(indexer.balances.get(key)));
  }
  return found;
}

/** What differs between two sheets. */
export function sheetDifferences(
  lane: ReadonlyMap<string, bigint>,
  indexer: ReadonlyMap<string, bigint>,
): Difference[] {
  const found: Difference[] = [];
  for (const id of new Set([...lane.keys(), ...indexer.keys()])) {
    const [a, b] = [textOf(lane.get(id)), textOf(indexer.get(id))];
    if (a !== b) found.push({ what: 'sheet', where: nameOf(id), lane: a ?? 'none', indexer: b ?? 'none' });
  }
  return found;
}

function textOf(amount: bigint | undefined): string | undefined {
  return amount === undefined ? undefined : String(amount);
}

const CLONE = 'clone ';
const MOST_CLONES = 16;

/** The module that runs for `id`: an indexer may keep a clone, a clone of a clone, or a copy. */
function moduleOf(id: string, codes: ContractState['codes']): string | undefined {
  let code = codes.get(id);
  for (let step = 0; step < MOST_CLONES && code?.startsWith(CLONE); step++) code = codes.get(code.slice(CLONE.length));
  return code;
}

function sizeOf(code: string | undefined): string {
  return code === undefined ? 'none' : `${code.length} bytes`;
}

function nameOf(id: string): string {
  return formatId(idFromBytes(fromBinaryString(id.slice(0, 32)), 0));
}

const TXID_BYTES = 32;

/** `text` with the txids of the lane's twins in the places of those of the indexer's. */
export function rename(text: string, sameTxids: ReadonlyMap<string, string>): string {
  if (text.length < TXID_BYTES) return text;
  let renamed = text;
  for (const [there, here] of sameTxids) renamed = renamed.replaceAll(there, here);
  return renamed;
}
