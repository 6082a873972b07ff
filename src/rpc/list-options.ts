/** The options that every listing takes, and its cursors. */
import { createHash } from 'node:crypto';
import { listUndone } from '../listing/list.js';
import { DEFAULT_ITEMS, MOST_ITEMS } from '../listing/page.js';
import { bytesEqual, concatBytes, fromHex, toHex } from '../util/bytes.js';
import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import { storedHeight } from './heights.js';
import { Params } from './params.js';

/** Version of the form of cursors. */
const VERSION = 1;
const CHECK_AT = 1;
const HEIGHT_AT = 5;
const HASH_AT = 9;
const PLACE_AT = 41;
/** Longest cursor: keys of storage have 1,024 bytes at most. */
const MOST_CURSOR_BYTES = 2_048;
/** Longest part of what is wrong that an error repeats. */
const SHOWN = 60;

export interface ListPart {
  /** The state is that after this block. */
  readonly height: number;
  /** Of that block (wire order), where the listing was begun before. */
  readonly hash: Uint8Array | undefined;
  readonly limit: number;
  readonly after: Uint8Array | undefined;
}

/** The options of a request: its parameter at `at`, an object that may be left out. */
export class ListOptions {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #usage: string;

  /** Throws RpcError -32602 for a name that is not among `names`, `height`, `limit` and `cursor`. */
  constructor(params: Params, at: number, usage: string, names: readonly string[]) {
    this.#values = params.has(at) ? params.object(at, 'the options') : {};
    this.#usage = usage;
    const known = [...names, 'height', 'limit', 'cursor'];
    const unknown = Object.keys(this.#values).find((name) => !known.includes(name));
    if (unknown !== undefined) throw this.#wrong(`no option ${unknown.slice(0, SHOWN)}`);
  }

  has(name: string): boolean {
    return (this.#values[name] ?? null) !== null;
  }

  /** What `read` makes of an option, which it finds at 0; undefined where it is not given. */
  of<T>(name: string, read: (value: Params) => T): T | undefined {
    return this.has(name) ? read(new Params([this.#values[name]], this.#usage)) : undefined;
  }

  flag(name: string): boolean {
    const value = this.#values[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.#wrong(`${name} is not true or false`);
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
    if (!this.has(name)) return undefined;
    const found = known.find((one) => one === this.#values[name]);
    if (found !== undefined) return found;
    throw this.#wrong(`${name} is none of ${known.join(', ')}`);
  }

  /** A height of `name`, or `fallback`. */
  height(name: string, fallback: number): number {
    return this.of(name, (value) => value.height(0)) ?? fallback;
  }

  /**
   * Which part of the listing is asked for: of the state at `height`, or where the cursor was made. `about` says what
   * is listed: a cursor goes on with that only. `isPlace`: whether a cursor's place is one of this listing.
   */
  part(backend: RpcBackend, about: readonly unknown[], isPlace: (place: Uint8Array) => boolean): ListPart {
    const limit = this.of('limit', () => this.#limit()) ?? DEFAULT_ITEMS;
    const cursor = this.of('cursor', (value) => decoded(value.text(0, 'cursor')));
    if (cursor === undefined) {
      const height = storedHeight(new Params([this.#values.height], this.#usage), 0, backend);
      return { height, hash: undefined, limit, after: undefined };
    }
    const { height, hash, place } = cursor;
    if (this.has('height') && this.height('height', height) !== height) throw badCursor('it is of another height');
    if (!bytesEqual(cursor.check, checkOf(about)) || !isPlace(place)) throw badCursor('it is of another listing');
    if (!bytesEqual(backend.store.blockHash(height), hash)) throw listUndone(height);
    return { height, hash, limit, after: place };
  }

  #limit(): number {
    const { limit } = this.#values;
    if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= MOST_ITEMS) return limit;
    throw this.#wrong(`limit is no whole number from 1 to ${MOST_ITEMS}`);
  }

  #wrong(what: string): RpcError {
    return new RpcError('RPC_WRONG_TYPE', `Invalid params: ${what}`, `Call it as ${this.#usage}.`);
  }
}

/** The cursor behind a page of the state after block `height`, hex. */
export function cursorOf(about: readonly unknown[], height: number, hash: Uint8Array, place: Uint8Array): string {
  const head = new Uint8Array(HASH_AT);
  head[0] = VERSION;
  head.set(checkOf(about), CHECK_AT);
  new DataView(head.buffer).setUint32(HEIGHT_AT, height);
  return toHex(concatBytes(head, hash, place));
}

function decoded(text: string): { height: number; hash: Uint8Array; check: Uint8Array; place: Uint8Array } {
  if (text.length > 2 * MOST_CURSOR_BYTES) throw badCursor('it is too long');
  let bytes: Uint8Array;
  try {
    bytes = fromHex(text);
  } catch {
    throw badCursor('it is not hex');
  }
  if (bytes.length <= PLACE_AT || bytes[0] !== VERSION) throw badCursor('it has another form');
  return {
    height: new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEIGHT_AT),
    check: bytes.subarray(CHECK_AT, HEIGHT_AT),
    hash: bytes.subarray(HASH_AT, PLACE_AT),
    place: bytes.slice(PLACE_AT),
  };
}

/** The first bytes of a hash over what is listed: a mistake shows, and nothing depends on it. */
function checkOf(about: readonly unknown[]): Uint8Array {
  const text = JSON.stringify(about, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return createHash('sha256')
    .update(text)
    .digest()
    .subarray(0, HEIGHT_AT - CHECK_AT);
}

function badCursor(why: string): RpcError {
  const hint = 'Give the cursor of the page before, with the same method, options and height.';
  return new RpcError('RPC_BAD_CURSOR', `Invalid params: the cursor is of no use: ${why}`, hint);
}
