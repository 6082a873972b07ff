import { readU32 } from '../util/bytes.js';

/** Highest that a push of four bytes says. */
const MOST_PUSHED = 4;
const OP_1 = 0x51;
const OP_16 = 0x60;

/**
 * The height that a block names itself (BIP34), by its header (80 bytes) and the script of its coinbase: a script
 * begins with OP_0, OP_1 to OP_16, or a minimal push of a positive number. Undefined for another start, and for header
 * versions below 2, whose scripts begin with something else that may look alike; but the first block of a chain, which
 * has no block before it, is that of height 0. The only reader of this height: other code that needs it looks for the
 * script and asks here.
 */
export function coinbaseHeight(header: Uint8Array, script: Uint8Array): number | undefined {
  if ((readU32(header, 0) | 0) < 2) return isFirst(header) ? 0 : undefined;
  if (script.length === 0) return undefined;
  const length = script[0];
  if (length === 0) return 0;
  if (length >= OP_1 && length <= OP_16) return length - OP_1 + 1;
  if (length > MOST_PUSHED || script.length < 1 + length) return undefined;
  const top = script[length];
  if (top >= 0x80) return undefined;
  let height = 0;
  for (let i = length; i > 0; i--) height = height * 256 + script[i];
  // A leading zero byte is there only to keep the number from looking negative.
  const minimal = height > 16 && (top !== 0 || script[length - 1] >= 0x80);
  return minimal ? height : undefined;
}

/** Whether the header names no block before it. */
function isFirst(header: Uint8Array): boolean {
  return header.subarray(4, 36).every((byte) => byte === 0);
}
