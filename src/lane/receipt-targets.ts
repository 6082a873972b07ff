/** Which contracts a stored receipt names. */
import { ID_LENGTH } from '../protocol/alkane-id.js';
import { ReceiptReader } from './receipt-parts.js';

/** Bytes of a receipt before the reason of its undoing (receipt-bytes.ts). */
const HEAD = 50;
const HASH_BYTES = 32;
const U128_BYTES = 16;

/**
 * The ids (32 bytes, views of `receipt`) that a stored receipt names as targets of messages or of the calls that it
 * lists, as often as it names them. Throws `RangeError` if the bytes are no receipt.
 */
export function* targetsIn(receipt: Uint8Array): Generator<Uint8Array, void, void> {
  const from = new ReceiptReader(receipt);
  from.part(HEAD);
  from.text();
  for (let left = from.u16(); left > 0; left--) {
    from.part(9);
    const target = from.optional(ID_LENGTH);
    if (target !== undefined) yield target;
    from.text();
    from.part(8);
    from.sized();
  }
  passKeys(from);
  passKeys(from);
  if (from.left === 0) return;
  for (let messages = from.u16(); messages > 0; messages--) {
    from.part(6);
    for (let calls = from.u16(); calls > 0; calls--) {
      from.part(2);
      yield from.part(ID_LENGTH);
      from.part(HASH_BYTES);
      from.optional(U128_BYTES);
      from.part(13);
    }
  }
}

function passKeys(from: ReceiptReader): void {
  from.u32();
  from.optional(HASH_BYTES);
  for (let keys = from.u16(); keys > 0; keys--) from.sized();
}
