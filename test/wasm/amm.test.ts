import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readU128, U128_MAX } from '../../src/util/bytes.js';
import { type Asset, Contract, keyOf } from './contract.js';

const A = { block: 2n, tx: 10n };
const B = { block: 4n, tx: 3n };

interface Pool {
  a: bigint;
  b: bigint;
  shares: bigint;
  readonly fee: bigint;
}

/** The rules of docs/programs.md in plain numbers; undefined means revert. */
function modelDeposit(
  pool: Pool,
  a: bigint,
  b: bigint,
  minShares: bigint,
): { pool: Pool; shares: bigint; back: Asset[] } | undefined {
  const up = (n: bigint, d: bigint) => (n + d - 1n) / d;
  let shares = a;
  let takeA = a;
  let takeB = b;
  if (pool.shares > 0n) {
    const fromA = (a * pool.shares) / pool.a;
    const fromB = (b * pool.shares) / pool.b;
    shares = fromA;
    if (fromB < fromA) shares = fromB;
    takeA = up(shares * pool.a, pool.shares);
    takeB = up(shares * pool.b, pool.shares);
  }
  const next = { ...pool, a: pool.a + takeA, b: pool.b + takeB, shares: pool.shares + shares };
  if (shares === 0n || shares < minShares || [next.a, next.b, next.shares].some((n) => n > U128_MAX)) return undefined;
  const back = [
    { ...A, amount: a - takeA },
    { ...B, amount: b - takeB },
  ].filter(({ amount }) => amount > 0n);
  return { pool: next, shares, back };
}

function modelSwap(
  pool: Pool,
  fromA: boolean,
  amount: bigint,
  minOut: bigint,
): { pool: Pool; out: bigint } | undefined {
  const reserveIn = fromA ? pool.a : pool.b;
  const reserveOut = fromA ? pool.b : pool.a;
  const net = amount - (amount * pool.fee + 9999n) / 10000n;
  if (reserveIn + net === 0n) return undefined;
  const out = (reserveOut * net) / (reserveIn + net);
  if (out === 0n || out < minOut || reserveIn + amount > U128_MAX) return undefined;
  return {
    pool: fromA
      ? { ...pool, a: reserveIn + amount, b: reserveOut - out }
      : { ...pool, b: reserveIn + amount, a: reserveOut - out },
    out,
  };
}

function poolOf(amm: Contract, number: bigint): Pool {
  const value = amm.storage.get(keyOf('pool/', number))!;
  expect(value.length).toBe(128);
  const [a, b, shares, fee] = [64, 80, 96, 112].map((at) => readU128(value, at));
  return { a, b, shares, fee };
}

function withPool(number: bigint, fee: bigint): Contract {
  const amm = new Contract('amm');
  expect(amm.call([0]).status).toBe('OK');
  expect(amm.call([1n, number, A.block, A.tx, B.block, B.tx, fee]).status).toBe('OK');
  return amm;
}

/** Amounts of every magnitude, with the ends. */
const amount = fc
  .oneof(
    fc.bigInt({ min: 1n, max: 1000n }),
    fc
      .tuple(fc.integer({ min: 0, max: 127 }), fc.bigInt({ min: 0n, max: U128_MAX }))
      .map(([bits, n]) => (n >> BigInt(bits)) + 1n),
    fc.constantFrom(U128_MAX, U128_MAX - 1n, 2n ** 64n, 2n ** 96n - 1n, 2n ** 32n),
  )
  .filter((n) => n <= U128_MAX);

const step = fc.oneof(
  fc.record({ kind: fc.constant('deposit' as const), a: amount, b: amount, min: fc.constantFrom(0n, 0n, 0n, 1000n) }),
  fc.record({
    kind: fc.constant('swap' as const),
    fromA: fc.boolean(),
    amount,
    min: fc.constantFrom(0n, 0n, 0n, 100n),
  }),
);

describe('amm', () => {
  test('random deposits and swaps do what the rules say in plain numbers, and never shrink the product', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0n, 1n, 30n, 9999n),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        (fee, steps) => {
          const amm = withPool(3n, fee);
          let pool: Pool = { a: 0n, b: 0n, shares: 0n, fee };
          let owned = 0n;
          for (const s of steps) {
            if (s.kind === 'deposit') {
              const want = modelDeposit(pool, s.a, s.b, s.min);
              const got = amm.call([2n, 3n, 8n, s.min], {
                incoming: [
                  { ...A, amount: s.a },
                  { ...B, amount: s.b },
                ],
              });
              expect(got.status).toBe(want ? 'OK' : 'REVERT');
              if (want) {
                expect(got.transfers).toEqual(want.back);
                expect(readU128(got.data, 0)).toBe(want.shares);
                owned += want.shares;
                pool = want.pool;
              }
            } else {
              const want = modelSwap(pool, s.fromA, s.amount, s.min);
              const got = amm.call([3n, 3n, s.min], { incoming: [{ ...(s.fromA ? A : B), amount: s.amount }] });
              expect(got.status).toBe(want ? 'OK' : 'REVERT');
              if (want) {
                expect(got.transfers).toEqual([{ ...(s.fromA ? B : A), amount: want.out }]);
                expect(want.pool.a * want.pool.b).toBeGreaterThanOrEqual(pool.a * pool.b);
                pool = want.pool;
              }
            }
            expect(poolOf(amm, 3n)).toEqual(pool);
          }
          const share = amm.storage.get(keyOf('share/', 3n, 8n));
          expect(share ? readU128(share, 0) : 0n).toBe(owned);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('pools of one contract do not touch each other', () => {
    const amm = withPool(1n, 30n);
    expect(amm.call([1n, 2n, B.block, B.tx, A.block, A.tx, 0n]).status).toBe('OK');
    const incoming = [
      { ...A, amount: 1000n },
      { ...B, amount: 4000n },
    ];
    expect(amm.call([2, 1, 0, 0], { incoming }).status).toBe('OK');
    const { reads, writes } = amm.call([2, 2, 0, 0], { incoming });
    expect([...new Set([...reads, ...writes.keys()])].sort()).toEqual(
      [keyOf('pool/', 2), keyOf('share/', 2, 0)].sort(),
    );
    // Pool 2 names the assets the other way round.
    expect(poolOf(amm, 2n)).toMatchObject({ a: 4000n, b: 1000n, shares: 4000n });
    expect(poolOf(amm, 1n)).toMatchObject({ a: 1000n, b: 4000n, shares: 1000n });
  });

  test('a pool is made once, of two assets, with a fee below 10000', () => {
    const amm = withPool(1n, 0n);
    expect(amm.call([1n, 1n, A.block, A.tx, B.block, B.tx, 0n]).status).toBe('REVERT');
    expect(amm.call([1n, 2n, A.block, A.tx, A.block, A.tx, 0n]).status).toBe('REVERT');
    expect(amm.call([1n, 2n, A.block, A.tx, B.block, B.tx, 10000n]).status).toBe('REVERT');
    expect(amm.call([1n, 2n, A.block, A.tx, B.block, B.tx, 2n ** 64n]).status).toBe('REVERT');
    expect(amm.call([1n, 2n, A.block, A.tx, A.block, B.tx, 9999n]).status).toBe('OK');
  });

  test('wrong assets revert', () => {
    const amm = withPool(1n, 0n);
    const other = { block: 9n, tx: 9n, amount: 5n };
    const a = { ...A, amount: 5n };
    const b = { ...B, amount: 5n };
    for (const incoming of [[], [a], [a, other], [other, b], [a, b, other]]) {
      expect(amm.call([2, 1, 0, 0], { incoming }).status).toBe('REVERT');
    }
    expect(amm.call([2, 1, 0, 0], { incoming: [a, b] }).status).toBe('OK');
    for (const incoming of [[], [other], [a, b]]) expect(amm.call([3, 1, 0], { incoming }).status).toBe('REVERT');
    expect(amm.call([3, 7, 0], { incoming: [a] }).status).toBe('REVERT');
  });

  test('the getters answer and return incoming assets', () => {
    const amm = withPool(1n, 25n);
    const incoming = [{ ...A, amount: 5n }];
    const pool = amm.call([4, 1], { incoming });
    expect(pool.transfers).toEqual(incoming);
    expect(pool.data).toEqual(amm.storage.get(keyOf('pool/', 1)));
    expect(amm.call([4, 2]).data.length).toBe(0);
    expect(amm.call([5, 1, 0]).data.length).toBe(0);
    expect(amm.call([6]).status).toBe('REVERT');
  });
});
