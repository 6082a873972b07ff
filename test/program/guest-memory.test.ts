import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GuestMemory } from '../../src/program/guest-memory.js';

const PAGE = 65_536;
const HASH_BYTES = 32;

function guest(pages = 1, fuel = 1_000_000) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 4 });
  const counter = new WebAssembly.Global({ value: 'i32', mutable: true }, fuel);
  return { memory, counter, guest: new GuestMemory(memory, counter) };
}

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest());

/** Bytes that differ from each other and from run to run of nothing. */
function message(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31 + (i >> 3)) & 0xff);
}

/** Hashes a message at `pointer` to `out` both ways; what is written, length words included. */
function hashes(memory: GuestMemory, pointer: number, data: Uint8Array, out: number): Uint8Array[] {
  return [false, true].map((twice) => {
    memory.bytes.fill(0xaa, out - 4, out + HASH_BYTES);
    memory.write(pointer, data);
    memory.hash(pointer, data.length, out, twice);
    return memory.bytes.slice(out - 4, out + HASH_BYTES);
  });
}

const expected = (data: Uint8Array): Uint8Array[] =>
  [sha256(data), sha256(sha256(data))].map((digest) => Uint8Array.of(HASH_BYTES, 0, 0, 0, ...digest));

describe('hashes in the memory of a program', () => {
  const lengths = [...Array.from({ length: 301 }, (_, i) => i), 511, 512, 513, 575, 576, 703, 1_000, 5_000, 60_000];

  it('are those of node:crypto for every length, wherever the message begins', () => {
    const { guest: memory } = guest();
    for (const length of lengths) {
      const pointer = 2_003 + (length % 8);
      expect(hashes(memory, pointer, message(length), 1_001), `${length} bytes`).toEqual(expected(message(length)));
    }
  });

  it('read nothing behind a message that ends where the memory does', () => {
    const { guest: memory } = guest();
    for (const length of lengths) {
      const data = message(length);
      expect(hashes(memory, PAGE - length, data, 8), `${length} bytes`).toEqual(expected(data));
    }
  });

  it('may be written over the message, and to the end of the memory', () => {
    const { guest: memory } = guest();
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 300, 640, 700]) {
      const data = message(length);
      for (const shift of [-30, -4, 0, 1, 32]) {
        const pointer = 5_000;
        const found = [false, true].map((twice) => {
          memory.write(pointer, data);
          memory.hash(pointer, length, pointer + shift, twice);
          return memory.bytes.slice(pointer + shift - 4, pointer + shift + HASH_BYTES);
        });
        expect(found, `${length} bytes, ${shift} off`).toEqual(expected(data));
      }
      expect(hashes(memory, 5_000, data, PAGE - HASH_BYTES)).toEqual(expected(data));
    }
  });

  it('go on after the memory has grown', () => {
    const { memory, guest: of } = guest();
    memory.grow(2);
    for (const length of [100, 1_000]) {
      expect(hashes(of, 2 * PAGE - 10, message(length), 3 * PAGE - HASH_BYTES)).toEqual(expected(message(length)));
    }
  });

  it('keep nothing of one message for the next', () => {
    const { guest: memory } = guest();
    const before = memory.bytes.slice();
    memory.hash(4, 0, 100, true);
    memory.bytes.fill(0, 96, 100 + HASH_BYTES);
    expect(memory.bytes).toEqual(before);
    expect(hashes(memory, 500, message(20), 200)).toEqual(expected(message(20)));
  });
});

describe('the fuel of a program', () => {
  it('is taken only where there is enough, whatever is asked for', () => {
    const { guest: memory, counter } = guest(1, 10);
    for (const amount of [11, 2 ** 31, 2 ** 32, 2 ** 32 + 3]) expect(memory.charge(amount), `${amount}`).toBe(false);
    expect(counter.value).toBe(10);
    expect(memory.charge(4)).toBe(true);
    expect([counter.value, memory.fuelLeft]).toEqual([6, 6]);
    counter.value = 2 ** 31 - 1;
    expect(memory.charge(2 ** 31 - 1)).toBe(true);
    expect(memory.fuelLeft).toBe(0);
  });
});

describe('buffers in the memory of a program', () => {
  it('must lie in it with their length word, also at addresses that read as negative', () => {
    const { guest: memory } = guest();
    const at = (pointer: number, length: number): number => {
      new DataView(memory.bytes.buffer).setUint32((pointer >>> 0) - 4, length, true);
      return memory.lengthAt(pointer);
    };
    expect([at(4, 0), at(4, PAGE - 4), at(4, PAGE - 3), at(4, 0xffffffff)]).toEqual([0, PAGE - 4, -1, -1]);
    expect([at(PAGE, 0), at(PAGE, 1), at(PAGE - 1, 1)]).toEqual([0, -1, 1]);
    for (const pointer of [0, 3, PAGE + 1, -1, -4, (2 ** 31) | 0]) {
      expect(memory.lengthAt(pointer), `${pointer}`).toBe(-1);
      expect(memory.fits(pointer, 0), `${pointer}`).toBe(false);
      expect(memory.view(pointer), `${pointer}`).toBeUndefined();
    }
    expect([memory.fits(4, PAGE - 4), memory.fits(4, PAGE - 3), memory.fits(4, 2 ** 32 - 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('lie in what the memory has grown to', () => {
    const { memory, guest: of } = guest();
    expect(of.fits(PAGE + 4, 4)).toBe(false);
    memory.grow(1);
    expect(of.fits(PAGE + 4, 4)).toBe(true);
    of.write(PAGE + 4, Uint8Array.of(1, 2, 3, 4));
    expect(of.view(PAGE + 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
  });
});
