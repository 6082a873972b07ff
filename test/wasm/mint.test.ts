import { expect, test } from 'vitest';
import { readU128, U128_MAX } from '../../src/util/bytes.js';
import { Contract, SELF } from './contract.js';

const number = (bytes: Uint8Array) => readU128(bytes, 0);

test('mint gives its value up to the cap and reverts beyond it', () => {
  const mint = new Contract('mint');
  expect(mint.call([77]).status).toBe('REVERT');
  expect(mint.call([0, 3, 500]).status).toBe('OK');
  expect(mint.call([0, 3, 500]).status).toBe('REVERT');
  for (let n = 1n; n <= 3n; n++) {
    expect(mint.call([77])).toMatchObject({ status: 'OK', transfers: [{ ...SELF, amount: 500n }] });
    expect(number(mint.storage.get('minted')!)).toBe(n);
  }
  expect(mint.call([77]).status).toBe('REVERT');
  expect([101, 102, 103, 104].map((code) => number(mint.call([code]).data))).toEqual([1500n, 3n, 3n, 500n]);
});

test('mint reads and writes one counter: every two mints conflict', () => {
  const mint = new Contract('mint');
  mint.call([0, 10, 1]);
  const { reads, writes } = mint.call([77]);
  expect(reads.every((key) => key === 'config' || key === 'minted')).toBe(true);
  expect([...writes.keys()]).toEqual(['minted']);
});

test('mint refuses a total supply beyond 128 bits', () => {
  for (const [cap, value, status] of [
    [U128_MAX, 1n, 'OK'],
    [U128_MAX, 2n, 'REVERT'],
    [2n ** 64n, 2n ** 64n, 'REVERT'],
    [2n ** 64n - 1n, 2n ** 64n + 1n, 'OK'],
    [0n, U128_MAX, 'OK'],
  ] as const) {
    expect(new Contract('mint').call([0n, cap, value]).status).toBe(status);
  }
});

test('mint returns incoming assets and answers its name', () => {
  const mint = new Contract('mint');
  const incoming = [{ block: 2n, tx: 1n, amount: 9n }];
  expect(mint.call([0, 1, 5], { incoming }).transfers).toEqual(incoming);
  expect(mint.call([77], { incoming }).transfers).toEqual([...incoming, { ...SELF, amount: 5n }]);
  expect(Buffer.from(mint.call([99]).data).toString()).toBe('mint');
  expect(Buffer.from(mint.call([100]).data).toString()).toBe('MINT');
  expect(mint.call([1]).status).toBe('REVERT');
});
