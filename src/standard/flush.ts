/** Thrown by {@link eachElement} for bytes that are not a list of byte strings. */
export class FlushError extends Error {}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** A protobuf varint that fits into 53 bits; longer ones cannot be a length inside a WASM memory. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.at >= cursor.bytes.length) throw new FlushError('a number runs past the end');
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) throw new FlushError('a number is too large');
      return value;
    }
  }
  throw new FlushError('a number is longer than 10 bytes');
}

function skip(cursor: Cursor, length: number): void {
  if (length > cursor.bytes.length - cursor.at) throw new FlushError('an element runs past the end');
  cursor.at += length;
}

/** Skips an unknown field, as protobuf readers do. */
function skipField(cursor: Cursor, wireType: number): void {
  if (wireType === 0) readVarint(cursor);
  else if (wireType === 1) skip(cursor, 8);
  else if (wireType === 2) skip(cursor, readVarint(cursor));
  else if (wireType === 5) skip(cursor, 4);
  else throw new FlushError(`wire type ${wireType} is not read`);
}

/**
 * Calls `visit` with where each byte string of a protobuf message `repeated bytes list = 1` begins and ends, in order.
 * Throws {@link FlushError} if the bytes do not decode; what came before was visited then.
 */
export function eachElement(bytes: Uint8Array, visit: (start: number, end: number) => void): void {
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    const field = Math.floor(tag / 8);
    if (field === 0 || tag > 0xffffffff) throw new FlushError('a field number is out of range');
    if (field !== 1) {
      skipField(cursor, tag % 8);
      continue;
    }
    if (tag % 8 !== 2) throw new FlushError('the list holds something else than bytes');
    const length = readVarint(cursor);
    const start = cursor.at;
    skip(cursor, length);
    visit(start, cursor.at);
  }
}

/**
 * Number of pairs of one `__flush` buffer: a list whose elements alternate key, value. A trailing key without value is
 * dropped. Throws {@link FlushError} if it does not decode as a whole.
 */
export function checkFlush(bytes: Uint8Array): number {
  let elements = 0;
  eachElement(bytes, () => {
    elements++;
  });
  return elements >> 1;
}
