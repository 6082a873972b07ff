/** Balance sheets: amounts by id (docs/wire.md, "Sheets and edicts"; stored form: docs/lane-rules.md section 7). */
import { StoreError } from '../errors/errors.js';
import { readU128, U128_MAX, writeU128 } from '../util/bytes.js';
import { compareIds, formatId, ID_LENGTH } from './alkane-id.js';
import type { AlkaneId } from './types.js';

/** An amount of one asset. */
export interface SheetEntry {
  readonly id: AlkaneId;
  readonly amount: bigint;
}

const ENTRY_LENGTH = ID_LENGTH + 16;

/** Shared by all empty sheets; never changed. */
const NOTHING = new Map<string, SheetEntry>();

/** Amounts by id, never zero, never over u128. Mutable; sums that would pass u128 are refused and change nothing. */
export class Sheet {
  /** {@link NOTHING} until something is added: most sheets of a transaction stay empty. */
  #entries: Map<string, SheetEntry> = NOTHING;

  /** A sheet of `entries`; throws `RangeError` if a sum passes u128. For tests and fixtures. */
  static of(entries: Iterable<SheetEntry>): Sheet {
    const sheet = new Sheet();
    for (const { id, amount } of entries) {
      if (!sheet.add(id, amount)) throw new RangeError(`sum over u128 for ${formatId(id)}`);
    }
    return sheet;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Number of ids with an amount. */
  get size(): number {
    return this.#entries.size;
  }

  get(id: AlkaneId): bigint {
    return this.#entries.get(formatId(id))?.amount ?? 0n;
  }

  /** Adds `amount` (0 is allowed and leaves no trace). False, and nothing changed, if the sum passes u128. */
  add(id: AlkaneId, amount: bigint): boolean {
    if (amount === 0n) return true;
    const key = formatId(id);
    const sum = (this.#entries.get(key)?.amount ?? 0n) + amount;
    if (sum > U128_MAX) return false;
    if (this.#entries === NOTHING) this.#entries = new Map();
    this.#entries.set(key, { id, amount: sum });
    return true;
  }

  /**
   * Moves all of `other` here, which leaves it empty; false, and nothing changed, if any sum passes u128. Takes as many
   * steps as the smaller sheet has entries: a transaction may move a large sheet very often.
   */
  absorb(other: Sheet): boolean {
    const [large, small] = this.size < other.size ? [other.#entries, this.#entries] : [this.#entries, other.#entries];
    for (const [key, { amount }] of small) {
      if ((large.get(key)?.amount ?? 0n) + amount > U128_MAX) return false;
    }
    for (const [key, { id, amount }] of small) {
      large.set(key, { id, amount: (large.get(key)?.amount ?? 0n) + amount });
    }
    this.#entries = large;
    other.#entries = NOTHING;
    return true;
  }

  /** Takes at most `limit` (default: all) of `id` off the sheet and returns what was taken. */
  take(id: AlkaneId, limit: bigint = U128_MAX): bigint {
    if (this.isEmpty) return 0n;
    const key = formatId(id);
    const there = this.#entries.get(key)?.amount ?? 0n;
    const taken = limit < there ? limit : there;
    if (taken === there) this.#entries.delete(key);
    else this.#entries.set(key, { id, amount: there - taken });
    return taken;
  }

  /** Ascending by block, then tx, as numbers; no zero amounts. */
  entries(): SheetEntry[] {
    if (this.isEmpty) return [];
    return [...this.#entries.values()].sort((a, b) => compareIds(a.id, b.id));
  }

  clone(): Sheet {
    const copy = new Sheet();
    if (!this.isEmpty) copy.#entries = new Map(this.#entries);
    return copy;
  }
}

/**
 * The stored value: per entry, ascending, block, tx, amount, each u128 little-endian (48 bytes). Zero length for an
 * empty sheet (whose key is absent).
 */
export function encodeSheet(sheet: Sheet): Uint8Array {
  const out = new Uint8Array(sheet.size * ENTRY_LENGTH);
  let at = 0;
  for (const { id, amount } of sheet.entries()) {
    writeU128(out, at, id.block);
    writeU128(out, at + 16, id.tx);
    writeU128(out, at + ID_LENGTH, amount);
    at += ENTRY_LENGTH;
  }
  return out;
}

/**
 * Inverse of {@link encodeSheet}; `undefined` (key absent) is the empty sheet.
 * Throws `StoreError` STORE_BAD_SHEET if the bytes are none that `encodeSheet` writes (length, order, zero amount).
 */
export function decodeSheet(bytes: Uint8Array | undefined): Sheet {
  const sheet = new Sheet();
  if (bytes === undefined) return sheet;
  let previous: AlkaneId | undefined;
  if (bytes.length % ENTRY_LENGTH !== 0) throw badSheet(bytes, 'length is not a multiple of 48');
  for (let at = 0; at < bytes.length; at += ENTRY_LENGTH) {
    const id = { block: readU128(bytes, at), tx: readU128(bytes, at + 16) };
    const amount = readU128(bytes, at + ID_LENGTH);
    if (amount === 0n) throw badSheet(bytes, 'zero amount');
    if (previous && compareIds(previous, id) >= 0) throw badSheet(bytes, 'ids do not ascend');
    sheet.add(id, amount);
    previous = id;
  }
  return sheet;
}

function badSheet(bytes: Uint8Array, why: string): StoreError {
  return new StoreError('STORE_BAD_SHEET', 'a stored balance sheet is damaged', {
    facts: { why, length: bytes.length },
  });
}
