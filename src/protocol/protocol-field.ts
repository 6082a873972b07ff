/**
 * Whether a runestone can have a protocol field, from its bytes alone: hardly any has one, and decoding allocates
 * objects.
 */
import { OP_13, OP_PUSHDATA1, OP_PUSHDATA4, OP_RETURN } from './script.js';

const BODY = 0;
const PROTOCOL = 16383;
/** Bits that are summed up; of higher bits only their presence matters. */
const LOW_BITS = 28;

/** True if the script, which lies from `start` to `end`, is a runestone's. */
export function isRunestone(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && bytes[start] === OP_RETURN && bytes[start + 1] === OP_13;
}

/**
 * False only if `decodeRunestone` finds no protocol field in this runestone's script (a cenotaph has none). True means
 * nothing. Reads the same integers in the same places as `decodeRunestone`: fields until a tag 0, each a tag and a
 * value, over all pushes joined.
 */
export function mayHaveProtocol(bytes: Uint8Array, start: number, end: number): boolean {
  let low = 0;
  let high = false;
  let bits = 0;
  let isTag = true;
  for (let at = start + 2; at < end; ) {
    const opcode = bytes[at];
    if (opcode > OP_PUSHDATA4) return false;
    const lengthBytes = opcode < OP_PUSHDATA1 ? 0 : 1 << (opcode - OP_PUSHDATA1);
    let length = lengthBytes === 0 ? opcode : 0;
    for (let i = lengthBytes; i > 0; i--) length = length * 256 + (at + i < end ? bytes[at + i] : 0);
    at += 1 + lengthBytes;
    const pushEnd = at + length;
    if (pushEnd > end) return false;
    for (; at < pushEnd; at++) {
      const byte = bytes[at];
      if (bits < LOW_BITS) low |= (byte & 0x7f) << bits;
      else high ||= (byte & 0x7f) !== 0;
      bits += 7;
      if (byte >= 0x80) continue;
      if (isTag && !high) {
        if (low === PROTOCOL) return true;
        if (low === BODY) return false;
      }
      isTag = !isTag;
      low = 0;
      high = false;
      bits = 0;
    }
  }
  return false;
}
