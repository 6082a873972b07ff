/**
 * Messages of a stream of blocks. An event (a block, or that blocks were undone) is one message, or several where it is
 * large: its *chunks*, which follow each other. All numbers are little-endian.
 *
 * 'wsst', version u8, kind u8 (1: block, 2: undone), flags u8 (1: last of its event), 0 u8, number within the event
 * u32, height u32, hash 32, previous hash 32 (both in wire order), height of the publisher's tip u32, length of the
 * identity u16 and its JSON, length of the data u32, the data deflated without header.
 *
 * Of `undone`, height and hash are those of the block that is the tip now (ffffffff and zeros: none is), the previous
 * hash is that of the block that was the tip; there is no data.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { StreamError } from '../errors/errors.js';
import { concatBytes, readU32, u32Bytes } from '../util/bytes.js';
import { decodeIdentity, encodeIdentity, MAX_IDENTITY_BYTES, type StreamIdentity } from './identity.js';

/** Bytes of the data of a chunk, at most. */
export const MAX_CHUNK_BYTES = 512 << 10;
/** And of all but the last chunk of an event, which have the same size, at least. */
export const MIN_CHUNK_BYTES = 8 << 10;
/** Bytes of a message beside its data, at most: what deflating data that hardly shrinks may add is among them. */
export const CHUNK_OVERHEAD = 2_048;
/** In the place of a height: there is no block. */
export const NO_HEIGHT = -1;

const MAGIC = 0x74737377;
const VERSION = 1;
const KINDS = ['block', 'undone'] as const;
const LAST = 1;
const HASH = 32;
const HEIGHT_AT = 12;
const HASH_AT = 16;
const PREVIOUS_AT = HASH_AT + HASH;
const TIP_AT = PREVIOUS_AT + HASH;
const IDENTITY_AT = TIP_AT + 6;
/** Hashes hardly shrink; more effort gains little. */
const LEVEL = 2;
const ABSENT = 0xffffffff;

/** What a chunk says of its event: the same in all chunks of one. */
export interface EventHead {
  readonly kind: (typeof KINDS)[number];
  /** Of `undone`, the height that is the tip now: {@link NO_HEIGHT} if none is. */
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  /** 32 bytes, wire order. */
  readonly previous: Uint8Array;
  readonly identity: StreamIdentity;
}

export interface Chunk extends EventHead {
  /** From 0 on. */
  readonly number: number;
  readonly last: boolean;
  /** Height of the publisher's index when it sent this. */
  readonly tip: number;
  readonly data: Uint8Array;
}

/** The bytes of a chunk, of whose data there are at most {@link MAX_CHUNK_BYTES}. */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const identity = encodeIdentity(chunk.identity);
  const flags = chunk.last ? LAST : 0;
  return concatBytes(
    u32Bytes(MAGIC),
    Uint8Array.of(VERSION, KINDS.indexOf(chunk.kind) + 1, flags, 0),
    u32Bytes(chunk.number),
    u32Bytes(chunk.height),
    chunk.hash,
    chunk.previous,
    u32Bytes(chunk.tip),
    Uint8Array.of(identity.length, identity.length >>> 8),
    identity,
    u32Bytes(chunk.data.length),
    deflateRawSync(chunk.data, { level: LEVEL }),
  );
}

/** Inverse of {@link encodeChunk}. Throws StreamError STREAM_BAD_MESSAGE; no more than a chunk may hold is inflated. */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.length < IDENTITY_AT || readU32(bytes, 0) !== MAGIC) throw badMessage('it is not of this program');
  const [version, kindCode, flags, zero] = bytes.subarray(4, 8);
  if (version !== VERSION) throw badMessage(`its format has version ${version}, not ${VERSION}`);
  const kind = KINDS[kindCode - 1];
  if (kind === undefined || flags > LAST || zero !== 0) throw badMessage('its kind is not known');
  const identityBytes = bytes[IDENTITY_AT - 2] | (bytes[IDENTITY_AT - 1] << 8);
  const lengthAt = IDENTITY_AT + identityBytes;
  if (identityBytes > MAX_IDENTITY_BYTES || lengthAt + 4 > bytes.length) throw badMessage('it is cut off');
  const identity = decodeIdentity(bytes.subarray(IDENTITY_AT, lengthAt));
  if (identity === undefined) throw badMessage('what it is of cannot be read');
  const chunk = {
    kind,
    last: flags === LAST,
    number: readU32(bytes, 8),
    height: heightAt(bytes, HEIGHT_AT),
    hash: bytes.slice(HASH_AT, PREVIOUS_AT),
    previous: bytes.slice(PREVIOUS_AT, TIP_AT),
    tip: heightAt(bytes, TIP_AT),
    identity,
    data: inflated(bytes.subarray(lengthAt + 4), readU32(bytes, lengthAt)),
  };
  const isUndone = kind === 'undone';
  if (isUndone && (!chunk.last || chunk.number !== 0 || chunk.data.length > 0)) throw badMessage('it says too much');
  if (!isUndone && chunk.height === NO_HEIGHT) throw badMessage('it is of no block');
  return chunk;
}

function heightAt(bytes: Uint8Array, at: number): number {
  const height = readU32(bytes, at);
  return height === ABSENT ? NO_HEIGHT : height;
}

function inflated(deflated: Uint8Array, length: number): Uint8Array {
  if (length > MAX_CHUNK_BYTES) throw badMessage('it says that it holds more than a message may');
  let data: Uint8Array;
  try {
    // One byte more than it may give, so that more is noticed and no more is made.
    const { buffer, byteOffset, byteLength } = inflateRawSync(deflated, { maxOutputLength: length + 1 });
    data = new Uint8Array(buffer, byteOffset, byteLength);
  } catch {
    throw badMessage('its data cannot be read');
  }
  if (data.length !== length) throw badMessage('its data is not as long as it says');
  return data;
}

/** The error of a message that is refused. */
export function badMessage(reason: string): StreamError {
  return new StreamError('STREAM_BAD_MESSAGE', `a message of the stream is refused: ${reason}`, {
    hint: 'Check who may publish to the stream. Nothing of the message was stored.',
  });
}
