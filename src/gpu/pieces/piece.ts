/** A piece: some calls of a segment, adjacent in packed order, as a block of their own. */
import { EMPTY_BYTES } from '../../util/bytes.js';
import { copyBytes } from '../../util/copy-bytes.js';
import type { PackedBlock } from '../pack/pack.js';
import type { CallColumns } from '../pack/records.js';
import type { GpuBlock, SegmentReadback } from '../pack/types.js';
import {
  ACCESS_RECORD,
  CALL_RECORD,
  KEY_RECORD,
  NONE,
  RESULT,
  STATUSES,
  WRITTEN_ADDRESS,
} from '../translate/layout.js';
import { MOST_PIECE_ANSWER, MOST_PIECE_BYTES, MOST_PIECE_CALLS, MOST_PIECE_FUEL } from './limits.js';

const HEAD = CALL_RECORD.offset;
const HEAD_WORDS = CALL_RECORD.words;
const ACCESS = ACCESS_RECORD.offset;
const ACCESS_WORDS = ACCESS_RECORD.words;
const KEY = KEY_RECORD.offset;
const KEY_WORDS = KEY_RECORD.words;
const OK = STATUSES.indexOf('OK');
/** Statuses up to this one tell what fuel is left. */
const TRAP = STATUSES.indexOf('TRAP');

/** The calls from `first` to `end` of the packed order. */
export interface PieceRange {
  readonly first: number;
  readonly end: number;
  /** Where its colours end in the packed order, the last one at `end`. */
  readonly colourEnds: readonly number[];
  /** Whether it begins with a colour of which no earlier piece has calls. */
  readonly startsColour: boolean;
}

/** Bytes that the results of the packed calls from `first` to `end` take. */
function answerBytes({ firstAccess, outAt }: PackedBlock, first: number, end: number): number {
  return 4 * ((end - first) * RESULT.words + firstAccess[end] - firstAccess[first] + outAt[end] - outAt[first]);
}

/** Most bytes of the columns of a call: with each of its keys as its own. */
function columnBytes({ heads, accesses, keys }: CallColumns, call: number): number {
  const head = call * HEAD_WORDS;
  const count = heads[head + HEAD.ACCESSES];
  let bytes = 4 * HEAD_WORDS + padded(heads[head + HEAD.CONTEXT_BYTES]);
  let at = heads[head + HEAD.FIRST_ACCESS] * ACCESS_WORDS;
  for (let k = 0; k < count; k++, at += ACCESS_WORDS) {
    const key = accesses[at + ACCESS.KEY] * KEY_WORDS;
    const value = keys[key + KEY.VALUE_BYTES];
    bytes += 4 * (ACCESS_WORDS + KEY_WORDS) + padded(keys[key + KEY.KEY_BYTES]);
    if (value !== NONE) bytes += 4 + padded(value);
  }
  return bytes;
}

/** Cuts a segment, whose colours have so many calls each, into pieces of `mostCalls` calls at most. */
export function cutSegment(
  records: CallColumns,
  packed: PackedBlock,
  start: number,
  colours: readonly number[],
  mostCalls: number,
): PieceRange[] {
  const { callOf, fuelBefore } = packed;
  const most = Math.max(1, Math.min(mostCalls, MOST_PIECE_CALLS));
  const pieces: PieceRange[] = [];
  let first = start;
  let startsColour = true;
  let bytes = 0;
  let ends: number[] = [];
  let call = start;
  const cut = (isInside: boolean): void => {
    pieces.push({ first, end: call, colourEnds: ends, startsColour });
    [first, ends, bytes, startsColour] = [call, [], 0, !isInside];
  };
  for (const count of colours) {
    const end = call + count;
    // The rest of a colour goes beside its other calls: what follows them cannot.
    if (!startsColour && call > first) cut(false);
    for (; call < end; call++) {
      const more = columnBytes(records, callOf[call]);
      const isFull =
        call - first >= most ||
        bytes + more > MOST_PIECE_BYTES ||
        answerBytes(packed, first, call + 1) > MOST_PIECE_ANSWER ||
        fuelBefore[call + 1] - fuelBefore[first] > MOST_PIECE_FUEL;
      if (isFull && call > first) {
        const isInside = call > end - count;
        if (isInside) ends.push(call);
        cut(isInside);
      }
      bytes += more;
    }
    if (count > 0) ends.push(end);
  }
  if (call > first) cut(false);
  return pieces;
}

/** What building a piece needs to know of its block. */
export interface PieceInputs {
  readonly block: GpuBlock;
  readonly packed: PackedBlock;
  /** By slot: address of the value that it has now, NONE if it is absent. */
  addressOf(slot: number): number;
  /** The bytes there. */
  read(address: number): Uint8Array;
}

/** Copies the calls of `range` into a block of one segment, with the values that their keys have now. */
export function pieceOf({ block, packed, addressOf, read }: PieceInputs, range: PieceRange): GpuBlock {
  const { records } = block;
  const { callOf, firstAccess, slotOf } = packed;
  const { first, end } = range;
  const calls = end - first;
  const heads = new Uint32Array(calls * HEAD_WORDS);
  const accesses = new Uint32Array((firstAccess[end] - firstAccess[first]) * ACCESS_WORDS);
  const keys = new Words();
  const bytes = new Bytes();
  const programs: string[] = [];
  const programNumbers = new Map<number, number>();
  const keyNumbers = new Map<number, number>();
  const values = new Map<number, number>();
  for (let i = 0; i < calls; i++) {
    const from = callOf[first + i] * HEAD_WORDS;
    const to = i * HEAD_WORDS;
    const program = records.heads[from + HEAD.PROGRAM];
    let number = programNumbers.get(program);
    if (number === undefined) {
      number = programs.push(records.programs[program]) - 1;
      programNumbers.set(program, number);
    }
    heads.set(records.heads.subarray(from, from + HEAD_WORDS), to);
    const contextAt = records.heads[from + HEAD.CONTEXT_AT];
    heads[to + HEAD.PROGRAM] = number;
    heads[to + HEAD.CONTEXT_AT] = bytes.put(records.bytes, contextAt, records.heads[from + HEAD.CONTEXT_BYTES]);
    heads[to + HEAD.FIRST_ACCESS] = firstAccess[first + i] - firstAccess[first];
  }
  for (let i = firstAccess[first], call = first; i < firstAccess[end]; i++) {
    while (firstAccess[call + 1] <= i) call++;
    const given = records.heads[callOf[call] * HEAD_WORDS + HEAD.FIRST_ACCESS] + i - firstAccess[call];
    const from = given * ACCESS_WORDS;
    const to = (i - firstAccess[first]) * ACCESS_WORDS;
    const slot = slotOf[i];
    let key = keyNumbers.get(slot);
    if (key === undefined) {
      key = keyNumbers.size;
      keyNumbers.set(slot, key);
      const record = records.accesses[from + ACCESS.KEY] * KEY_WORDS;
      const length = records.keys[record + KEY.KEY_BYTES];
      const keyAt = bytes.put(records.bytes, records.keys[record + KEY.KEY_AT], length);
      const address = addressOf(slot);
      const now = address === NONE ? EMPTY_BYTES : read(address);
      // What a call has written as empty is deleted.
      const isAbsent = address === NONE || (now.length === 0 && (address & WRITTEN_ADDRESS) !== 0);
      let valueAt = 0;
      if (!isAbsent) {
        // Keys that share a value in the block share it here.
        valueAt = values.get(address) ?? bytes.putValue(now);
        values.set(address, valueAt);
      }
      keys.put(records.keys[record + KEY.HASH], keyAt, length, valueAt, isAbsent ? NONE : now.length);
    }
    accesses[to + ACCESS.HASH] = records.accesses[from + ACCESS.HASH];
    accesses[to + ACCESS.KEY] = key;
    accesses[to + ACCESS.FLAGS] = records.accesses[from + ACCESS.FLAGS];
  }
  let colourStart = first;
  const colours = range.colourEnds.map((colourEnd) => {
    const colour = Uint32Array.from({ length: colourEnd - colourStart }, (_, i) => colourStart - first + i);
    colourStart = colourEnd;
    return colour;
  });
  const own = { count: calls, programs, heads, accesses, keys: keys.view, bytes: bytes.view };
  const used = new Map([...block.programs].filter(([hash]) => programs.includes(hash)));
  return { seed: block.seed, records: own, programs: used, segments: [colours] };
}

/** Where what a piece left goes among the results of its segment. */
export interface PlaceInputs {
  readonly packed: PackedBlock;
  /** First packed call of the segment, whose results these are. */
  readonly segmentFirst: number;
  readonly into: SegmentReadback;
  readonly range: PieceRange;
  readonly piece: GpuBlock;
  /** By slot: address that its value had when the piece was made. */
  addressOf(slot: number): number;
}

/**
 * Copies what a piece left into the results of its segment, with the addresses that its values have there. Throws
 * RangeError for what no kernel leaves: another length, a result beyond its room, an address of something else.
 */
export function placeReadback(inputs: PlaceInputs, from: SegmentReadback): void {
  const { packed, segmentFirst, into, range, piece, addressOf } = inputs;
  const { firstAccess, outAt, slotOf } = packed;
  const { first, end } = range;
  const { heads, accesses, keys } = piece.records;
  const calls = end - first;
  const outBytes = 4 * (outAt[end] - outAt[first]);
  const { results, seen, output } = from;
  const isWhole = results.length === calls * RESULT.words && output.length === outBytes;
  if (!isWhole || seen.length !== firstAccess[end] - firstAccess[first]) throw new RangeError('another length');
  for (let i = 0; i < calls; i++) {
    const at = i * RESULT.words;
    const room = 4 * (outAt[first + i + 1] - outAt[first + i]);
    const length = results[at + RESULT.offset.BYTES];
    const status = results[at + RESULT.offset.STATUS] & 0xff;
    if (status >= STATUSES.length) throw new RangeError('no such status');
    const fuel = results[at + RESULT.offset.FUEL];
    if (status <= TRAP && fuel > heads[i * HEAD_WORDS + HEAD.FUEL]) throw new RangeError('more fuel than there was');
    if (status === OK && length !== NONE && length > room) throw new RangeError('a result beyond its room');
  }
  const seenAt = firstAccess[first] - firstAccess[segmentFirst];
  for (let i = 0; i < seen.length; i++) {
    const address = seen[i];
    let placed = address;
    if (address !== 0 && address !== NONE) {
      const key = accesses[i * ACCESS_WORDS + ACCESS.KEY] * KEY_WORDS;
      if ((address & WRITTEN_ADDRESS) !== 0) {
        const at = (address & ~WRITTEN_ADDRESS) >>> 0;
        if (at >= outBytes) throw new RangeError('an address beyond the results');
        placed = (WRITTEN_ADDRESS | (4 * outAt[first] + at)) >>> 0;
      } else if (keys[key + KEY.VALUE_BYTES] !== NONE && address === keys[key + KEY.VALUE_AT]) {
        placed = addressOf(slotOf[firstAccess[first] + i]);
      } else throw new RangeError('an address of something else');
    }
    into.seen[seenAt + i] = placed;
  }
  into.results.set(results, (first - segmentFirst) * RESULT.words);
  into.output.set(output, 4 * (outAt[first] - outAt[segmentFirst]));
}

/** Rounded up to whole words. */
function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

class Words {
  #list = new Uint32Array(64 * KEY_WORDS);
  #length = 0;

  put(...words: readonly number[]): void {
    if (this.#length + words.length > this.#list.length) {
      const larger = new Uint32Array(2 * this.#list.length);
      larger.set(this.#list);
      this.#list = larger;
    }
    for (const word of words) this.#list[this.#length++] = word;
  }

  get view(): Uint32Array {
    return this.#list.subarray(0, this.#length);
  }
}

class Bytes {
  #list = new Uint8Array(16 * 1024);
  #length = 0;

  /** Copies so many bytes from `at` of `from`, padded with zeros to whole words; gives their place. */
  put(from: Uint8Array, at: number, length: number): number {
    const to = this.#take(padded(length));
    copyBytes(from, at, at + length, this.#list, to);
    return to;
  }

  /** The same with the length in a word before them. */
  putValue(value: Uint8Array): number {
    const at = this.#take(4);
    new DataView(this.#list.buffer).setUint32(at, value.length, true);
    return this.put(value, 0, value.length);
  }

  get view(): Uint8Array {
    return this.#list.subarray(0, this.#length);
  }

  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#list.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#list.length));
      larger.set(this.#list.subarray(0, at));
      this.#list = larger;
    }
    return at;
  }
}
