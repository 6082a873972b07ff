import { readU32 } from '../util/bytes.js';
import type { ExecutionDetails } from './receipt.js';
import { decodeReceipt, ReceiptWriter, setExecution, writeReceipt } from './receipt-bytes.js';
import type { EncodedReceipts, Receipt } from './types.js';

const INDEX_AT = 4;
const TXID_AT = 8;
const TXID_BYTES = 32;

/** Receipts of a block in the bytes that are stored, in block order. */
export class ReceiptList implements EncodedReceipts {
  readonly #out: ReceiptWriter;
  readonly #ends: number[] = [];

  /** `room`: bytes to expect. */
  constructor(room?: number) {
    this.#out = new ReceiptWriter(room);
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Bytes of all receipts so far. */
  get bytes(): number {
    return this.#out.length;
  }

  /** To write one more receipt to; {@link written} ends it. */
  get writer(): ReceiptWriter {
    return this.#out;
  }

  /** What was written since the last receipt is one. */
  written(): void {
    this.#ends.push(this.#out.length);
  }

  /** Sets how the transaction of the last receipt was run. */
  setExecution(how: ExecutionDetails): void {
    setExecution(this.#out.bytes, this.#ends.at(-2) ?? 0, how);
  }

  add(receipt: Receipt): void {
    writeReceipt(this.#out, receipt);
    this.written();
  }

  encoded(at: number): Uint8Array {
    return this.#out.bytes.subarray(at === 0 ? 0 : this.#ends[at - 1], this.#ends[at]);
  }

  decoded(): Receipt[] {
    return this.#ends.map((_, at) => decodeReceipt(this.encoded(at)));
  }
}

/** Position in the block of the transaction that an encoded receipt is of. */
export function indexOf(encoded: Uint8Array): number {
  return readU32(encoded, INDEX_AT);
}

/** Its txid, wire order: a view. */
export function txidOf(encoded: Uint8Array): Uint8Array {
  return encoded.subarray(TXID_AT, TXID_AT + TXID_BYTES);
}

/** Height of its block. */
export function heightOf(encoded: Uint8Array): number {
  return readU32(encoded, 0);
}
