import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { UsageError } from '../errors/errors.js';
import { parseId } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import type { Namespace } from '../store/types.js';
import { fromDisplayHash, fromHex } from '../util/bytes.js';
import { shown } from '../util/shown.js';
import { RpcError } from './errors.js';

const HASH_BYTES = 32;
const MAX_HEIGHT = 0xffffffff;
/** Longest part of a bad parameter that an error repeats. */
const SHOWN = 60;

/** The parameters of one request. Every getter throws an RpcError -32602 for what it cannot read. */
export class Params {
  readonly #values: readonly unknown[];
  /** How the method is called, for messages. */
  readonly #usage: string;

  constructor(values: readonly unknown[], usage: string) {
    this.#values = values;
    this.#usage = usage;
  }

  /** Refuses too few or too many parameters; trailing optional ones may be null or absent. */
  count(least: number, most: number): this {
    if (this.#values.length < least || this.#values.length > most) {
      throw new RpcError(
        'RPC_WRONG_COUNT',
        `Invalid params: ${this.#values.length} given`,
        `Call it as ${this.#usage}.`,
      );
    }
    return this;
  }

  text(at: number, what: string): string {
    const value = this.#values[at];
    if (typeof value === 'string') return value;
    throw new RpcError('RPC_WRONG_TYPE', `Invalid params: ${what} is not a string`, `Call it as ${this.#usage}.`);
  }

  /** Bytes of hex, `0x` optional, empty allowed. `label` follows the wording of existing hosts. */
  hex(at: number, what: string, label = 'hex input'): Uint8Array {
    const value = this.text(at, what);
    try {
      return fromHex(value);
    } catch {
      const message = `Serialization error: Invalid ${label}: ${value.slice(0, SHOWN)}`;
      throw new RpcError('RPC_BAD_HEX', message, `Write ${what} as whole bytes of hex, with or without 0x.`);
    }
  }

  /** A hash of 32 bytes, in hex. */
  hash(at: number, what: string): Uint8Array {
    const bytes = this.hex(at, what);
    if (bytes.length === HASH_BYTES) return bytes;
    throw new RpcError('RPC_BAD_HEX', `Invalid params: ${what} has ${bytes.length} bytes`, 'Give 64 hex digits.');
  }

  /**
   * A height: a JSON integer, a decimal string (what follows a colon is ignored), or undefined for "latest", "pending"
   * (there is no block after the tip), null and absent.
   */
  height(at: number): number | undefined {
    const value = this.#values[at];
    if (value === undefined || value === null || value === 'latest' || value === 'pending') return undefined;
    const digits = typeof value === 'string' ? /^(\d{1,10})(:.*)?$/s.exec(value)?.[1] : undefined;
    const height = typeof value === 'number' ? value : digits === undefined ? Number.NaN : Number(digits);
    if (Number.isInteger(height) && height >= 0 && height <= MAX_HEIGHT) return height;
    const hint = 'Give "latest", an integer or a decimal string.';
    throw new RpcError('RPC_BAD_HEIGHT', `Serialization error: Invalid height: ${shown(value, SHOWN)}`, hint);
  }

  /** As {@link height}, of a block that another one follows. */
  heightBefore(at: number): number | undefined {
    const height = this.height(at);
    if (height !== MAX_HEIGHT) return height;
    throw new RpcError('RPC_BAD_HEIGHT', `Serialization error: Invalid height: ${height}`, 'No block can follow it.');
  }

  /** A block in hex, no longer than a valid one; nothing of it is looked at. */
  block(at: number): Uint8Array {
    const bytes = this.hex(at, 'blockHex', 'hex block data');
    if (bytes.length <= MAX_BLOCK_LENGTH) return bytes;
    const hint = `Give one block of at most ${MAX_BLOCK_LENGTH} bytes.`;
    throw new RpcError('RPC_BAD_BLOCK', `Invalid params: a block of ${bytes.length} bytes`, hint);
  }

  /** A txid as a node prints it: 64 hex digits, either case; returned in lower case. */
  txid(at: number): string {
    const value = this.text(at, 'txid');
    if (/^[0-9a-fA-F]{64}$/.test(value)) return value.toLowerCase();
    throw new RpcError('RPC_BAD_TXID', `Invalid params: not a txid: ${value.slice(0, SHOWN)}`, 'Give 64 hex digits.');
  }

  /** `block:tx` of a contract. */
  id(at: number): AlkaneId {
    const value = this.text(at, 'id');
    try {
      return parseId(value);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new RpcError('RPC_BAD_ID', `Invalid params: ${error.message}: ${value.slice(0, SHOWN)}`, error.hint ?? '');
    }
  }

  /** An object; what it holds is to be read by other getters. */
  object(at: number, what: string): Readonly<Record<string, unknown>> {
    const value = this.#values[at];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw new RpcError('RPC_WRONG_TYPE', `Invalid params: ${what} is not an object`, `Call it as ${this.#usage}.`);
  }

  /** Whether the parameter is given: not null. */
  has(at: number): boolean {
    return (this.#values[at] ?? null) !== null;
  }

  /** A namespace of the state: `S` or `P`. */
  namespace(at: number): Namespace {
    const value = this.text(at, 'namespace');
    if (value === 'S' || value === 'P') return value;
    const hint = 'Give "S" for keys of the standard module, "P" for those of the parallel lane.';
    throw new RpcError('RPC_BAD_NAMESPACE', `Invalid params: not a namespace: ${value.slice(0, SHOWN)}`, hint);
  }

  /** `txid:vout`; the txid in display order, returned in wire order. */
  outpoint(at: number): { txid: Uint8Array; vout: number } {
    const value = this.text(at, 'outpoint');
    const match = /^([0-9a-fA-F]{64}):(\d{1,10})$/.exec(value);
    if (match && Number(match[2]) <= MAX_HEIGHT) return { txid: fromDisplayHash(match[1]), vout: Number(match[2]) };
    const message = `Invalid params: not an outpoint: ${value.slice(0, SHOWN + 20)}`;
    throw new RpcError('RPC_BAD_OUTPOINT', message, 'Give txid:vout, for example 64 hex digits, a colon and 0.');
  }
}
