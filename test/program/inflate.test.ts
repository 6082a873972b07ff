import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateBody as inflate, inflateLimit } from '../../src/program/inflate.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { crc32 } from '../../src/util/crc32.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const body = text('a program, a program, a program');
const gz = (data: Uint8Array): Uint8Array => Uint8Array.from(gzipSync(data));
const LIMIT = 2 * 1024 * 1024;

/** What comes out, or undefined if the body is refused. */
function inflateBody(bytes: Uint8Array): Uint8Array | undefined {
  const result = inflate(bytes);
  return result.ok ? result.wasm : undefined;
}

/** `gzipped` with bytes behind the member, so that the body has `length` bytes. */
function padded(gzipped: Uint8Array, length: number): Uint8Array {
  return concatBytes(gzipped, new Uint8Array(length - gzipped.length).fill(7));
}

/** A stored member: nothing is compressed. */
function stored(data: Uint8Array): Uint8Array {
  return Uint8Array.from(gzipSync(data, { level: 0 }));
}

/** A member with these flags and this optional part of the header. */
function member(flags: number, optional: Uint8Array): Uint8Array {
  const header = concatBytes(Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255), optional);
  return concatBytes(header, deflateRawSync(body), u32Bytes(crc32(body)), u32Bytes(body.length));
}

const TOO_LARGE = 'the envelope inflates beyond its limit';

describe('body of an envelope (lane rules 3)', () => {
  it('one gzip member', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(inflateBody(gz(body))).toEqual(body);
    expect(inflateBody(gz(new Uint8Array(0)))).toEqual(new Uint8Array(0));
  });

  it('later bytes are ignored, also when they are another member', () => {
    expect(inflateBody(concatBytes(gz(body), Uint8Array.of(1, 2, 3)))).toEqual(body);
    expect(inflateBody(concatBytes(gz(body), gz(text('second'))))).toEqual(body);
  });

  it('a wrong CRC, length or cut-off stream fails', () => {
    const whole = gz(body);
    for (let back = 1; back <= 8; back++) {
      const altered = whole.slice();
      altered[whole.length - back] ^= 1;
      expect(inflateBody(altered)).toBeUndefined();
    }
    for (let n = 0; n < whole.length; n++) expect(inflateBody(whole.slice(0, n))).toBeUndefined();
  });

  it('reserved flags fail, every other optional field is read', () => {
    for (const flag of [0x20, 0x40, 0x80]) expect(inflateBody(member(flag, new Uint8Array(0)))).toBeUndefined();
    expect(inflateBody(member(1, new Uint8Array(0)))).toEqual(body);
    expect(inflateBody(member(4, Uint8Array.of(2, 0, 7, 7)))).toEqual(body);
    expect(inflateBody(member(8, Uint8Array.of(0x61, 0)))).toEqual(body);
    expect(inflateBody(member(16, Uint8Array.of(0x61, 0x62, 0)))).toEqual(body);
    expect(inflateBody(member(4 | 8 | 16, Uint8Array.of(1, 0, 7, 0, 0)))).toEqual(body);
    expect(inflateBody(member(4, Uint8Array.of(0xff, 0xff)))).toBeUndefined();
  });

  it('a wrong header CRC fails', () => {
    const header = Uint8Array.of(0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 255);
    const crc = crc32(header) & 0xffff;
    expect(inflateBody(member(2, Uint8Array.of(crc & 0xff, crc >> 8)))).toEqual(body);
    expect(inflateBody(member(2, Uint8Array.of((crc & 0xff) ^ 1, crc >> 8)))).toBeUndefined();
  });

  it('at most 2 MiB inflated', () => {
    expect(inflateBody(stored(new Uint8Array(LIMIT)))).toHaveLength(LIMIT);
    expect(inflate(stored(new Uint8Array(LIMIT + 1)))).toEqual({ ok: false, error: TOO_LARGE });
    expect(inflateBody(padded(gz(new Uint8Array(LIMIT)), LIMIT / 8))).toHaveLength(LIMIT);
    expect(inflateBody(padded(gz(new Uint8Array(LIMIT + 1)), LIMIT))).toBeUndefined();
  });

  it('at most 8 times the bytes of the body and 1 KiB more, bytes behind the member counted', () => {
    for (const length of [200, 1_000, 50_000]) {
      const limit = 8 * length + 1024;
      expect(inflateLimit(length)).toBe(limit);
      expect(inflateBody(padded(gz(new Uint8Array(limit)), length))).toHaveLength(limit);
      expect(inflate(padded(gz(new Uint8Array(limit + 1)), length))).toEqual({ ok: false, error: TOO_LARGE });
      expect(inflate(padded(gz(new Uint8Array(limit)), length - 1))).toEqual({ ok: false, error: TOO_LARGE });
    }
    expect(inflateLimit(LIMIT)).toBe(LIMIT);
  });

  it('inflating stops at the limit: what would come out beyond it is never allocated', () => {
    const bomb = gz(new Uint8Array(256 * LIMIT));
    const before = process.memoryUsage().arrayBuffers;
    expect(inflate(bomb)).toEqual({ ok: false, error: TOO_LARGE });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * LIMIT);
  });

  it('bare WASM, another method and nothing at all fail', () => {
    expect(inflateBody(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 0, 0, 0))).toBeUndefined();
    const other = gz(body);
    other[2] = 7;
    expect(inflateBody(other)).toBeUndefined();
    expect(inflateBody(new Uint8Array(0))).toBeUndefined();
  });
});
