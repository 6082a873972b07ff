import { writeU32 } from '../util/bytes.js';
import { ACCESS, CALL, MAX_CALL_FUEL, NONE, RESULT } from './layout.js';
import type { GpuCall } from './types.js';

/** A growing run of u32 words whose memory is kept between batches: packing allocates nothing once warm. */
export class Arena {
  words = new Uint32Array(1024);
  bytes = new Uint8Array(this.words.buffer);
  length = 0;

  /** Room for `count` words, not cleared; returns the index of the first. */
  take(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.words.length) {
      const words = new Uint32Array(Math.max(this.length, this.words.length * 2));
      words.set(this.words.subarray(0, at));
      this.words = words;
      this.bytes = new Uint8Array(words.buffer);
    }
    return at;
  }

  /** Appends bytes, padded with zeros to whole words; returns the word index. */
  put(bytes: Uint8Array): number {
    const count = (bytes.length + 3) >>> 2;
    const at = this.take(count);
    if (count > 0) this.words[at + count - 1] = 0;
    this.bytes.set(bytes, at * 4);
    return at;
  }

  filled(): Uint32Array<ArrayBuffer> {
    return this.words.subarray(0, this.length);
  }
}

/** The input buffers of one batch, see layout.ts. */
export interface PackedBatch {
  readonly calls: number;
  readonly txPayloads: Uint32Array<ArrayBuffer>;
  readonly inputState: Uint32Array<ArrayBuffer>;
  readonly stateMap: Uint32Array<ArrayBuffer>;
  readonly accessLists: Uint32Array<ArrayBuffer>;
  readonly seed: number;
  /** Words of `status_flags.words`: results, then the touched bits. */
  readonly statusWords: number;
}

/** Hash of a key as kernels/storage-access.wgsl computes it. */
function hashKey(seed: number, key: Uint8Array): number {
  let h = seed;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ (key[i] ?? 0), 16777619);
  return h >>> 0;
}

function mixHash(hash: number, first: number): number {
  let h = hash ^ Math.imul(first, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Packs calls into the kernel's input buffers. The result's arrays are views that the next `pack` overwrites. */
export class Packer {
  readonly #payloads = new Arena();
  readonly #state = new Arena();
  readonly #access = new Arena();
  readonly #map = new Arena();
  #seed = 0;

  /** `seed` starts the key hash; random, so that nobody can choose keys that collide. It never shows in a result. */
  pack(calls: readonly GpuCall[], seed: number): PackedBatch {
    for (const arena of [this.#payloads, this.#state, this.#access, this.#map]) arena.length = 0;
    this.#seed = seed;
    this.#payloads.take(calls.length * CALL.words);
    let touchedAt = calls.length * RESULT.words;
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i];
      if (call === undefined) continue;
      if (!(call.fuel >= 0 && call.fuel <= MAX_CALL_FUEL)) throw new RangeError('fuel of a call is out of range');
      const contextAt = this.#payloads.put(call.context);
      const firstRead = this.#access.length / ACCESS.words;
      for (const { key, value } of call.reads) this.#record(key, value);
      const firstWrite = this.#access.length / ACCESS.words;
      for (const key of call.writes) this.#record(key, undefined);
      const head = this.#payloads.words;
      const at = i * CALL.words;
      head[at + CALL.offset.CONTEXT_AT] = contextAt;
      head[at + CALL.offset.CONTEXT_BYTES] = call.context.length;
      head[at + CALL.offset.FUEL] = call.fuel;
      head[at + CALL.offset.HEIGHT] = call.height;
      head[at + CALL.offset.FIRST_READ] = firstRead;
      head[at + CALL.offset.READS] = call.reads.length;
      head[at + CALL.offset.FIRST_WRITE] = firstWrite;
      head[at + CALL.offset.WRITES] = call.writes.length;
      head[at + CALL.offset.TOUCHED_AT] = touchedAt;
      touchedAt += (call.reads.length + 31) >>> 5;
    }
    this.#buildMap(calls);
    return {
      calls: calls.length,
      txPayloads: this.#payloads.filled(),
      inputState: this.#state.filled(),
      stateMap: this.#map.filled(),
      accessLists: this.#access.filled(),
      seed,
      statusWords: touchedAt,
    };
  }

  #record(key: Uint8Array, value: Uint8Array | undefined): void {
    const keyAt = this.#state.put(key);
    const valueAt = value === undefined ? 0 : this.#state.put(value);
    const at = this.#access.take(ACCESS.words);
    const { words } = this.#access;
    words[at + ACCESS.offset.HASH] = hashKey(this.#seed, key);
    words[at + ACCESS.offset.KEY_AT] = keyAt;
    words[at + ACCESS.offset.KEY_BYTES] = key.length;
    words[at + ACCESS.offset.VALUE_AT] = valueAt;
    words[at + ACCESS.offset.VALUE_BYTES] = value === undefined ? NONE : value.length;
  }

  /** Open addressing, linear probing, at most half full; an entry is a record's number + 1, so 0 is free. */
  #buildMap(calls: readonly GpuCall[]): void {
    const records = this.#access.length / ACCESS.words;
    let size = 4;
    while (size < records * 2) size *= 2;
    this.#map.take(size);
    const table = this.#map.filled().fill(0);
    const { words } = this.#access;
    let record = 0;
    const insert = (count: number): void => {
      const first = record;
      for (; record < first + count; record++) {
        let slot = mixHash(words[record * ACCESS.words + ACCESS.offset.HASH] ?? 0, first) & (size - 1);
        while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
        table[slot] = record + 1;
      }
    };
    for (const call of calls) {
      insert(call.reads.length);
      insert(call.writes.length);
    }
  }
}

/** Bytes that a call takes in the largest of the input buffers, at most: what chunks are measured by. */
export function packedBytes(call: GpuCall): number {
  let bytes = CALL.words * 4 + call.context.length + 8;
  for (const { key, value } of call.reads) bytes += key.length + (value?.length ?? 0) + ACCESS.words * 4 + 24;
  for (const key of call.writes) bytes += key.length + ACCESS.words * 4 + 24;
  return bytes;
}

/** The uniform `params`, see layout.ts. */
export function packParams(calls: number, stride: number, mapWords: number, seed: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(16);
  [calls, stride, mapWords - 1, seed].forEach((value, i) => {
    writeU32(out, i * 4, value);
  });
  return out;
}
