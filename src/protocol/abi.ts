/**
 * Layouts of the contract ABI and of Alkanes' state keys, read for `decode --vectors` (docs/wire.md, "Layouts of the
 * ABI"). All numbers are u128 little-endian unless stated otherwise. Every function throws `RangeError` if the bytes do
 * not have its layout.
 */
import { readU32, readU128 } from '../util/bytes.js';
import { formatId, ID_LENGTH, idFromBytes } from './alkane-id.js';

/** Amount of an asset, as JSON. */
export interface TransferDescription {
  readonly id: string;
  readonly value: string;
}

const WORD = 16;

class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new RangeError(`ends early: ${length} bytes wanted, ${this.left} left`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  u32(): number {
    return readU32(this.take(4), 0);
  }

  u128(): bigint {
    return readU128(this.take(WORD), 0);
  }

  id(): string {
    return formatId(idFromBytes(this.take(ID_LENGTH)));
  }

  /** A count, then that many triples (block, tx, amount). */
  transfers(): TransferDescription[] {
    const count = this.u128();
    if (count * BigInt(ID_LENGTH + WORD) > BigInt(this.left))
      throw new RangeError(`${count} transfers declared, fewer present`);
    return Array.from({ length: Number(count) }, () => ({ id: this.id(), value: `${this.u128()}` }));
  }

  /** The remaining bytes as numbers. */
  numbers(): string[] {
    const out: string[] = [];
    while (this.left > 0) out.push(`${this.u128()}`);
    return out;
  }

  text(expected: string): void {
    const found = Buffer.from(this.take(expected.length)).toString('latin1');
    if (found !== expected) throw new RangeError(`${JSON.stringify(expected)} expected`);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  end(): void {
    if (this.left > 0) throw new RangeError(`${this.left} bytes too many`);
  }
}

/** What `__load_context` writes. */
export function describeContext(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  const [myself, caller] = [reader.id(), reader.id()];
  const vout = Number(reader.u128());
  const incoming = reader.transfers();
  return { myself, caller, vout, incoming, inputs: reader.numbers() };
}

/** What `__execute` returns: transfers, storage map, data. */
export function describeExecuteResult(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  const alkanes = reader.transfers();
  const storage: Record<string, string> = {};
  const entries = reader.u32();
  for (let i = 0; i < entries; i++) {
    const key = reader.take(reader.u32());
    storage[hex(key)] = hex(reader.take(reader.u32()));
  }
  return { alkanes, storage, data: hex(reader.rest()) };
}

/** What `__returndatacopy` gives: transfers, data. */
export function describeCallResponse(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  return { alkanes: reader.transfers(), data: hex(reader.rest()) };
}

/** The cellpack argument of `__call`. */
export function describeCallCellpack(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  return { target: reader.id(), inputs: reader.numbers() };
}

/** The parcel argument of `__call`. */
export function describeParcel(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  const transfers = reader.transfers();
  reader.end();
  return { transfers };
}

/** An Alkanes key of contract storage. */
export function describeStorageKey(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  reader.text('/alkanes/');
  const alkane = reader.id();
  reader.text('/storage/');
  return { alkane, key_text: new TextDecoder('utf-8', { fatal: true }).decode(reader.rest()) };
}

/** An Alkanes key of a balance that a contract holds. */
export function describeBalanceKey(bytes: Uint8Array): object {
  const reader = new Reader(bytes);
  reader.text('/alkanes/');
  const what = reader.id();
  reader.text('/balances/');
  const who = reader.id();
  reader.end();
  return { what, who };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
