/** How a call by itself ended, as tests look at it: one object for all calls of a fuzz test. */
import { ResultLayout, TRANSFER_BYTES } from '../program/result.js';
import type { RunStatus } from '../program/types.js';
import { idBytes, parseId } from '../protocol/alkane-id.js';
import { EMPTY_BYTES, readU32, readU128 } from '../util/bytes.js';

const ID_BYTES = 32;
const INPUTS_AT = 96;
const INPUT_BYTES = 16;

/** Good until the next call. */
export class FuzzEnd {
  /** `REJECTED`: what the contract returned is no response. */
  status: RunStatus | 'REJECTED' = 'OK';
  /** That the contract used. */
  fuel = 0;
  #context: Uint8Array = EMPTY_BYTES;
  #contextAt = 0;
  #bytes: Uint8Array = EMPTY_BYTES;
  readonly #layout = new ResultLayout();
  readonly #known = new Map<string, Uint8Array>();

  /** `length` below 0: there is no response. */
  set(status: RunStatus, fuel: number, bytes: Uint8Array, at: number, length: number): void {
    this.status = status;
    this.fuel = fuel;
    this.#bytes = bytes;
    if (status !== 'OK') return;
    if (length < 0 || !this.#layout.read(bytes, at, at + length)) this.status = 'REJECTED';
  }

  /** The call that it is about: a context at `at` of `bytes`. */
  of(bytes: Uint8Array, at: number): void {
    this.#context = bytes;
    this.#contextAt = at;
  }

  /** Input number `at`; 0 is the opcode. */
  input(at: number): bigint {
    return readU128(this.#context, this.#contextAt + INPUTS_AT + at * INPUT_BYTES);
  }

  /** The opcode, if it is below 2^32. */
  get opcode(): number {
    return readU32(this.#context, this.#contextAt + INPUTS_AT);
  }

  /** Bytes of its data. */
  get dataBytes(): number {
    return this.status === 'OK' ? this.#layout.dataBytes : 0;
  }

  /** A copy of its data; empty where it failed. */
  get data(): Uint8Array {
    const { dataAt } = this.#layout;
    return this.#bytes.slice(dataAt, dataAt + this.dataBytes);
  }

  /** Up to 16 bytes of its data from `at` on as a number, little-endian. */
  number(at = 0): bigint {
    return numberIn(this.#bytes, this.#layout.dataAt + at, this.dataBytes - at);
  }

  /** What it stored under `key`, of up to 16 bytes, as a number, little-endian; undefined: nothing. */
  stored(key: string): bigint | undefined {
    const place = this.#find(key);
    return place < 0 ? undefined : numberIn(this.#bytes, place + 4, readU32(this.#bytes, place));
  }

  /** The same as bytes. */
  storedBytes(key: string): Uint8Array | undefined {
    const place = this.#find(key);
    return place < 0 ? undefined : this.#bytes.slice(place + 4, place + 4 + readU32(this.#bytes, place));
  }

  /** What it transfers of `asset`, `block:tx`. */
  transferred(asset: string): bigint {
    if (this.status !== 'OK') return 0n;
    const id = this.#bytesOf(asset, true);
    let sum = 0n;
    for (let i = 0; i < this.#layout.transfers; i++) {
      const at = this.#layout.transfersAt + i * TRANSFER_BYTES;
      if (isAt(this.#bytes, at, id)) sum += readU128(this.#bytes, at + ID_BYTES);
    }
    return sum;
  }

  /** Where the last value of a key lies, behind its length; -1: nowhere. */
  #find(key: string): number {
    if (this.status !== 'OK') return -1;
    const wanted = this.#bytesOf(key, false);
    const bytes = this.#bytes;
    let found = -1;
    let at = this.#layout.entriesAt;
    for (let n = this.#layout.entries; n > 0; n--) {
      const length = readU32(bytes, at);
      const value = at + 4 + length;
      if (length === wanted.length && isAt(bytes, at + 4, wanted)) found = value;
      at = value + 4 + readU32(bytes, value);
    }
    return found;
  }

  #bytesOf(name: string, isId: boolean): Uint8Array {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const bytes = isId ? idBytes(parseId(name)) : Buffer.from(name);
    this.#known.set(name, bytes);
    return bytes;
  }
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function numberIn(bytes: Uint8Array, at: number, length: number): bigint {
  if (length >= 16) return readU128(bytes, at);
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]);
  return value;
}
