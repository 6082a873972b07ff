/** Parts of the state before a block that were read as a whole, so that their keys need no further reads. */
import type { LaneKey, StateReader } from '../../lane/types.js';
import { binarySlice, fromBinaryString } from '../../util/bytes.js';
import { entryWeight } from './block-weight.js';
import { KnownRows } from './known-rows.js';
import type { Walks } from './walks.js';

/** Reads of a part after which it may be worth reading as a whole. */
const FIRST_TRY = 256;
/** What a part that was walked through may have grown by when it is walked through again, and reads before that. */
const MORE_ROWS = 1.25;
const FEW_READS = 16;
/** A part that was too large is tried again after so many times the reads. */
const PATIENCE = 4;
/** What a part that is known takes beside its rows, about. */
const PART_BYTES = 1_024;

const STORE = 'store/';
/** `store/`, the id of a contract and `/`. */
const STORE_PREFIX = 39;
const BALANCE = 'balance/';

/** Keys that begin with `prefix`. */
interface Part {
  readonly prefix: LaneKey;
  readonly prefixBytes: Uint8Array;
  reads: number;
  nextTry: number;
  /** All that is there, once it is known. */
  rows: KnownRows | undefined;
}

/**
 * A contract can ask for key after key that is not there, and asking the database costs several times what the contract
 * pays. A part of the state (one contract's storage, all balances) that is read again and again is therefore walked
 * through once, as far as it has no more rows than keys were read in it: so walking never costs more than reading did.
 * Valid while `base` does not change.
 */
export class KnownRanges {
  readonly #base: StateReader;
  readonly #mostBytes: number;
  readonly #walks: Walks | undefined;
  readonly #parts = new Map<LaneKey, Part>();
  #last: Part | undefined;
  #bytes = 0;

  /**
   * `mostBytes`: what the parts take at most, by the estimate of block-weight.ts; `walks`: what is known of the blocks
   * before.
   */
  constructor(base: StateReader, mostBytes: number, walks?: Walks) {
    this.#base = base;
    this.#walks = walks;
    this.#mostBytes = mostBytes;
  }

  /** All rows of the part that `key` lies in, if they are known: what they do not have is not there. */
  around(key: LaneKey): KnownRows | undefined {
    return this.#partOf(key)?.rows;
  }

  /**
   * The same for a read of the key from `start` to `end` of `bytes`, which is counted if the database must answer it.
   * It needs no text of a key in the part that was asked about last.
   */
  aroundAt(bytes: Uint8Array, start: number, end: number): KnownRows | undefined {
    const last = this.#last;
    const isIn = last !== undefined && hasPrefix(bytes, start, end, last.prefixBytes);
    const part = isIn ? last : this.#partOf(binarySlice(bytes, start, end));
    return part?.rows ?? this.#count(part);
  }

  /** Counts a read of `key` that the database must answer; gives the rows around it if that makes them known. */
  missed(key: LaneKey): KnownRows | undefined {
    return this.#count(this.#partOf(key));
  }

  #count(part: Part | undefined): KnownRows | undefined {
    if (part === undefined || ++part.reads < part.nextTry) return undefined;
    part.nextTry = part.reads * PATIENCE;
    const started = performance.now();
    const rows = this.#base.allUnder?.(part.prefix, part.reads, this.#mostBytes - this.#bytes);
    // In the next block some more rows may be there.
    const again = rows === undefined ? part.nextTry : Math.ceil(rows.size * MORE_ROWS) + FEW_READS;
    this.#walks?.ended(part.prefix, performance.now() - started, again);
    if (rows === undefined) return undefined;
    this.#bytes += PART_BYTES;
    for (const [row, value] of rows) this.#bytes += entryWeight(row, value);
    part.rows = new KnownRows(rows);
    return part.rows;
  }

  #partOf(key: LaneKey): Part | undefined {
    if (this.#base.allUnder === undefined) return undefined;
    if (this.#last !== undefined && key.startsWith(this.#last.prefix)) return this.#last;
    const length = key.startsWith(STORE) ? STORE_PREFIX : key.startsWith(BALANCE) ? BALANCE.length : 0;
    if (length === 0 || key.length < length) return undefined;
    const prefix = key.slice(0, length);
    let part = this.#parts.get(prefix);
    if (part === undefined) {
      this.#bytes += entryWeight(prefix, undefined);
      // All are forgotten at once: whatever is read much comes back.
      if (this.#bytes > this.#mostBytes) {
        this.#parts.clear();
        this.#bytes = entryWeight(prefix, undefined);
      }
      const nextTry = this.#walks?.firstTry(prefix, FIRST_TRY) ?? FIRST_TRY;
      part = { prefix, prefixBytes: fromBinaryString(prefix), reads: 0, nextTry, rows: undefined };
      this.#parts.set(prefix, part);
    }
    this.#last = part;
    return part;
  }
}

/** Whether the key from `start` to `end` of `bytes` begins with `prefix`. */
export function hasPrefix(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
