/** Which contracts a stored receipt names (receipt-bytes.ts has its parts). */
import { ID_LENGTH } from '../protocol/alkane-id.js';
import { EMPTY_BYTES } from '../util/bytes.js';

/** Bytes of a receipt before the reason of its undoing. */
const HEAD = 50;
const HASH_BYTES = 32;
const U128_BYTES = 16;
const NO_TEXT = 0xffff;

export interface TargetSink {
  /** The id (32 bytes) that begins at `at` of `bytes` is named. */
  named(bytes: Uint8Array, at: number): void;
}

/**
 * Goes through stored receipts where they lie: every receipt of every block goes through here, so nothing is made for
 * one.
 */
export class TargetReader {
  #bytes: Uint8Array = EMPTY_BYTES;
  #at = 0;
  #end = 0;

  /**
   * Tells `sink` the ids that the receipt from `start` to `end` of `bytes` names as targets of messages or of the calls
   * that it lists, as often as it names them. Throws `RangeError` if the bytes are no receipt.
   */
  read(bytes: Uint8Array, start: number, end: number, sink: TargetSink): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#pass(HEAD);
    this.#passText();
    for (let messages = this.#u16(); messages > 0; messages--) {
      this.#pass(9);
      if (this.#u8() !== 0) sink.named(bytes, this.#pass(ID_LENGTH));
      this.#passText();
      this.#pass(8);
      this.#pass(this.#u16());
    }
    this.#passKeys();
    this.#passKeys();
    if (this.#at === end) return;
    for (let messages = this.#u16(); messages > 0; messages--) {
      this.#pass(6);
      for (let calls = this.#u16(); calls > 0; calls--) {
        this.#pass(2);
        sink.named(bytes, this.#pass(ID_LENGTH));
        this.#pass(HASH_BYTES);
        if (this.#u8() !== 0) this.#pass(U128_BYTES);
        this.#pass(13);
      }
    }
  }

  /** Where the next `length` bytes begin, which it passes. */
  #pass(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new RangeError('the receipt ends early');
    this.#at = at + length;
    return at;
  }

  #u8(): number {
    return this.#bytes[this.#pass(1)];
  }

  #u16(): number {
    const at = this.#pass(2);
    return this.#bytes[at] | (this.#bytes[at + 1] << 8);
  }

  #passText(): void {
    const length = this.#u16();
    if (length !== NO_TEXT) this.#pass(length);
  }

  #passKeys(): void {
    this.#pass(4);
    if (this.#u8() !== 0) this.#pass(HASH_BYTES);
    for (let keys = this.#u16(); keys > 0; keys--) this.#pass(this.#u16());
  }
}
