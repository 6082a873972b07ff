// Blocks lie in shared memory; contracts load them from a copy of their own.
import { describe, expect, it } from 'vitest';
import { unshared } from '../../src/program/unshared.js';

function shared(length: number): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(length + 3), 3, length);
  for (let i = 0; i < length; i++) bytes[i] = i * 7;
  return bytes;
}

describe('bytes in shared memory', () => {
  it('are copied once, byte for byte, to memory of their own', () => {
    const bytes = shared(10_000);
    const copy = unshared(bytes);
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect(Buffer.compare(copy, bytes)).toBe(0);
    expect(unshared(bytes)).toBe(copy);
    expect(unshared(shared(10_000))).not.toBe(copy);
  });

  it('stay where they are if they are few or not shared', () => {
    const [few, own] = [shared(4_095), new Uint8Array(10_000)];
    expect(unshared(few)).toBe(few);
    expect(unshared(own)).toBe(own);
  });
});
