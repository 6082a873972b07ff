/** Calls by themselves in the columns that the kernel takes: nothing is made per call but what the test gives. */
import type { Input } from '../contract-chain/contract-chain.js';
import { type CallColumns, hashKey } from '../gpu/pack/records.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_READ, KEY_RECORD, KEY_WRITTEN, NONE } from '../gpu/translate/layout.js';
import { fuelOfBytes } from '../lane/allowance.js';
import type { StateReader } from '../lane/types.js';
import { encodeVarint } from '../protocol/encode.js';
import { concatBytes, writeU32, writeU128 } from '../util/bytes.js';
import type { DirectMethod } from './direct-methods.js';

/** Of a context, before the inputs: myself, caller, shadow output, no incoming assets. */
const HEAD_BYTES = 96;
const VOUT_AT = 64;
/** The shadow output of the only message of a transaction with one output and a runestone. */
const SHADOW_VOUT = 3;
const INPUT_BYTES = 16;
/** Calldata fills whole chunks with zeros, which contracts see as inputs. */
const CALLDATA_CHUNK = 15;
/** Inputs of a call by itself, opcode included; others are sent in blocks. */
const MOST_INPUTS = 48;
/** Bytes of a transaction that carries one message are far fewer than those that would give it more fuel. */
const FUEL = fuelOfBytes(0);
const SMALL = 2 ** 31;

const { words: HEAD_WORDS, offset: HEAD } = CALL_RECORD;

export class DirectBatch {
  count = 0;
  readonly methods: DirectMethod[] = [];
  readonly #placeOf = new Map<DirectMethod, number>();
  readonly #heads: Uint32Array;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  /** By call: place of its method. */
  readonly #methodOf: Uint32Array;

  /** Room for `most` calls, used again by {@link clear}. */
  constructor(readonly most: number) {
    this.#heads = new Uint32Array(new SharedArrayBuffer(4 * HEAD_WORDS * most));
    this.#methodOf = new Uint32Array(most);
    this.#bytes = sharedBytes(most * 256);
    this.#view = new DataView(this.#bytes.buffer);
  }

  clear(): void {
    this.count = 0;
    this.methods.length = 0;
    this.#placeOf.clear();
    this.#length = 0;
  }

  /** Adds a call. False: it has more inputs than they may have here. Throws RangeError for an input that is no u128. */
  add(method: DirectMethod, inputs: readonly Input[]): boolean {
    if (inputs.length > MOST_INPUTS) return false;
    let place = this.#placeOf.get(method);
    if (place === undefined) {
      place = this.methods.push(method) - 1;
      this.#placeOf.set(method, place);
    }
    const room = HEAD_BYTES + INPUT_BYTES * (inputs.length + CALLDATA_CHUNK);
    if (this.#length + room > this.#bytes.length) this.#grow(2 * this.#bytes.length);
    const start = this.#length;
    const view = this.#view;
    this.#bytes.fill(0, start, start + room);
    this.#bytes.set(method.myself, start);
    view.setUint32(start + VOUT_AT, SHADOW_VOUT, true);
    let at = start + HEAD_BYTES;
    let calldata = method.targetBytes;
    for (const input of inputs) {
      if (typeof input === 'number' && input >= 0 && input < SMALL && Number.isInteger(input)) {
        view.setUint32(at, input, true);
        calldata += input === 0 ? 1 : ((38 - Math.clz32(input)) / 7) | 0;
      } else {
        calldata += encodeVarint(BigInt(input)).length;
        writeU128(this.#bytes, at, BigInt(input));
      }
      at += INPUT_BYTES;
    }
    at += INPUT_BYTES * ((CALLDATA_CHUNK - (calldata % CALLDATA_CHUNK)) % CALLDATA_CHUNK);
    this.#methodOf[this.count] = place;
    const head = this.count++ * HEAD_WORDS;
    this.#heads[head + HEAD.CONTEXT_AT] = start;
    this.#heads[head + HEAD.CONTEXT_BYTES] = at - start;
    this.#heads[head + HEAD.FUEL] = FUEL;
    this.#length = at;
    return true;
  }

  method(call: number): DirectMethod {
    return this.methods[this.#methodOf[call]];
  }

  /** A view of it. */
  context(call: number): Uint8Array {
    const start = this.contextAt(call);
    return this.#bytes.subarray(start, start + this.#heads[call * HEAD_WORDS + HEAD.CONTEXT_BYTES]);
  }

  contextAt(call: number): number {
    return this.#heads[call * HEAD_WORDS + HEAD.CONTEXT_AT];
  }

  /** All contexts. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get fuel(): number {
    return FUEL;
  }

  /**
   * The columns, with the keys of the methods and their values in `state`; to be run as independent calls under `seed`.
   */
  columns(seed: number, height: number, state: StateReader): CallColumns {
    const hashes = [...new Set(this.methods.map(({ program }) => program.hash))];
    const values: Uint8Array[] = [];
    let length = this.#length;
    const put = (bytes: Uint8Array): number => {
      const padded = new Uint8Array((bytes.length + 3) & ~3);
      padded.set(bytes);
      values.push(padded);
      const at = length;
      length += padded.length;
      return at;
    };
    const keys: number[] = [];
    const accesses: number[] = [];
    const firsts = this.methods.map((method) => {
      const first = accesses.length / ACCESS_RECORD.words;
      const sorted = [...method.keys.values()].map((key) => ({ ...key, hash: hashKey(seed, key.own) }));
      sorted.sort((a, b) => a.hash - b.hash);
      for (const { own, full, read, written, hash } of sorted) {
        const value = state.get(full);
        const keyAt = put(own);
        if (value !== undefined) put(lengthOf(value));
        const [valueAt, valueBytes] = value === undefined ? [0, NONE] : [put(value), value.length];
        accesses.push(hash, keys.length / KEY_RECORD.words, (read ? KEY_READ : 0) | (written ? KEY_WRITTEN : 0));
        keys.push(hash, keyAt, own.length, valueAt, valueBytes);
      }
      return first;
    });
    for (let call = 0; call < this.count; call++) {
      const place = this.#methodOf[call];
      const method = this.methods[place];
      const head = call * HEAD_WORDS;
      this.#heads[head + HEAD.PROGRAM] = hashes.indexOf(method.program.hash);
      this.#heads[head + HEAD.HEIGHT] = height;
      this.#heads[head + HEAD.FIRST_ACCESS] = firsts[place];
      this.#heads[head + HEAD.ACCESSES] = method.keys.size;
      this.#heads[head + HEAD.EXPECTED_BYTES] = method.resultBytes;
    }
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(concatBytes(...values), this.#length);
    return {
      count: this.count,
      programs: hashes,
      heads: this.#heads.subarray(0, this.count * HEAD_WORDS),
      accesses: Uint32Array.from(accesses),
      keys: Uint32Array.from(keys),
      bytes: this.#bytes.subarray(0, length),
    };
  }

  #grow(length: number): void {
    const bytes = sharedBytes(length);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function lengthOf(value: Uint8Array): Uint8Array {
  const word = new Uint8Array(4);
  writeU32(word, 0, value.length);
  return word;
}

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer((length + 3) & ~3));
}
