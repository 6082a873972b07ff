import { describe, expect, it } from 'vitest';

/** Bytes that cannot be gone through one by one. */
function closed(...bytes: number[]): Uint8Array {
  const iterate = () => {
    throw new Error('went through the bytes');
  };
  return Object.defineProperty(Uint8Array.of(...bytes), Symbol.iterator, { value: iterate, enumerable: false });
}

describe('toEqual', () => {
  it('compares bytes at once, alone and within others', () => {
    expect(closed(1, 2)).toEqual(Uint8Array.of(1, 2));
    expect([{ a: closed(1) }]).toEqual([{ a: closed(1) }]);
    expect(new Map([['a', [closed(1, 2)]]])).toEqual(new Map([['a', [closed(1, 2)]]]));
    expect({ a: closed(1), b: 2 }).toMatchObject({ a: closed(1) });
    expect([closed(1), closed(2)]).toContainEqual(closed(2));
  });

  it('tells bytes apart as before', () => {
    for (const other of [[1], [1, 2, 3], [1, 3], []]) expect(closed(1, 2)).not.toEqual(Uint8Array.from(other));
    expect(new Map([['a', closed(1)]])).not.toEqual(new Map([['a', closed(2)]]));
    expect(Uint8Array.of(1)).not.toEqual(Buffer.of(1));
    expect(Uint8Array.of(1)).not.toEqual(Uint16Array.of(1));
    expect(Uint8Array.of(1)).not.toEqual([1]);
    expect(Uint8Array.of(1)).toEqual(expect.any(Uint8Array));
  });
});
