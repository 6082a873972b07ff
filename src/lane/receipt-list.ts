import { readU32 } from '../util/bytes.js';
import { longer } from '../util/longer.js';
import type { ExecutionDetails } from './receipt.js';
import { decodeReceipt, setExecution, writeReceipt } from './receipt-bytes.js';
import { ReceiptWriter } from './receipt-parts.js';
import type { EncodedReceipts, Receipt } from './types.js';

/** Receipts that have room at first. */
const FIRST_ENDS = 256;
const INDEX_AT = 4;
const TXID_AT = 8;

/** Receipts of a block in the bytes that are stored, in block order. */
export class ReceiptList implements EncodedReceipts {
  readonly #out: ReceiptWriter;
  #ends = new Uint32Array(FIRST_ENDS);
  #count = 0;

  /** `room`: bytes to expect. */
  constructor(room?: number) {
    this.#out = new ReceiptWriter(room);
  }

  get count(): number {
    return this.#count;
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
    this.#end(this.#out.length);
  }

  #end(at: number): void {
    if (this.#count === this.#ends.length) this.#ends = longer(this.#ends, 2 * this.#count);
    this.#ends[this.#count++] = at;
  }

  /** Sets how the transaction of the last receipt was run. */
  setExecution(how: ExecutionDetails): void {
    setExecution(this.#out.bytes, this.start(this.#count - 1), how);
  }

  /** Adds the receipts of `others`, in their order. */
  append(others: ReceiptList): void {
    const from = this.#out.length;
    this.#out.part(others.data, 0, others.bytes);
    for (let at = 0; at < others.count; at++) this.#end(from + others.end(at));
  }

  add(receipt: Receipt): void {
    writeReceipt(this.#out, receipt);
    this.written();
  }

  get data(): Uint8Array {
    return this.#out.bytes;
  }

  start(at: number): number {
    return at === 0 ? 0 : this.#ends[at - 1];
  }

  end(at: number): number {
    return this.#ends[at];
  }

  decoded(): Receipt[] {
    return Array.from({ length: this.#count }, (_, at) => {
      return decodeReceipt(this.data.subarray(this.start(at), this.end(at)));
    });
  }
}

/** Position in the block of the transaction that the receipt at `at` of `bytes` is of. */
export function indexOf(bytes: Uint8Array, at = 0): number {
  return readU32(bytes, at + INDEX_AT);
}

/** Where the txid of the receipt at `at` begins: 32 bytes, wire order. */
export function txidAt(at: number): number {
  return at + TXID_AT;
}

/** Height of the block of the receipt at `at` of `bytes`. */
export function heightOf(bytes: Uint8Array, at = 0): number {
  return readU32(bytes, at);
}
