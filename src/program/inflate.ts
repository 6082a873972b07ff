import { inflateRawSync } from 'node:zlib';
import { InternalError } from '../errors/errors.js';
import { readU32 } from '../util/bytes.js';
import { crc32 } from '../util/crc32.js';
import { LIMITS } from './limits.js';

/**
 * At most so many times the bytes of the body, and {@link INFLATED_EXTRA} more: what takes time to check was paid for.
 */
export const INFLATED_TIMES = 8;
export const INFLATED_EXTRA = 1024;
/** zlib hands out this much at once, so a stream exceeds the limit by this at most. */
const CHUNK_BYTES = 16 * 1024;

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const RESERVED = 0xe0;

/** Where the compressed data starts, or undefined if the header of the member (RFC 1952, section 2.3) is wrong. */
function headerEnd(gz: Uint8Array): number | undefined {
  if (gz.length < 10 || gz[0] !== 0x1f || gz[1] !== 0x8b || gz[2] !== 8) return undefined;
  const flags = gz[3];
  if (flags & RESERVED) return undefined;
  let at = 10;
  if (flags & FEXTRA) {
    if (gz.length < at + 2) return undefined;
    at += 2 + (gz[at] | (gz[at + 1] << 8));
  }
  for (const flag of [FNAME, FCOMMENT]) {
    if (!(flags & flag)) continue;
    const zero = at > gz.length ? -1 : gz.indexOf(0, at);
    if (zero < 0) return undefined;
    at = zero + 1;
  }
  if (flags & FHCRC) {
    if (gz.length < at + 2) return undefined;
    if ((gz[at] | (gz[at + 1] << 8)) !== (crc32(gz.subarray(0, at)) & 0xffff)) return undefined;
    at += 2;
  }
  return at <= gz.length ? at : undefined;
}

interface Stream {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Inflates at most `limit` bytes and tells how many input bytes the stream took. */
function inflateStream(deflated: Uint8Array, limit: number): Stream | 'broken' | 'too large' {
  try {
    const options = { maxOutputLength: limit, chunkSize: CHUNK_BYTES, info: true };
    // With `info` the result is { buffer, engine }, which the type declarations do not know.
    const out: unknown = inflateRawSync(deflated, options);
    return out as Stream;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'too large';
    if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') return 'broken';
    // No memory, for one: that says nothing of the stream.
    throw new InternalError('this machine could not inflate a body', { cause: error, facts: { limit } });
  }
}

export type InflatedBody =
  | { readonly ok: true; readonly wasm: Uint8Array }
  | { readonly ok: false; readonly error: string };

const NO_GZIP: InflatedBody = { ok: false, error: 'the envelope is no gzip body' };
const TOO_LARGE: InflatedBody = { ok: false, error: 'the envelope inflates beyond its limit' };

/** How many bytes may come out of a body of this length. */
export function inflateLimit(bodyBytes: number): number {
  return Math.min(LIMITS.moduleBytes, INFLATED_TIMES * bodyBytes + INFLATED_EXTRA);
}

/**
 * The program inside an envelope's body (lane rules 3): exactly one gzip member, later bytes ignored (they count for
 * the limit). Refused if a reserved flag is set, the header's CRC, the CRC or the length is wrong, the stream is cut
 * off, or more than {@link inflateLimit} comes out: then inflating stops there.
 */
export function inflateBody(gz: Uint8Array): InflatedBody {
  const start = headerEnd(gz);
  if (start === undefined) return NO_GZIP;
  const stream = inflateStream(gz.subarray(start), inflateLimit(gz.length));
  if (stream === 'too large') return TOO_LARGE;
  if (stream === 'broken') return NO_GZIP;
  const { buffer } = stream;
  const trailer = start + stream.engine.bytesWritten;
  if (gz.length < trailer + 8) return NO_GZIP;
  if (readU32(gz, trailer) !== crc32(buffer) || readU32(gz, trailer + 4) !== buffer.length) return NO_GZIP;
  return { ok: true, wasm: Uint8Array.from(buffer) };
}
