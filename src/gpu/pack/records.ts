/**
 * Message calls in columns. What a dry run learns of a call is written once into typed arrays, which pass between
 * threads without a copy and are packed for the kernel without an object per call.
 */
import { ACCESS_RECORD, CALL_RECORD, KEY_READ, KEY_RECORD, KEY_WRITTEN, NONE } from '../translate/layout.js';

/** Bytes of the contract's id, with which a context begins. */
const CONTRACT_BYTES = 32;

/** Most keys and bytes of one call; a call with more stays on the CPU. */
export const MAX_KEYS_PER_CALL = 1024;
export const MAX_BYTES_PER_CALL = 256 * 1024;
/** Most bytes of all columns of one list; further calls stay on the CPU. Far below what 32-bit addresses reach. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

/** One declared key of a call. */
export interface DeclaredKey {
  readonly key: Uint8Array;
  readonly read: boolean;
  readonly written: boolean;
  /** The value that the call would read; undefined = absent. */
  readonly value: Uint8Array | undefined;
}

/** What is known beforehand of a call's result. */
export interface Expectation {
  /** Length of the result to reserve room for; undefined = unknown. */
  readonly bytes?: number;
}

/**
 * A list of calls. The fields are those of CALL_RECORD, ACCESS_RECORD and KEY_RECORD in layout.ts; offsets are byte
 * offsets in `bytes`.
 */
export interface CallColumns {
  readonly count: number;
  /** Program hashes; the field PROGRAM is an index into this. */
  readonly programs: readonly string[];
  readonly heads: Uint32Array;
  /** The declared keys of all calls; those of one call are adjacent, in ascending order of their hashes. */
  readonly accesses: Uint32Array;
  /** The keys. Calls of a block name the same one where they read the same value; what they write is its value then. */
  readonly keys: Uint32Array;
  /** Contexts, keys and values, each at a multiple of 4; the word before a value holds its length. */
  readonly bytes: Uint8Array;
}

/** Number of declared keys of call number `call`. */
export function keyCount({ heads }: CallColumns, call: number): number {
  return heads[call * CALL_RECORD.words + CALL_RECORD.offset.ACCESSES];
}

/** Where the call's declared key number `key` lies in `accesses`, in words. */
function accessAt({ heads }: CallColumns, call: number, key: number): number {
  return (heads[call * CALL_RECORD.words + CALL_RECORD.offset.FIRST_ACCESS] + key) * ACCESS_RECORD.words;
}

/** Number of that key in `keys`. */
export function keyNumber(records: CallColumns, call: number, key: number): number {
  return records.accesses[accessAt(records, call, key) + ACCESS_RECORD.offset.KEY];
}

/** Where it lies there, in words. */
export function keyAt(records: CallColumns, call: number, key: number): number {
  return keyNumber(records, call, key) * KEY_RECORD.words;
}

/** Flags of the call's declared key number `key`. */
export function keyFlags(records: CallColumns, call: number, key: number): number {
  return records.accesses[accessAt(records, call, key) + ACCESS_RECORD.offset.FLAGS];
}

/** The call's declared key number `key`, as a view. */
export function keyBytes(records: CallColumns, call: number, key: number): Uint8Array {
  const at = keyAt(records, call, key);
  const from = records.keys[at + KEY_RECORD.offset.KEY_AT];
  return records.bytes.subarray(from, from + records.keys[at + KEY_RECORD.offset.KEY_BYTES]);
}

/** Whether the call may write its declared key number `key`. */
export function isWritten(records: CallColumns, call: number, key: number): boolean {
  return (keyFlags(records, call, key) & KEY_WRITTEN) !== 0;
}

/** The call's context, as a view. */
export function contextBytes({ heads, bytes }: CallColumns, call: number): Uint8Array {
  const at = call * CALL_RECORD.words;
  const from = heads[at + CALL_RECORD.offset.CONTEXT_AT];
  return bytes.subarray(from, from + heads[at + CALL_RECORD.offset.CONTEXT_BYTES]);
}

/** The fuel that the call starts with. */
export function callFuel({ heads }: CallColumns, call: number): number {
  return heads[call * CALL_RECORD.words + CALL_RECORD.offset.FUEL];
}

/** Hash of the program that the call runs. */
export function programOf({ heads, programs }: CallColumns, call: number): string {
  return programs[heads[call * CALL_RECORD.words + CALL_RECORD.offset.PROGRAM]];
}

/** Hash of a key, as in kernels/storage-access.wgsl: over little-endian words, the last one padded with zeros. */
export function hashKey(seed: number, key: Uint8Array, start = 0, end = key.length): number {
  let h = seed ^ Math.imul(end - start, 0x9e3779b1);
  for (let i = start; i < end; i += 4) {
    let word = key[i];
    if (i + 1 < end) word |= key[i + 1] << 8;
    if (i + 2 < end) word |= key[i + 2] << 16;
    if (i + 3 < end) word |= key[i + 3] << 24;
    h = Math.imul(h ^ word, 0x85ebca6b);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Writes calls into columns. `seed` is where key hashes start. */
export class CallRecorder {
  readonly #programs: string[] = [];
  readonly #programIds = new Map<string, number>();
  #heads = new Uint32Array(64 * CALL_RECORD.words);
  #accesses = new Uint32Array(256 * ACCESS_RECORD.words);
  #keys = new Uint32Array(256 * KEY_RECORD.words);
  #bytes = new Uint8Array(16 * 1024);
  #count = 0;
  #accessCount = 0;
  #keyCount = 0;
  #length = 0;
  /** Key number by the hash of key and contract or a number behind it, for many calls name the same key. */
  readonly #known = new Map<number, number>();
  /** By key: where the id of its contract lies. */
  readonly #contractAt: number[] = [];
  /** Where a value has been written, for many calls read the same one. */
  readonly #values = new Map<Uint8Array, number>();
  readonly #word = new Uint32Array(1);
  readonly #wordBytes = new Uint8Array(this.#word.buffer);

  constructor(readonly seed: number) {}

  /**
   * Adds a call and returns its number; undefined if the call, or the list with it, would be too large for the kernel.
   * The keys of `declared` must be distinct.
   */
  add(
    program: string,
    call: { readonly context: Uint8Array; readonly fuel: number; readonly height: number },
    declared: readonly DeclaredKey[],
    expected: Expectation,
  ): number | undefined {
    if (declared.length > MAX_KEYS_PER_CALL) return undefined;
    let total = call.context.length;
    for (const { key, value } of declared) total += key.length + (value?.length ?? 0);
    if (total > MAX_BYTES_PER_CALL || this.#bytesUsed() > MAX_RECORD_BYTES) return undefined;
    let programId = this.#programIds.get(program);
    if (programId === undefined) {
      programId = this.#programs.push(program) - 1;
      this.#programIds.set(program, programId);
    }
    this.#reserve(declared.length);
    const at = this.#count * CALL_RECORD.words;
    const { offset } = CALL_RECORD;
    this.#heads[at + offset.PROGRAM] = programId;
    this.#heads[at + offset.CONTEXT_AT] = this.#put(call.context);
    this.#heads[at + offset.CONTEXT_BYTES] = call.context.length;
    this.#heads[at + offset.FUEL] = call.fuel;
    this.#heads[at + offset.HEIGHT] = call.height;
    this.#heads[at + offset.FIRST_ACCESS] = this.#accessCount;
    this.#heads[at + offset.ACCESSES] = declared.length;
    this.#heads[at + offset.EXPECTED_BYTES] = expected.bytes ?? NONE;
    this.#addAccesses(declared, this.#heads[at + offset.CONTEXT_AT], call.context);
    return this.#count++;
  }

  /** Returns what was added and empties the recorder. */
  take(): CallColumns {
    const records: CallColumns = {
      count: this.#count,
      programs: [...this.#programs],
      heads: this.#heads.slice(0, this.#count * CALL_RECORD.words),
      accesses: this.#accesses.slice(0, this.#accessCount * ACCESS_RECORD.words),
      keys: this.#keys.slice(0, this.#keyCount * KEY_RECORD.words),
      bytes: this.#bytes.slice(0, this.#length),
    };
    this.#count = this.#accessCount = this.#keyCount = this.#length = 0;
    this.#known.clear();
    this.#contractAt.length = 0;
    this.#values.clear();
    this.#programs.length = 0;
    this.#programIds.clear();
    return records;
  }

  #bytesUsed(): number {
    const words =
      this.#count * CALL_RECORD.words + this.#accessCount * ACCESS_RECORD.words + this.#keyCount * KEY_RECORD.words;
    return words * 4 + this.#length;
  }

  #addAccesses(declared: readonly DeclaredKey[], contextAt: number, context: Uint8Array): void {
    const contract = context.length < CONTRACT_BYTES ? 0 : hashKey(this.seed, context.subarray(0, CONTRACT_BYTES));
    const first = this.#accessCount;
    const { words, offset } = ACCESS_RECORD;
    for (const entry of declared) {
      const hash = hashKey(this.seed, entry.key);
      // Insertion sort: nearly every call has only a handful.
      let place = this.#accessCount++;
      while (place > first && this.#accesses[(place - 1) * words + offset.HASH] > hash) place--;
      const at = place * words;
      this.#accesses.copyWithin(at + words, at, (this.#accessCount - 1) * words);
      this.#accesses[at + offset.HASH] = hash;
      this.#accesses[at + offset.KEY] = this.#keyNumber(entry, hash, contract, contextAt);
      this.#accesses[at + offset.FLAGS] = (entry.read ? KEY_READ : 0) | (entry.written ? KEY_WRITTEN : 0);
    }
  }

  /** Number of the key: its existing one, or a new one. */
  #keyNumber({ key, value }: DeclaredKey, hash: number, contract: number, contextAt: number): number {
    let place = Math.imul(hash ^ contract, 0x9e3779b1) >>> 0;
    let known = this.#known.get(place);
    while (known !== undefined && !this.#isSameKey(known, key, contextAt)) {
      place = (place + 1) >>> 0;
      known = this.#known.get(place);
    }
    if (known !== undefined && this.#hasValue(known, value)) return known;
    const number = this.#keyCount++;
    this.#known.set(place, number);
    this.#contractAt[number] = contextAt;
    const at = number * KEY_RECORD.words;
    const { offset } = KEY_RECORD;
    this.#keys[at + offset.HASH] = hash;
    this.#keys[at + offset.KEY_AT] = this.#put(key);
    this.#keys[at + offset.KEY_BYTES] = key.length;
    this.#keys[at + offset.VALUE_AT] = value === undefined ? 0 : this.#putValue(value);
    this.#keys[at + offset.VALUE_BYTES] = value === undefined ? NONE : value.length;
    return number;
  }

  #isSameKey(number: number, key: Uint8Array, contextAt: number): boolean {
    const at = number * KEY_RECORD.words;
    const { offset } = KEY_RECORD;
    if (this.#keys[at + offset.KEY_BYTES] !== key.length || !this.#has(this.#keys[at + offset.KEY_AT], key))
      return false;
    return this.#has(this.#contractAt[number], this.#bytes.subarray(contextAt, contextAt + CONTRACT_BYTES));
  }

  /** Calls of a block read the same value. Independent calls may not; then each needs a key of its own. */
  #hasValue(number: number, value: Uint8Array | undefined): boolean {
    const at = number * KEY_RECORD.words;
    const length = this.#keys[at + KEY_RECORD.offset.VALUE_BYTES];
    if (value === undefined) return length === NONE;
    return length === value.length && this.#has(this.#keys[at + KEY_RECORD.offset.VALUE_AT], value);
  }

  #has(from: number, bytes: Uint8Array): boolean {
    return bytes.every((byte, i) => this.#bytes[from + i] === byte);
  }

  #reserve(accesses: number): void {
    if ((this.#count + 1) * CALL_RECORD.words > this.#heads.length) this.#heads = grown(this.#heads, Uint32Array);
    while ((this.#accessCount + accesses) * ACCESS_RECORD.words > this.#accesses.length) {
      this.#accesses = grown(this.#accesses, Uint32Array);
    }
    while ((this.#keyCount + accesses) * KEY_RECORD.words > this.#keys.length)
      this.#keys = grown(this.#keys, Uint32Array);
  }

  #putValue(value: Uint8Array): number {
    let at = this.#values.get(value);
    if (at === undefined) {
      this.#word[0] = value.length;
      this.#put(this.#wordBytes);
      at = this.#put(value);
      this.#values.set(value, at);
    }
    return at;
  }

  /** Appends bytes, padded with zeros to whole words; returns their offset. */
  #put(bytes: Uint8Array): number {
    const at = this.#length;
    this.#length += (bytes.length + 3) & ~3;
    while (this.#length > this.#bytes.length) this.#bytes = grown(this.#bytes, Uint8Array);
    this.#bytes.fill(0, at + bytes.length, this.#length);
    this.#bytes.set(bytes, at);
    return at;
  }
}

type Column = Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
function grown<T extends Column>(column: T, make: new (length: number) => T): T {
  const larger = new make(column.length * 2);
  larger.set(column);
  return larger;
}
