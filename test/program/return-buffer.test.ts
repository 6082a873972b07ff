import { describe, expect, it } from 'vitest';
import { ReturnBuffer } from '../../src/program/return-buffer.js';

const MIB = 1_048_576;

describe('the buffer of return data', () => {
  it('gives the parts one behind the other, the next ones in the same place', () => {
    const buffer = new ReturnBuffer();
    const first = buffer.join(Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3));
    expect([...first]).toEqual([1, 2, 3]);
    const second = buffer.join(Uint8Array.of(9));
    expect([...second]).toEqual([9]);
    expect(second.buffer).toBe(first.buffer);
    expect(buffer.join().length).toBe(0);
  });

  it('keeps no more than 32 MiB for the next message', () => {
    const buffer = new ReturnBuffer();
    buffer.join(new Uint8Array(32 * MIB));
    buffer.trim();
    expect(buffer.length).toBe(32 * MIB);
    buffer.join(new Uint8Array(32 * MIB + 1));
    buffer.trim();
    expect(buffer.length).toBe(0);
  });
});
