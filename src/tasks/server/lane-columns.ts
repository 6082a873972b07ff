/**
 * Calls of contracts as they cross a connection: hashes of their programs (32 bytes each), heads, declared keys, keys,
 * bytes (as in records.ts, all in little-endian words), and the number of the call behind each colour (u32).
 */
import { InputError } from '../../errors/errors.js';
import { outputCapacity } from '../../gpu/pack/pack.js';
import { MAX_BYTES_PER_CALL, MAX_KEYS_PER_CALL } from '../../gpu/pack/records.js';
import type { GpuBlock, SegmentReadback } from '../../gpu/pack/types.js';
import { MOST_PIECE_ANSWER, MOST_PIECE_BYTES, MOST_PIECE_CALLS, MOST_PIECE_FUEL } from '../../gpu/pieces/limits.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD, MAX_CALL_FUEL, NONE, RESULT } from '../../gpu/translate/layout.js';
import type { Program } from '../../program/types.js';
import { fromHex, readU32, toHex } from '../../util/bytes.js';
import type { Columns } from './messages.js';

const HASH = 32;
const HEAD = CALL_RECORD.offset;
const KEY = KEY_RECORD.offset;

/** The columns of a piece, over its own memory. */
export function encodeCalls({ records, segments }: GpuBlock): Columns {
  const { programs, heads, accesses, keys, bytes } = records;
  const hashes = new Uint8Array(programs.length * HASH);
  programs.forEach((hash, i) => {
    hashes.set(fromHex(hash), i * HASH);
  });
  let calls = 0;
  const ends = Uint32Array.from(segments[0] ?? [], ({ length }) => {
    calls += length;
    return calls;
  });
  return [hashes, bytesOf(heads), bytesOf(accesses), bytesOf(keys), bytes, bytesOf(ends)];
}

/**
 * The piece that `columns` hold, over their memory. Nothing in it leads outside of them, and nothing of it needs more
 * than a piece may. `programOf`: by hash, undefined if it is not known; then so is the piece. Throws InputError
 * TASK_MALFORMED.
 */
export function decodeCalls(
  seed: number,
  columns: Columns,
  programOf: (hash: string) => Program | undefined,
): GpuBlock | undefined {
  const [hashes, ...others] = columns;
  if (columns.length !== 6 || hashes.length % HASH !== 0) throw malformed('no columns of calls');
  const [heads, accesses, keys] = others.slice(0, 3).map(wordsOf);
  const bytes = others[3];
  const ends = wordsOf(others[4]);
  const count = heads.length / CALL_RECORD.words;
  if (!Number.isInteger(count) || count < 1 || count > MOST_PIECE_CALLS) throw malformed('too many calls');
  if (hashes.length / HASH > count) throw malformed('too many programs');
  const programs = Array.from({ length: hashes.length / HASH }, (_, i) =>
    toHex(hashes.subarray(i * HASH, (i + 1) * HASH)),
  );
  if (heads.byteLength + accesses.byteLength + keys.byteLength + bytes.length > MOST_PIECE_BYTES) {
    throw malformed('too many bytes');
  }
  checkKeys(keys, bytes);
  checkAccesses(accesses, keys.length / KEY_RECORD.words);
  checkHeads(heads, programs.length, accesses.length / ACCESS_RECORD.words, bytes.length);
  const colours = coloursOf(ends, count);
  const used = new Map<string, Program>();
  for (const hash of programs) {
    const program = programOf(hash);
    if (program === undefined) return undefined;
    used.set(hash, program);
  }
  return { seed, records: { count, programs, heads, accesses, keys, bytes }, programs: used, segments: [colours] };
}

export function encodeReadback({ results, seen, output }: SegmentReadback): Columns {
  return [bytesOf(results), bytesOf(seen), output];
}

/** Over the memory of `columns`; undefined for what is none. */
export function decodeReadback(columns: Columns): SegmentReadback | undefined {
  const [results, seen, output] = columns;
  if (columns.length !== 3 || results.length % 4 !== 0 || seen.length % 4 !== 0) return undefined;
  return { results: wordsOf(results), seen: wordsOf(seen), output };
}

function checkHeads(heads: Uint32Array, programs: number, accesses: number, bytes: number): void {
  let [next, fuel, answer] = [0, 0, 0];
  for (let at = 0; at < heads.length; at += CALL_RECORD.words) {
    const [contextAt, contextBytes] = [heads[at + HEAD.CONTEXT_AT], heads[at + HEAD.CONTEXT_BYTES]];
    const count = heads[at + HEAD.ACCESSES];
    if (heads[at + HEAD.PROGRAM] >= programs) throw malformed('a call of no program');
    if (contextAt % 4 !== 0 || contextAt + contextBytes > bytes) throw malformed('a context outside of the bytes');
    if (contextBytes > MAX_BYTES_PER_CALL || count > MAX_KEYS_PER_CALL) throw malformed('too large a call');
    if (heads[at + HEAD.FIRST_ACCESS] !== next) throw malformed('keys of a call that do not follow those before');
    if (heads[at + HEAD.FUEL] > MAX_CALL_FUEL) throw malformed('too much fuel of a call');
    next += count;
    fuel += heads[at + HEAD.FUEL];
    answer += 4 * (RESULT.words + count + outputCapacity(heads[at + HEAD.EXPECTED_BYTES]));
  }
  if (next !== accesses) throw malformed('keys that no call declares');
  if (fuel > MOST_PIECE_FUEL) throw malformed('too much fuel');
  if (answer > MOST_PIECE_ANSWER) throw malformed('too large an answer');
}

function checkAccesses(accesses: Uint32Array, keys: number): void {
  for (let at = ACCESS_RECORD.offset.KEY; at < accesses.length; at += ACCESS_RECORD.words) {
    if (accesses[at] >= keys) throw malformed('a declared key that is none');
  }
}

function checkKeys(keys: Uint32Array, bytes: Uint8Array): void {
  if (keys.length % KEY_RECORD.words !== 0) throw malformed('half a key');
  for (let at = 0; at < keys.length; at += KEY_RECORD.words) {
    const [keyAt, keyBytes] = [keys[at + KEY.KEY_AT], keys[at + KEY.KEY_BYTES]];
    const [valueAt, valueBytes] = [keys[at + KEY.VALUE_AT], keys[at + KEY.VALUE_BYTES]];
    if (keyBytes > MAX_BYTES_PER_CALL || keyAt % 4 !== 0 || keyAt + keyBytes > bytes.length) {
      throw malformed('a key outside of the bytes');
    }
    if (valueBytes === NONE) continue;
    const isInside = valueAt >= 4 && valueAt % 4 === 0 && valueAt + valueBytes <= bytes.length;
    if (!isInside || readU32(bytes, valueAt - 4) !== valueBytes) throw malformed('a value outside of the bytes');
  }
}

/** The calls in the order in which they came, by colour. */
function coloursOf(ends: Uint32Array, count: number): Uint32Array[] {
  let start = 0;
  const colours: Uint32Array[] = [];
  for (const end of ends) {
    if (end <= start || end > count) throw malformed('a colour without calls');
    const first = start;
    colours.push(Uint32Array.from({ length: end - first }, (_, i) => first + i));
    start = end;
  }
  if (start !== count) throw malformed('calls of no colour');
  return colours;
}

/** Views where the words are aligned, as they are in frames of this protocol; else a copy. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 4 !== 0) throw malformed('half a word');
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function malformed(message: string): InputError {
  return new InputError('TASK_MALFORMED', `calls for a GPU server: ${message}`);
}
