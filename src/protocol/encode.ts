/**
 * Encoders for what the decoders read (docs/wire.md). They also write malformed data, so that such cases can be built;
 * only values without an encoding throw `RangeError`.
 */
import { gzipSync } from 'node:zlib';
import { concatBytes, readU128, U128_MAX, u32Bytes } from '../util/bytes.js';
import { crc32 } from '../util/crc32.js';
import { compareIds } from './alkane-id.js';
import { CHUNK, KEY, PROTOCOL_TAG_ALKANES } from './protostones.js';
import { TAG } from './rune-fields.js';
import { OP_13, OP_ENDIF, OP_IF, OP_PUSHDATA1, OP_PUSHDATA2, OP_RETURN } from './script.js';
import type { AlkaneId, ProtostoneEdict } from './types.js';

/** Largest push of the builders: the consensus limit. */
const MAX_PUSH = 520;

/** Bits of a LEB128 integer that are taken out of a big integer at once: whole digits, and a small number. */
const DIGITS_BITS = 28n;
const DIGITS_MASK = (1n << DIGITS_BITS) - 1n;

/** Shortest LEB128 form. Throws `RangeError` outside 0 .. 2^128-1. */
export function encodeVarint(value: bigint | number): Uint8Array {
  return encodeVarints([value]);
}

/** The same of each, one behind the other. */
export function encodeVarints(values: readonly (bigint | number)[]): Uint8Array {
  const out: number[] = [];
  for (const value of values) pushVarint(out, value);
  return new Uint8Array(out);
}

function pushVarint(out: number[], value: bigint | number): void {
  let rest = BigInt(value);
  if (rest < 0n || rest > U128_MAX) throw new RangeError('not a u128');
  for (; rest > DIGITS_MASK; rest >>= DIGITS_BITS) {
    const digits = Number(rest & DIGITS_MASK);
    out.push(
      (digits & 0x7f) | 0x80,
      ((digits >> 7) & 0x7f) | 0x80,
      ((digits >> 14) & 0x7f) | 0x80,
      (digits >> 21) | 0x80,
    );
  }
  let last = Number(rest);
  for (; last >= 0x80; last >>= 7) out.push((last & 0x7f) | 0x80);
  out.push(last);
}

export interface ProtostoneInput {
  /** Default: 1 (Alkanes). */
  readonly protocolTag?: bigint;
  readonly burn?: bigint;
  readonly pointer?: bigint | number;
  readonly refund?: bigint | number;
  readonly from?: bigint | number;
  /** Calldata; padded with zeros to whole chunks of 15 bytes, as the format has no length. Empty: no key 81. */
  readonly message?: Uint8Array;
  /** Written in ascending order of id (stable), as the format stores differences. */
  readonly edicts?: readonly ProtostoneEdict[];
  /** Written unchanged before the named fields. */
  readonly rawFields?: readonly (readonly [key: bigint | number, value: bigint | number])[];
  /** Written as the count of integers instead of the true one. */
  readonly length?: bigint;
}

/** The u128 values of tag 16383 for a list of protostones. */
export function encodeProtostones(list: readonly ProtostoneInput[]): bigint[] {
  return packChunks(new Uint8Array(protostoneBytes(list)));
}

/** The integers of the protostones, LEB128. */
function protostoneBytes(list: readonly ProtostoneInput[]): number[] {
  const out: number[] = [];
  for (const protostone of list) {
    const body = new Integers();
    addFields(body, protostone);
    pushVarint(out, protostone.protocolTag ?? PROTOCOL_TAG_ALKANES);
    pushVarint(out, protostone.length ?? body.count);
    // As arguments of one call a hundred thousand would pass V8's stack.
    for (const byte of body.bytes) out.push(byte);
  }
  return out;
}

/** Integers in LEB128, counted. */
class Integers {
  readonly bytes: number[] = [];
  count = 0;

  add(...integers: readonly (bigint | number)[]): void {
    for (const integer of integers) pushVarint(this.bytes, integer);
    this.count += integers.length;
  }

  /** As {@link packChunks} has them, each behind `key`. */
  addChunks(key: bigint, bytes: ArrayLike<number>): void {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      pushVarint(this.bytes, key);
      pushChunk(this.bytes, bytes, at, Math.min(at + CHUNK, bytes.length));
      this.count += 2;
    }
  }
}

/** The little-endian number from `at` to `end` of `bytes` as a varint, without a big integer on the way. */
function pushChunk(out: number[], bytes: ArrayLike<number>, at: number, end: number): void {
  const first = out.length;
  let rest = 0;
  let bits = 0;
  for (let i = at; i < end; i++) {
    rest |= bytes[i] << bits;
    for (bits += 8; bits >= 7; bits -= 7) {
      out.push((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
  }
  out.push(rest | 0x80);
  while (out.length > first + 1 && out[out.length - 1] === 0x80) out.pop();
  out[out.length - 1] &= 0x7f;
}

/** Bytes as u128 values of 15 bytes each, little-endian, the last one padded with zeros. */
export function packChunks(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = new Uint8Array(16);
    chunk.set(bytes.subarray(at, at + CHUNK));
    values.push(readU128(chunk, 0));
  }
  return values;
}

function addFields(to: Integers, protostone: ProtostoneInput): void {
  const field = (key: bigint, value: bigint | number | undefined): void => {
    if (value !== undefined) to.add(key, value);
  };
  for (const [key, value] of protostone.rawFields ?? []) to.add(key, value);
  field(KEY.burn, protostone.burn);
  field(KEY.pointer, protostone.pointer);
  field(KEY.refund, protostone.refund);
  field(KEY.from, protostone.from);
  if (protostone.message !== undefined) to.addChunks(KEY.message, protostone.message);
  addEdicts(to, KEY.edicts, protostone.edicts);
}

interface EdictInput {
  readonly id: AlkaneId;
  readonly amount: bigint;
  readonly output: bigint | number;
}

/** `tag` and the edicts, if there are any. */
function addEdicts(to: Integers, tag: bigint, edicts: readonly EdictInput[] = []): void {
  if (edicts.length === 0) return;
  to.add(tag);
  for (const integer of edictIntegers(edicts)) to.add(integer);
}

function edictIntegers(edicts: readonly EdictInput[]): bigint[] {
  let last: AlkaneId = { block: 0n, tx: 0n };
  return [...edicts]
    .sort((a, b) => compareIds(a.id, b.id))
    .flatMap(({ id, amount, output }) => {
      const blockDelta = id.block - last.block;
      const txDelta = blockDelta === 0n ? id.tx - last.tx : id.tx;
      last = id;
      return [blockDelta, txDelta, amount, BigInt(output)];
    });
}

export interface RunestoneInput {
  readonly protostones?: readonly ProtostoneInput[];
  /** Runes edicts, written last in ascending order of id. */
  readonly edicts?: readonly EdictInput[];
  readonly pointer?: bigint | number;
  /** (tag, value) pairs, written first and unchanged. */
  readonly rawFields?: readonly (readonly [tag: bigint | number, value: bigint | number])[];
}

/**
 * A whole OP_RETURN script: raw fields, pointer, protocol values, edicts; the payload in pushes of at most 520 bytes.
 */
export function encodeRunestone(runestone: RunestoneInput): Uint8Array {
  const payload = new Integers();
  for (const [tag, value] of runestone.rawFields ?? []) payload.add(tag, value);
  if (runestone.pointer !== undefined) payload.add(TAG.pointer, runestone.pointer);
  payload.addChunks(TAG.protocol, protostoneBytes(runestone.protostones ?? []));
  addEdicts(payload, TAG.body, runestone.edicts);
  return concatBytes(Uint8Array.of(OP_RETURN, OP_13), pushAll(new Uint8Array(payload.bytes)));
}

/** Message bytes of a cellpack (not padded). */
export function encodeCellpack(target: AlkaneId, inputs: readonly (bigint | number)[]): Uint8Array {
  return encodeVarints([target.block, target.tx, ...inputs]);
}

/** A witness script that is nothing but an envelope around `gzipped`. */
export function encodeEnvelope(gzipped: Uint8Array): Uint8Array {
  const marker = Uint8Array.of(3, ...Buffer.from('BIN', 'latin1'));
  return concatBytes(Uint8Array.of(0, OP_IF), marker, Uint8Array.of(0), pushAll(gzipped), Uint8Array.of(OP_ENDIF));
}

/** Bytes as data pushes of at most 520 bytes; no bytes: no push. */
function pushAll(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_PUSH) {
    const data = bytes.subarray(at, at + MAX_PUSH);
    if (data.length < OP_PUSHDATA1) parts.push(Uint8Array.of(data.length));
    else if (data.length < 0x100) parts.push(Uint8Array.of(OP_PUSHDATA1, data.length));
    else parts.push(Uint8Array.of(OP_PUSHDATA2, data.length & 0xff, data.length >> 8));
    parts.push(data);
  }
  return concatChunks(parts);
}

/** Joins any number of parts: these lists are too long to spread into an argument list. */
function concatChunks(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A gzip member as small as zlib makes it. */
export function gzipBest(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(bytes, { level: 9 }));
}

/** Largest stored block of deflate. */
const MAX_STORED = 0xffff;

/** A gzip member with stored (uncompressed) blocks: the same bytes on every platform and version of zlib. */
export function gzipStored(bytes: Uint8Array): Uint8Array {
  // Magic, deflate, no flags, no time, no extra flags, unknown system.
  const parts: Uint8Array[] = [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_STORED) {
    const data = bytes.subarray(at, at + MAX_STORED);
    const last = at + MAX_STORED >= bytes.length ? 1 : 0;
    const { length } = data;
    parts.push(Uint8Array.of(last, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff), data);
  }
  parts.push(u32Bytes(crc32(bytes)), u32Bytes(bytes.length));
  return concatChunks(parts);
}
