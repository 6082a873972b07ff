/** What an Alkanes indexer has stored, read from the pairs that it flushes (shared layout of its keys). */
import { gunzipSync } from 'node:zlib';
import { readU32, readU128, toBinaryString, u32Bytes } from '../../../util/bytes.js';
import { bytesField, fieldsOf, numberField } from './fields.js';
import type { ContractState } from './states.js';

const ALKANES = '/alkanes/';
const ID_AT = ALKANES.length;
const REST_AT = ID_AT + 32;
const STORAGE = '/storage/';
const BALANCES = '/balances/';
const SEQUENCE = '/alkanes/sequence';
const SHEETS = '/runes/proto/1/byoutpoint/';
const TRACES = '/trace/';
const CLONE_BYTES = 32;
const MOST_CODE = 16 << 20;

/** How a message ended there; `data` without a failure's text. */
export interface IndexerEnd {
  readonly ok: boolean;
  readonly data: Uint8Array;
  /** Why it failed, as the indexer says it; empty if it says nothing. */
  readonly error: string;
}

const ERROR_MARK = [0x08, 0xc3, 0x79, 0xa0];

export class IndexerState {
  readonly #all = new Map<string, Uint8Array>();
  readonly #codes = new Map<string, string>();
  readonly #storage = new Map<string, Uint8Array>();
  readonly #balances = new Map<string, bigint>();

  /** Keeps the pairs of a block. */
  apply(pairs: ReadonlyMap<string, Uint8Array>): void {
    for (const [key, value] of pairs) {
      this.#all.set(key, value);
      if (key.startsWith(ALKANES)) this.#applyContract(key, value);
    }
  }

  #applyContract(key: string, value: Uint8Array): void {
    const id = key.slice(ID_AT, REST_AT);
    if (key.length === REST_AT) this.#codes.set(id, codeOf(value));
    else if (key.startsWith(STORAGE, REST_AT)) {
      const own = `${id}/${key.slice(REST_AT + STORAGE.length)}`;
      if (value.length === 0) this.#storage.delete(own);
      else this.#storage.set(own, value);
    } else if (key.startsWith(BALANCES, REST_AT)) {
      const holder = key.slice(REST_AT + BALANCES.length);
      if (holder.length !== 32 || value.length !== 16) return;
      const amount = readU128(value, 0);
      if (amount === 0n) this.#balances.delete(id + holder);
      else this.#balances.set(id + holder, amount);
    }
  }

  /** Contracts, storage and balances; zero balances and empty values are none. */
  get contracts(): ContractState {
    const sequence = this.#all.get(SEQUENCE);
    return {
      sequence: sequence === undefined || sequence.length < 16 ? 1n : readU128(sequence, 0),
      codes: this.#codes,
      storage: this.#storage,
      balances: this.#balances,
    };
  }

  /** The sheet of an outpoint: amounts by id32. */
  sheet(txid: Uint8Array, vout: number): ReadonlyMap<string, bigint> {
    const at = `${SHEETS}${toBinaryString(txid)}${toBinaryString(u32Bytes(vout))}`;
    const count = this.#all.get(`${at}/runes/length`);
    const sheet = new Map<string, bigint>();
    for (let i = 0; count !== undefined && i < readU32(count, 0); i++) {
      const id = this.#all.get(`${at}/runes/${i}`);
      const amount = this.#all.get(`${at}/balances/${i}`);
      if (id === undefined || amount === undefined || readU128(amount, 0) === 0n) continue;
      const key = toBinaryString(id);
      sheet.set(key, (sheet.get(key) ?? 0n) + readU128(amount, 0));
    }
    return sheet;
  }

  /** How the message on a shadow output ended; one without a trace failed before it ran. */
  end(txid: Uint8Array, shadow: number): IndexerEnd {
    const trace = this.#all.get(`${TRACES}${toBinaryString(txid)}${toBinaryString(u32Bytes(shadow))}`);
    if (trace === undefined) return { ok: false, data: new Uint8Array(0), error: 'no trace' };
    const last = fieldsOf(trace).at(-1)?.[1];
    const exit = last instanceof Uint8Array ? bytesField(fieldsOf(last), 2) : undefined;
    if (exit === undefined) return { ok: false, data: new Uint8Array(0), error: 'a trace without an end' };
    const fields = fieldsOf(exit);
    const response = bytesField(fields, 2);
    const data = (response && bytesField(fieldsOf(response), 3)) ?? new Uint8Array(0);
    if (numberField(fields, 1) === 0n) return { ok: true, data, error: '' };
    const isText = ERROR_MARK.every((byte, i) => data[i] === byte);
    return { ok: false, data: new Uint8Array(0), error: isText ? Buffer.from(data.subarray(4)).toString() : '' };
  }
}

/** As in {@link ContractState}. */
function codeOf(value: Uint8Array): string {
  if (value.length === CLONE_BYTES) return `clone ${toBinaryString(value)}`;
  try {
    return toBinaryString(new Uint8Array(gunzipSync(value, { maxOutputLength: MOST_CODE })));
  } catch {
    return 'no code';
  }
}
