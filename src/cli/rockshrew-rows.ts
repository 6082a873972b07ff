/**
 * Reads the state of an index of rockshrew-mono from a listing of its database, as `ldb scan --hex` of RocksDB prints
 * it: one row a line. The database itself is never opened here.
 *
 * It appends versions (its versions 9 and 9.1): key ++ "/length" → their number, key ++ "/" ++ i → one of them, as the
 * text `HEIGHT:HEX` or, in newer ones, as u32 LE height ++ value; the number as decimal text or u32 LE.
 */
import { InputError } from '../errors/errors.js';
import { bytesEqual, fromHex, readU32, toBinaryString } from '../util/bytes.js';

/** No block is above it: what is more is no binary height, but the text of one. */
const HIGHEST = 100_000_000;
const LENGTH = new TextEncoder().encode('/length');
const SLASH = 0x2f;
/** Rows of the host itself: heights, hashes, roots, nodes. */
const INTERNAL = /^(?:\/?__INTERNAL\/|smt:)/;
const LINE = /^0x([0-9a-f]*) (?:==>|:) 0x([0-9a-f]*)$/i;

interface Version {
  readonly index: number;
  readonly height: number;
  readonly value: Uint8Array;
}

/** What is known of a key so far. */
interface Versions {
  readonly found: Version[];
  count: number | undefined;
}

export interface RowsOptions {
  /** Values of later blocks do not count; all do if not given. */
  readonly height?: number;
  /** Only keys that begin with it. */
  readonly prefix: Uint8Array;
  /** The host's `--label`, which its keys begin with. */
  readonly label?: string;
}

/** Keys, as binary strings, with their values after block `height`. */
export class RockshrewRows {
  readonly #keys = new Map<string, Versions>();
  readonly #options: RowsOptions;
  readonly #label: Uint8Array;
  #line = 0;

  constructor(options: RowsOptions) {
    this.#options = options;
    this.#label = new TextEncoder().encode(options.label === undefined ? '' : `${options.label}://`);
  }

  /** Takes a line of the listing; lines of other kinds than rows are skipped. Throws InputError ROWS_MALFORMED. */
  add(text: string): void {
    this.#line++;
    const match = LINE.exec(text.trim());
    if (match === null) return;
    const row = fromHex(match[1]);
    if (!bytesEqual(row.subarray(0, this.#label.length), this.#label)) return;
    const own = row.subarray(this.#label.length);
    if (INTERNAL.test(toBinaryString(own.subarray(0, 16)))) return;
    this.#take(own, fromHex(match[2]));
  }

  #take(row: Uint8Array, value: Uint8Array): void {
    if (bytesEqual(row.subarray(-LENGTH.length), LENGTH)) {
      const versions = this.#of(row.subarray(0, row.length - LENGTH.length));
      if (versions !== undefined) versions.count = this.#number(value);
      return;
    }
    const slash = row.lastIndexOf(SLASH);
    const digits = toBinaryString(row.subarray(slash + 1));
    if (slash < 0 || !/^\d{1,10}$/.test(digits)) return;
    const version = this.#version(Number(digits), value);
    const { height = Number.POSITIVE_INFINITY } = this.#options;
    if (version.height <= height) this.#of(row.subarray(0, slash))?.found.push(version);
  }

  /** Undefined for a key that is not wanted. */
  #of(key: Uint8Array): Versions | undefined {
    const { prefix } = this.#options;
    if (!bytesEqual(key.subarray(0, prefix.length), prefix)) return undefined;
    const name = toBinaryString(key);
    const known = this.#keys.get(name) ?? { found: [], count: undefined };
    this.#keys.set(name, known);
    return known;
  }

  #number(value: Uint8Array): number {
    const text = toBinaryString(value);
    if (/^\d{1,10}$/.test(text) && (value.length !== 4 || readU32(value, 0) > HIGHEST)) return Number(text);
    if (value.length === 4) return readU32(value, 0);
    throw this.#malformed('a number of versions is none');
  }

  #version(index: number, value: Uint8Array): Version {
    if (value.length >= 4 && readU32(value, 0) <= HIGHEST) {
      return { index, height: readU32(value, 0), value: value.slice(4) };
    }
    const [, height, hex] = /^(\d{1,9}):((?:[0-9a-f]{2})*)$/.exec(toBinaryString(value)) ?? [];
    if (height === undefined) throw this.#malformed('a version of a key is none');
    return { index, height: Number(height), value: fromHex(hex) };
  }

  #malformed(what: string): InputError {
    return new InputError('ROWS_MALFORMED', `the listing is not one of a rockshrew-mono database: ${what}`, {
      facts: { line: this.#line },
      hint: 'Make it with `ldb --db=COPY scan --hex` from a copy of the folder.',
    });
  }

  /** Keys and values in the order of the keys' bytes. A version beyond the number of a key was rolled back. */
  *pairs(): Generator<readonly [key: string, value: Uint8Array], void, void> {
    // One unit per byte, so the order of the strings is that of the bytes.
    for (const key of [...this.#keys.keys()].sort()) {
      const { found, count } = this.#keys.get(key) ?? { found: [], count: 0 };
      let last: Version | undefined;
      for (const version of found) {
        if (version.index < (count ?? 0) && (last === undefined || version.index > last.index)) last = version;
      }
      if (last !== undefined) yield [key, last.value];
    }
  }
}
