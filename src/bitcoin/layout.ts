/**
 * Where the parts of a serialised transaction lie. Walks the bytes without allocating, so that every count and length
 * is checked against the bytes present before anything is built, and so that the txid can be hashed from slices.
 */
import { InputError } from '../errors/errors.js';
import { readU32 } from '../util/bytes.js';

/** Prefix of error codes, by the kind of input. */
export type Subject = 'BLOCK' | 'TX';

export class TransactionLayout {
  /** True if marker and flag follow the version. */
  segwit = false;
  /** Where the witnesses start; `end - 4` if there are none. */
  witnessStart = 0;
  /** First byte after the transaction. */
  end = 0;
}

const MIN_INPUT = 41;
const MIN_OUTPUT = 9;
const MAX_MONEY = 2_100_000_000_000_000;

/** Hears where the inputs and outputs of a transaction lie, in order. */
export interface LayoutSink {
  /** `at`: where the outpoint begins. */
  input(at: number): void;
  /** The script lies from `start` to `end`, after its length and the value. */
  output(start: number, end: number): void;
}

function truncated(subject: Subject, at: number, length: number): InputError {
  return new InputError(`${subject}_TRUNCATED`, `the ${name(subject)} ends too early`, {
    facts: { offset: at, length },
    hint: 'Check that the whole file or text was copied.',
  });
}

export function malformed(subject: Subject, what: string, at: number): InputError {
  return new InputError(`${subject}_MALFORMED`, `the ${name(subject)} cannot be read: ${what}`, {
    facts: { offset: at },
  });
}

function name(subject: Subject): string {
  return subject === 'BLOCK' ? 'block' : 'transaction';
}

/** A position in bytes that only moves forward and never past the end. */
export class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly subject: Subject,
  ) {}

  skip(length: number): void {
    if (length > this.bytes.length - this.at) throw truncated(this.subject, this.at, this.bytes.length);
    this.at += length;
  }

  /** A compact size. Longer than shortest forms are malformed, as in every node. */
  size(): number {
    const start = this.at;
    this.skip(1);
    const first = this.bytes[start];
    if (first < 0xfd) return first;
    const width = 1 << (first - 0xfc);
    this.skip(width);
    const low = width === 2 ? this.bytes[start + 1] | (this.bytes[start + 2] << 8) : readU32(this.bytes, start + 1);
    const value = width === 8 ? low + readU32(this.bytes, start + 5) * 2 ** 32 : low;
    if (value < (width === 2 ? 0xfd : 2 ** (width * 4)))
      throw malformed(this.subject, 'a size is not in shortest form', start);
    return value;
  }

  /** A count of parts of at least `least` bytes each. */
  count(least: number): number {
    const start = this.at;
    const count = this.size();
    if (count > (this.bytes.length - this.at) / least) throw truncated(this.subject, start, this.bytes.length);
    return count;
  }

  skipSized(): void {
    this.skip(this.size());
  }
}

/** Walks the transaction at `start`. Throws `InputError` _TRUNCATED or _MALFORMED. */
export function layoutTransaction(
  bytes: Uint8Array,
  start: number,
  subject: Subject,
  sink?: LayoutSink,
): TransactionLayout {
  const layout = new TransactionLayout();
  walkTransaction(new Cursor(bytes, start, subject), layout, sink);
  return layout;
}

/** The same where `cursor` is, which goes to its end; `layout` is filled, and `sink` hears of its parts. */
export function walkTransaction(cursor: Cursor, layout: TransactionLayout, sink?: LayoutSink): void {
  const { bytes, subject, at: start } = cursor;
  cursor.skip(4);
  const segwit = bytes[cursor.at] === 0 && bytes[cursor.at + 1] === 1;
  if (segwit) cursor.skip(2);
  const inputs = cursor.count(MIN_INPUT);
  if (inputs === 0) throw malformed(subject, 'a transaction has no inputs', start);
  for (let i = 0; i < inputs; i++) {
    sink?.input(cursor.at);
    cursor.skip(36);
    cursor.skipSized();
    cursor.skip(4);
  }
  const outputs = cursor.count(MIN_OUTPUT);
  if (outputs === 0) throw malformed(subject, 'a transaction has no outputs', start);
  for (let i = 0; i < outputs; i++) {
    const at = cursor.at;
    cursor.skip(8);
    // Rounding cannot carry a sum of this size across the limit.
    const value = readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32;
    if (value > MAX_MONEY) throw malformed(subject, 'an output has more than 21 million bitcoin', at);
    const length = cursor.size();
    const script = cursor.at;
    cursor.skip(length);
    sink?.output(script, cursor.at);
  }
  const witnessStart = cursor.at;
  let items = 0;
  for (let i = 0; segwit && i < inputs; i++) {
    const count = cursor.count(1);
    for (let item = 0; item < count; item++) cursor.skipSized();
    items += count;
  }
  if (segwit && items === 0) throw malformed(subject, 'a transaction has a witness flag but no witness', start);
  cursor.skip(4);
  layout.segwit = segwit;
  layout.witnessStart = witnessStart;
  layout.end = cursor.at;
}
