/** The state before a block, each key read once. */
import { InternalError } from '../../errors/errors.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { BoundedCache } from '../../program/lru.js';
import { admittedProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { binarySlice, fromBinaryString } from '../../util/bytes.js';
import { entryWeight } from './block-weight.js';
import { hasPrefix, KnownRanges } from './known-ranges.js';
import type { Walks } from './walks.js';

/** Keys of sheets, which are asked for in advance, begin with it. */
const SHEET = 'sheet/';
const SHEET_BYTES = fromBinaryString(SHEET);
/** Keys read at once. */
const PIECE = 1_024;
/** Bytes that it remembers at most, by the estimate of block-weight.ts. */
const MOST_BYTES = 64 * 1024 * 1024;
/** The same of the parts of the state that it read as a whole. */
const MOST_RANGE_BYTES = 64 * 1024 * 1024;
/** Programs that it remembers at most, and the bytes that they take without their code. */
const MOST_PROGRAMS = 16_384;
const MOST_PROGRAM_BYTES = 16 * 1024 * 1024;
const PROGRAM_BYTES = 1_024;

/**
 * Remembers what `base` said; valid while `base` does not change, so for one block. When it holds `mostBytes` it
 * forgets all of it: a block that reads that many keys asks for few of them again. What is read again and again is read
 * as a whole where that is cheaper (known-ranges.ts).
 */
export class CachingReader implements StateReader {
  readonly #base: StateReader;
  readonly #mostBytes: number;
  readonly #known = new Map<LaneKey, Uint8Array | undefined>();
  readonly #ranges: KnownRanges;
  readonly #programs = new BoundedCache<Program>(MOST_PROGRAMS, MOST_PROGRAM_BYTES);
  #bytes = 0;
  /** As {@link get}, for a caller that remembers what it is told: only what was asked for in advance is kept here. */
  readonly unkept: StateReader;

  /** `walks`: what this thread knows of the blocks before. */
  constructor(base: StateReader, walks?: Walks, mostBytes = MOST_BYTES, mostRangeBytes = MOST_RANGE_BYTES) {
    this.#ranges = new KnownRanges(base, mostRangeBytes, walks);
    this.#base = base;
    this.#mostBytes = mostBytes;
    this.unkept = {
      get: (key) => (key.startsWith(SHEET) ? this.get(key) : this.#getUnkept(key)),
      getAt: (bytes, start, end) => this.#getUnkeptAt(bytes, start, end),
      getManyAt: base.getManyAt && ((bytes, starts, ends) => base.getManyAt?.(bytes, starts, ends) ?? []),
    };
  }

  /** Keys that are remembered now. */
  get size(): number {
    return this.#known.size;
  }

  get(key: LaneKey): Uint8Array | undefined {
    const around = this.#ranges.around(key);
    if (around !== undefined) return around.get(key);
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known;
    const read = this.#ranges.missed(key);
    if (read !== undefined) return read.get(key);
    const value = tight(this.#base.get(key));
    this.#remember(key, value);
    return value;
  }

  programAt(key: LaneKey): Program | undefined {
    return this.#programs.get(key);
  }

  learnCode(key: LaneKey, { hash }: Program): void {
    const program = admittedProgram(hash, () => {
      const code = this.get(key);
      if (code === undefined) throw new InternalError('code is gone that was there', { facts: { program: hash } });
      return code.subarray(1);
    });
    if (program !== undefined) this.#programs.set(key, program, PROGRAM_BYTES + program.slots.byteLength);
  }

  #getUnkeptAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    if (hasPrefix(bytes, start, end, SHEET_BYTES)) return this.get(binarySlice(bytes, start, end));
    const rows = this.#ranges.aroundAt(bytes, start, end);
    if (rows !== undefined) return rows.getAt(bytes, start, end);
    const base = this.#base;
    return base.getAt === undefined ? base.get(binarySlice(bytes, start, end)) : base.getAt(bytes, start, end);
  }

  #getUnkept(key: LaneKey): Uint8Array | undefined {
    const rows = this.#ranges.around(key) ?? this.#ranges.missed(key);
    return rows === undefined ? this.#base.get(key) : rows.get(key);
  }

  /** Reads keys that will be needed, where the state reads many at once faster than one after the other. */
  prefetch(keys: readonly LaneKey[]): void {
    if (this.#base.getMany === undefined) return;
    for (let at = 0; at < keys.length; at += PIECE) {
      const piece = keys.slice(at, at + PIECE).filter((key) => !this.#known.has(key));
      const values = this.#base.getMany(piece);
      piece.forEach((key, i) => {
        this.#remember(key, tight(values[i]));
      });
    }
  }

  /** Takes what another thread has read of the same state. */
  learn(seen: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    for (const [key, value] of seen) {
      if (this.#ranges.around(key) !== undefined || this.#known.has(key)) continue;
      if (this.#ranges.missed(key) === undefined) this.#remember(key, value);
    }
  }

  /** Keeps the value of a key that is not known. */
  #remember(key: LaneKey, value: Uint8Array | undefined): void {
    this.#bytes += entryWeight(key, value);
    if (this.#bytes > this.#mostBytes) {
      this.#known.clear();
      this.#bytes = entryWeight(key, value);
    }
    this.#known.set(key, value);
  }
}

/** Values travel between threads, and a view would take its whole buffer along. */
function tight(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined || value.length === value.buffer.byteLength ? value : value.slice();
}
