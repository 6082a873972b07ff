import { inflateRawSync } from 'node:zlib';
import { readU32 } from '../util/bytes.js';
import { crc32 } from '../util/crc32.js';
import { LIMITS } from './limits.js';

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

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Inflates at most 4 MiB and tells how many input bytes the stream took; undefined if it is broken, cut off or too large. */
function inflateStream(deflated: Uint8Array): Inflated | undefined {
  try {
    const options = { maxOutputLength: LIMITS.moduleBytes, info: true };
    // With `info` the result is { buffer, engine }, which the type declarations do not know.
    const out: unknown = inflateRawSync(deflated, options);
    return out as Inflated;
  } catch {
    return undefined;
  }
}

/**
 * The program inside an envelope's body (lane rules 3): exactly one gzip member, later bytes ignored. undefined if a
 * reserved flag is set, the header's CRC, the CRC or the length is wrong, the stream is cut off, or more than 4 MiB come out.
 */
export function inflateBody(gz: Uint8Array): Uint8Array | undefined {
  const start = headerEnd(gz);
  if (start === undefined) return undefined;
  const inflated = inflateStream(gz.subarray(start));
  if (!inflated) return undefined;
  const { buffer } = inflated;
  const trailer = start + inflated.engine.bytesWritten;
  if (gz.length < trailer + 8) return undefined;
  if (readU32(gz, trailer) !== crc32(buffer) || readU32(gz, trailer + 4) !== buffer.length) return undefined;
  return Uint8Array.from(buffer);
}
