/**
 * Contract calls in columns: what a dry run found of a call, written once into typed arrays that travel between threads
 * without a copy and are packed for the kernel without an object per call.
 */
import { CALL_RECORD, KEY_READ, KEY_RECORD, KEY_TOUCHED, KEY_WRITTEN, MAX_OUTPUT_BYTES, NONE } from './layout.js';

/** What the kernel takes of one call; a call with more stays on the CPU. */
export const MAX_KEYS_PER_CALL = 1024;
export const MAX_BYTES_PER_CALL = 256 * 1024;

/** One declared key of a call. */
export interface DeclaredKey {
  readonly key: Uint8Array;
  readonly read: boolean;
  readonly written: boolean;
  /** What the call finds there; undefined = absent. */
  readonly value: Uint8Array | undefined;
  /** The dry run really read it. */
  readonly touched?: boolean;
}

/** What is known of a call's end beforehand. */
export interface Expectation {
  /** Length of result to make room for; undefined: not known. */
  readonly bytes?: number;
  /** What the dry run returned, if it ended well. */
  readonly result?: Uint8Array;
  readonly fuelLeft?: number;
}

/** A list of calls. Offsets are in bytes of `bytes`; the fields are those of CALL_RECORD and KEY_RECORD in layout.ts. */
export interface CallRecords {
  readonly count: number;
  /** Program hashes; the field PROGRAM is an index into this. */
  readonly programs: readonly string[];
  readonly heads: Uint32Array<ArrayBuffer>;
  /** The keys of all calls; those of one call lie together, in ascending order of their hashes. */
  readonly keys: Uint32Array<ArrayBuffer>;
  /** Contexts, keys and values, each at a multiple of four; before a value its length as a word. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Results of dry runs: they stay on the host. */
  readonly results: Uint8Array<ArrayBuffer>;
}

/** The buffers of `records`, for a transfer list. */
export function buffersOf({ heads, keys, bytes, results }: CallRecords): ArrayBuffer[] {
  return [heads.buffer, keys.buffer, bytes.buffer, results.buffer];
}

/** Number of declared keys of call number `call`. */
export function keyCount({ heads }: CallRecords, call: number): number {
  return heads[call * CALL_RECORD.words + CALL_RECORD.offset.KEYS];
}

/** The call's declared key number `key`, as a view. */
export function keyBytes({ heads, keys, bytes }: CallRecords, call: number, key: number): Uint8Array {
  const first = heads[call * CALL_RECORD.words + CALL_RECORD.offset.FIRST_KEY];
  const at = (first + key) * KEY_RECORD.words;
  const from = keys[at + KEY_RECORD.offset.KEY_AT];
  return bytes.subarray(from, from + keys[at + KEY_RECORD.offset.KEY_BYTES]);
}

/** Whether the call may write its declared key number `key`. */
export function isWritten({ heads, keys }: CallRecords, call: number, key: number): boolean {
  const first = heads[call * CALL_RECORD.words + CALL_RECORD.offset.FIRST_KEY];
  return (keys[(first + key) * KEY_RECORD.words + KEY_RECORD.offset.FLAGS] & KEY_WRITTEN) !== 0;
}

/** The call's context, as a view. */
export function contextBytes({ heads, bytes }: CallRecords, call: number): Uint8Array {
  const at = call * CALL_RECORD.words;
  const from = heads[at + CALL_RECORD.offset.CONTEXT_AT];
  return bytes.subarray(from, from + heads[at + CALL_RECORD.offset.CONTEXT_BYTES]);
}

/** What the call's dry run returned, as a view, and the fuel that it left; undefined if it gave no result. */
export function dryResult(
  { heads, results }: CallRecords,
  call: number,
): { readonly result: Uint8Array; readonly fuelLeft: number } | undefined {
  const at = call * CALL_RECORD.words;
  const length = heads[at + CALL_RECORD.offset.RESULT_BYTES];
  if (length === NONE) return undefined;
  const from = heads[at + CALL_RECORD.offset.RESULT_AT];
  return { result: results.subarray(from, from + length), fuelLeft: heads[at + CALL_RECORD.offset.FUEL_LEFT] };
}

/** Whether the dry run of the call read its declared key number `key`, and what it found (null: nothing). */
export function dryRead({ heads, keys, bytes }: CallRecords, call: number, key: number): Uint8Array | null | undefined {
  const first = heads[call * CALL_RECORD.words + CALL_RECORD.offset.FIRST_KEY];
  const at = (first + key) * KEY_RECORD.words;
  if ((keys[at + KEY_RECORD.offset.FLAGS] & KEY_TOUCHED) === 0) return undefined;
  const length = keys[at + KEY_RECORD.offset.VALUE_BYTES];
  if (length === NONE) return null;
  const from = keys[at + KEY_RECORD.offset.VALUE_AT];
  return bytes.subarray(from, from + length);
}

/** Hash of the program that the call runs. */
export function programOf({ heads, programs }: CallRecords, call: number): string {
  return programs[heads[call * CALL_RECORD.words + CALL_RECORD.offset.PROGRAM]];
}

/** Hash of a key as kernels/storage-access.wgsl computes it: over little-endian words, the last one padded with zeros. */
export function hashKey(seed: number, key: Uint8Array): number {
  let h = seed ^ Math.imul(key.length, 0x9e3779b1);
  for (let i = 0; i < key.length; i += 4) {
    const word = key[i] | (key[i + 1] << 8) | (key[i + 2] << 16) | (key[i + 3] << 24);
    h = Math.imul(h ^ word, 0x85ebca6b);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Writes calls into columns. `seed` starts the key hashes; all records of one batch must share it. */
export class CallRecorder {
  readonly #programs: string[] = [];
  readonly #programIds = new Map<string, number>();
  #heads = new Uint32Array(64 * CALL_RECORD.words);
  #keys = new Uint32Array(256 * KEY_RECORD.words);
  #bytes = new Uint8Array(16 * 1024);
  #results = new Uint8Array(4 * 1024);
  #count = 0;
  #keyCount = 0;
  #length = 0;
  #resultLength = 0;
  /** Where a value lies already: many calls read the same one. */
  readonly #values = new Map<Uint8Array, number>();
  readonly #word = new Uint32Array(1);
  readonly #wordBytes = new Uint8Array(this.#word.buffer);

  constructor(readonly seed: number) {}

  /**
   * Adds a call and returns its number, or undefined if it is too large for the kernel. The keys of `declared` are all different.
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
    if (total > MAX_BYTES_PER_CALL) return undefined;
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
    this.#heads[at + offset.FIRST_KEY] = this.#keyCount;
    this.#heads[at + offset.KEYS] = declared.length;
    this.#heads[at + offset.EXPECTED_BYTES] = expected.bytes ?? NONE;
    const keeps = expected.result !== undefined && expected.result.length <= MAX_OUTPUT_BYTES;
    this.#heads[at + offset.RESULT_AT] = this.#resultLength;
    this.#heads[at + offset.RESULT_BYTES] = keeps ? this.#putResult(expected.result) : NONE;
    this.#heads[at + offset.FUEL_LEFT] = expected.fuelLeft ?? 0;
    this.#addKeys(declared);
    return this.#count++;
  }

  /** What was added; the recorder is empty afterwards. */
  take(): CallRecords {
    const records: CallRecords = {
      count: this.#count,
      programs: [...this.#programs],
      heads: this.#heads.slice(0, this.#count * CALL_RECORD.words),
      keys: this.#keys.slice(0, this.#keyCount * KEY_RECORD.words),
      bytes: this.#bytes.slice(0, this.#length),
      results: this.#results.slice(0, this.#resultLength),
    };
    this.#count = this.#keyCount = this.#length = this.#resultLength = 0;
    this.#values.clear();
    this.#programs.length = 0;
    this.#programIds.clear();
    return records;
  }

  #addKeys(declared: readonly DeclaredKey[]): void {
    const first = this.#keyCount;
    for (const entry of declared) {
      const hash = hashKey(this.seed, entry.key);
      // Insertion keeps them sorted; nearly every call has a handful.
      let place = this.#keyCount++;
      while (place > first && this.#keys[(place - 1) * KEY_RECORD.words + KEY_RECORD.offset.HASH] > hash) place--;
      const at = place * KEY_RECORD.words;
      this.#keys.copyWithin(at + KEY_RECORD.words, at, (this.#keyCount - 1) * KEY_RECORD.words);
      const { offset } = KEY_RECORD;
      this.#keys[at + offset.HASH] = hash;
      this.#keys[at + offset.FLAGS] =
        (entry.read ? KEY_READ : 0) | (entry.written ? KEY_WRITTEN : 0) | (entry.touched ? KEY_TOUCHED : 0);
      this.#keys[at + offset.KEY_AT] = this.#put(entry.key);
      this.#keys[at + offset.KEY_BYTES] = entry.key.length;
      this.#keys[at + offset.VALUE_AT] = entry.value === undefined ? 0 : this.#putValue(entry.value);
      this.#keys[at + offset.VALUE_BYTES] = entry.value === undefined ? NONE : entry.value.length;
    }
  }

  #reserve(keys: number): void {
    if ((this.#count + 1) * CALL_RECORD.words > this.#heads.length) this.#heads = grown(this.#heads, Uint32Array);
    while ((this.#keyCount + keys) * KEY_RECORD.words > this.#keys.length) this.#keys = grown(this.#keys, Uint32Array);
  }

  /** Appends a result; returns its length. */
  #putResult(result: Uint8Array): number {
    const at = this.#resultLength;
    this.#resultLength += result.length;
    while (this.#resultLength > this.#results.length) this.#results = grown(this.#results, Uint8Array);
    this.#results.set(result, at);
    return result.length;
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
