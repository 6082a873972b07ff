import { describe, expect, test } from 'vitest';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { readU128, toHex, U128_MAX, u128Bytes } from '../../src/util/bytes.js';
import { Contract, keyOf, SELF } from './contract.js';

const incoming = [{ block: 2n, tx: 9n, amount: 11n }];
const number = (bytes: Uint8Array, at = 0) => readU128(bytes, at);

describe('probe', () => {
  test('ends as told: abort, trap, endless loop, abort before a loop, division by zero, out of bounds', () => {
    const probe = new Contract('probe');
    expect([1, 2, 3, 20, 22].map((code) => probe.call([code]).status)).toEqual([
      'REVERT',
      'TRAP',
      'OUT_OF_FUEL',
      'REVERT',
      'REVERT',
    ]);
    expect(probe.call([3]).fuelUsed).toBe(MESSAGE_FUEL);
    // 2 pages and a little static data.
    expect(probe.call([20]).fuelUsed).toBeLessThan(14_500);
    expect(probe.call([12, 0]).status).toBe('TRAP');
    expect(number(probe.call([12, 7]).data)).toBe(142857n);
    for (const offset of [0, 1, 65532, 65535]) expect(probe.call([13, offset]).status).toBe('TRAP');
    for (const pointer of [0, 1, 3, 131073, 0x80000000, 0xffffffff])
      expect(probe.call([7, pointer]).status).toBe('REJECTED');
  });

  test('counters and pointers: following a pointer touches the counter that it names', () => {
    const probe = new Contract('probe');
    expect(number(probe.call([4, 8]).data)).toBe(1n);
    expect(number(probe.call([4, 8]).data)).toBe(2n);
    expect(probe.call([6, 1]).reads).toEqual(expect.arrayContaining([keyOf('ptr/', 1), keyOf('ctr/', 0)]));
    probe.call([5, 1, 8]);
    const followed = probe.call([6, 1]);
    expect([...followed.writes.keys()]).toEqual([keyOf('ctr/', 8)]);
    expect([number(followed.data), number(followed.data, 16)]).toEqual([8n, 3n]);
    probe.call([21, 8, U128_MAX]);
    expect(number(probe.call([4, 8]).data)).toBe(0n);
    probe.call([17, 6, 8]);
    expect(probe.storage.has(keyOf('ctr/', 8))).toBe(false);
    expect(number(probe.storage.get(keyOf('slot/', 6))!)).toBe(1n);
  });

  test('reads n keys and adds them up', () => {
    const probe = new Contract('probe');
    for (const n of [0, 1, 1, 2, 3]) probe.call([4, n]);
    const { reads, data } = probe.call([14, 3]);
    expect(number(data)).toBe(4n);
    expect([...new Set(reads)]).toEqual([keyOf('ctr/', 0), keyOf('ctr/', 1), keyOf('ctr/', 2)]);
  });

  test('writes values of any length that memory holds', () => {
    const probe = new Contract('probe');
    for (const length of [0, 1, 255, 50_000]) {
      const { status, writes } = probe.call([8, length, 4]);
      expect(status).toBe('OK');
      expect(writes.get(keyOf('big/', 4))).toEqual(Uint8Array.from({ length }, (_, i) => i & 255));
    }
    expect(probe.call([8, 100_001, 4]).status).toBe('REVERT');
    expect(probe.call([8, 2n ** 32n, 4]).status).toBe('REVERT');
  });

  test('burns fuel in proportion', () => {
    const probe = new Contract('probe');
    const used = (n: number) => probe.call([10, n]).fuelUsed;
    expect(used(2000) - used(1000)).toBe(used(1000) - used(0));
    expect(probe.call([10, 1000]).data).not.toEqual(probe.call([10, 1001]).data);
    expect(probe.call([10, 1_000_000]).status).toBe('OUT_OF_FUEL');
  });

  test('sends what it is told, returns or keeps what came in', () => {
    const probe = new Contract('probe');
    expect(probe.call([9, 7, 8, 9]).transfers).toEqual([{ block: 7n, tx: 8n, amount: 9n }]);
    expect(probe.call([11], { incoming }).transfers).toEqual(incoming);
    for (const code of [0, 15]) expect(probe.call([code], { incoming })).toMatchObject({ status: 'OK', transfers: [] });
  });

  test('stores the sequence and a balance as the host gives them', () => {
    const probe = new Contract('probe');
    probe.call([16, SELF.block, SELF.tx], { balance: u128Bytes(77n) });
    expect(number(probe.storage.get('seq')!)).toBe(9n);
    expect(number(probe.storage.get('bal')!)).toBe(77n);
    probe.call([16, 1, 1]);
    expect(probe.storage.has('bal')).toBe(false);
  });

  test('declares keys in a dry run without touching them', () => {
    const probe = new Contract('probe');
    const dry = probe.call([18, 1, 2], { dryRun: true });
    expect(dry.reads).toEqual([]);
    expect(dry.declared).toEqual([
      `get ${keyOf('ctr/', 1)}`,
      `put ${keyOf('ctr/', 1)}`,
      `get ${keyOf('ctr/', 2)}`,
      `put ${keyOf('ctr/', 2)}`,
    ]);
    expect(number(probe.call([18, 1, 2]).data)).toBe(1n);
  });

  test('data that looks like an error is data', () => {
    const { status, data } = new Contract('probe').call([19]);
    expect(status).toBe('OK');
    expect(toHex(data.slice(0, 4))).toBe('08c379a0');
    expect(Buffer.from(data.slice(4)).toString()).toBe('not an error');
  });
});
