import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { ENV_IMPORTS, INTRINSICS, type IntrinsicName } from '../../src/program/env.js';
import { prepareProgram } from '../../src/program/prepare.js';
import type { Program, RunResult } from '../../src/program/types.js';
import { BothTiers } from '../../src/selftest/tiers.js';
import { concatBytes, fromHex, readU32, readU128, U128_MAX, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { call, i32, load, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { priceOf, run as runOf, testHost } from './support.js';

const PAGE = 65_536;
/** Where the context lies: the arguments in its first words, then the buffers. */
const CONTEXT = 1_004;
const BUFFERS = CONTEXT + 16;
/** What is returned: 64 bytes, all ee but for what the call gave (the first word) and wrote. */
const RESULT = 600;
/** Its length word is the result's second word. */
const OUT = RESULT + 8;

/** Calls `name` with the numbers in the context's first words. */
function caller(name: string): Program {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  const target = b.import(name);
  const count = ENV_IMPORTS[name].split('->')[0].split(',').length;
  const args = Array.from({ length: count }, (_, i) => [i32(CONTEXT), load(4 * i)]).flat();
  const returns = ENV_IMPORTS[name].endsWith('i32');
  b.data(RESULT - 4, concatBytes(u32Bytes(64), new Uint8Array(64).fill(0xee)));
  b.execute([
    i32(CONTEXT),
    call(loadContext),
    op(OP.drop),
    ...(returns ? [i32(RESULT), ...args, call(target), store()] : [...args, call(target)]),
    i32(RESULT),
  ]);
  return prepareProgram(b.bytes());
}

const programs = new Map(Object.keys(INTRINSICS).map((name) => [name, caller(name)]));
const tiers = new BothTiers();

/** Pointers of buffers that lie one after the other from BUFFERS on, each behind its length word. */
function pointersOf(buffers: readonly Uint8Array[]): number[] {
  let at = BUFFERS;
  return buffers.map(({ length }) => {
    at += 4 + length;
    return at - length;
  });
}

function run(
  name: string,
  args: readonly number[],
  buffers: readonly Uint8Array[] = [],
  fuel = MESSAGE_FUEL,
): RunResult {
  const words = [...args, 0, 0, 0, 0].slice(0, 4).map(u32Bytes);
  const context = concatBytes(...words, ...buffers.flatMap((bytes) => [u32Bytes(bytes.length), bytes]));
  const { result, difference } = tiers.run(programs.get(name)!, () => testHost({ context }).host, fuel);
  expect(difference).toBeUndefined();
  return result;
}

/** Fuel of the call alone: a bad first pointer ends the same run right before the charge. */
function cost(name: string, args: readonly number[], buffers: readonly Uint8Array[]): number {
  const { status, fuelLeft } = run(name, args, buffers);
  expect(status).toBe('OK');
  return run(name, [0, ...args.slice(1)], buffers).fuelLeft - fuelLeft;
}

const hash = (data: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(data).digest());
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 + length);
const SECRET = new Uint8Array(32).fill(5);
const KEY = xOnlyPointFromScalar(SECRET);
const signed = (message: Uint8Array): Uint8Array[] => [message, KEY, signSchnorr(message, SECRET)];

/** Inputs that hold, per intrinsic. */
const GOOD: Readonly<Record<IntrinsicName, Uint8Array[]>> = {
  __sha256: [bytes(10)],
  __sha256d: [bytes(10)],
  __u128_mul_div: [u128Bytes(7n), u128Bytes(6n), u128Bytes(5n)],
  __schnorr_verify: signed(bytes(32)),
};
const writes = (name: string): boolean => name !== '__schnorr_verify';
/** The result's words and the output's data: what the call gave, the length word, the data. */
function output({ result }: RunResult, length: number) {
  const whole = result!;
  return { given: readU32(whole, 0), length: readU32(whole, 4), data: whole.slice(8, 8 + length) };
}

it('__sha256 and __sha256d pay for the bytes of their input, __u128_mul_div and __schnorr_verify for none', () => {
  for (const name of ['__sha256', '__sha256d']) {
    for (const length of [0, 1, 64, 65, 1_000]) {
      expect(cost(name, [BUFFERS + 4, OUT], [bytes(length)])).toBe(priceOf(name, length));
    }
  }
  for (const name of ['__u128_mul_div', '__schnorr_verify'] as const) {
    const args = [...pointersOf(GOOD[name]), OUT];
    expect(cost(name, args, GOOD[name])).toBe(priceOf(name, 32));
  }
});

describe.each(Object.keys(GOOD) as IntrinsicName[])('%s: order of its checks (lane rules 6)', (name) => {
  const inputs = GOOD[name];
  const good = [...pointersOf(inputs), ...(writes(name) ? [OUT] : [])];
  const withArgument = (index: number, value: number): number[] => good.map((p, i) => (i === index ? value : p));

  it("each input's pointer, then its length, in the order of the parameters", () => {
    const lengths = name.startsWith('__sha') ? [] : inputs.map((_, i) => i);
    for (let i = 0; i < inputs.length; i++) {
      for (const bad of [0, 3, PAGE + 1, 0xffffffff]) {
        // Whatever is wrong behind it.
        const args = withArgument(i, bad).map((p, k) => (k > i ? PAGE + 4 : p));
        expect(run(name, args, inputs)).toMatchObject({ status: 'REVERT', reason: 'bad-pointer' });
      }
    }
    for (const i of lengths) {
      for (const length of [0, inputs[i].length - 1, inputs[i].length + 1]) {
        const other = inputs.map((input, k) => (k === i ? bytes(length) : input));
        const args = [...pointersOf(other), ...good.slice(inputs.length)].map((p, k) => (k > i ? PAGE + 4 : p));
        expect(run(name, args, other)).toMatchObject({ status: 'REVERT', reason: 'host-error' });
      }
    }
  });

  it('the inputs come before the charge, the charge before the check of where it writes', () => {
    const before = MESSAGE_FUEL - run(name, withArgument(0, 0), inputs).fuelLeft;
    const last = inputs.length - 1;
    expect(run(name, withArgument(last, 0), inputs, before)).toMatchObject({ status: 'REVERT', fuelLeft: 0 });
    const short = before + priceOf(name, inputs[0].length) - 1;
    expect(run(name, good, inputs, short)).toMatchObject({ status: 'OUT_OF_FUEL' });
    if (writes(name)) {
      const args = withArgument(inputs.length, 3);
      expect(run(name, args, inputs, short)).toMatchObject({ status: 'OUT_OF_FUEL' });
      expect(run(name, args, inputs, short + 1)).toMatchObject({
        status: 'REVERT',
        reason: 'bad-pointer',
        fuelLeft: 0,
      });
    }
    expect(run(name, good, inputs, short + 1)).toMatchObject({ status: 'OK', fuelLeft: 0 });
  });
});

describe('what an intrinsic writes (lane rules 6)', () => {
  const UNTOUCHED = 0xeeeeeeee;

  it('the host writes the length word and the data, and no other byte', () => {
    const hashed = run('__sha256', [BUFFERS + 4, OUT], [bytes(3)]).result!;
    expect(hashed).toEqual(
      concatBytes(u32Bytes(UNTOUCHED), u32Bytes(32), hash(bytes(3)), new Uint8Array(24).fill(0xee)),
    );
    const divided = run('__u128_mul_div', [...pointersOf(GOOD.__u128_mul_div), OUT], GOOD.__u128_mul_div).result!;
    expect(divided).toEqual(concatBytes(u32Bytes(1), u32Bytes(16), u128Bytes(8n), new Uint8Array(40).fill(0xee)));
  });

  it('an output may overlap the inputs and their length words', () => {
    const data = bytes(40);
    const b = new WasmBuilder();
    const sha256 = b.import('__sha256');
    b.data(96, concatBytes(u32Bytes(40), data));
    b.execute([i32(100), i32(98), call(sha256), i32(98)]);
    expect(runOf(b)).toMatchObject({ result: hash(data) });
    const c = new WasmBuilder();
    const mulDiv = c.import('__u128_mul_div');
    c.data(96, concatBytes(u32Bytes(16), u128Bytes(2n ** 100n)));
    // One buffer is a, b, c and the output.
    c.execute([i32(100), i32(100), i32(100), i32(100), call(mulDiv), op(OP.drop), i32(100)]);
    expect(runOf(c)).toMatchObject({
      result: u128Bytes(2n ** 100n),
    });
  });

  it('the check of where it writes comes also where nothing is written', () => {
    const inputs = [u128Bytes(1n), u128Bytes(1n), u128Bytes(0n)];
    const args = (out: number) => [...pointersOf(inputs), out];
    expect(run('__u128_mul_div', args(PAGE - 16), inputs)).toMatchObject({ status: 'OK' });
    for (const out of [3, PAGE - 15, 0xfffffff0]) {
      expect(run('__u128_mul_div', args(out), inputs)).toMatchObject({ status: 'REVERT', reason: 'bad-pointer' });
    }
  });

  it('SHA-256 and its double over every length up to 200 and over long inputs', () => {
    for (const length of [...Array.from({ length: 200 }, (_, i) => i), 511, 512, 4_096, 40_000]) {
      const data = bytes(length);
      const args = [BUFFERS + 4, OUT];
      expect(output(run('__sha256', args, [data]), 32).data).toEqual(hash(data));
      expect(output(run('__sha256d', args, [data]), 32).data).toEqual(hash(hash(data)));
    }
  });

  it('__u128_mul_div is exact; 0 leaves the output and its length word untouched', () => {
    const limb = fc.constantFrom(0n, 1n, 2n, 0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn, 0x12345678n);
    const number = fc
      .array(limb, { minLength: 4, maxLength: 4 })
      .map((l) => l.reduce<bigint>((sum, n) => (sum << 32n) | n, 0n));
    fc.assert(
      fc.property(number, number, number, fc.nat(127), (a, b, wide, shift) => {
        const c = wide >> BigInt(shift);
        const inputs = [a, b, c].map(u128Bytes);
        const got = output(run('__u128_mul_div', [...pointersOf(inputs), OUT], inputs), 16);
        const quotient = c === 0n ? undefined : (a * b) / c;
        if (quotient !== undefined && quotient <= U128_MAX) {
          expect(got).toMatchObject({ given: 1, length: 16 });
          expect(readU128(got.data, 0)).toBe(quotient);
        } else {
          expect(got).toEqual({ given: 0, length: UNTOUCHED, data: new Uint8Array(16).fill(0xee) });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('__schnorr_verify (BIP340)', () => {
  interface Vector {
    readonly index: number;
    readonly publicKey: string;
    readonly message: string;
    readonly signature: string;
    readonly valid: boolean;
    readonly comment: string;
  }
  const file = new URL('../../fixtures/vectors/bip340.json', import.meta.url);
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];

  const verify = (...inputs: Uint8Array[]): number => {
    const { status, result } = run('__schnorr_verify', pointersOf(inputs), inputs);
    expect(status).toBe('OK');
    return readU32(result!, 0);
  };

  it('every published BIP340 vector with a message of 32 bytes', () => {
    const short = vectors.filter(({ message }) => message.length === 64);
    expect([vectors.length, short.length]).toEqual([19, 15]);
    for (const { index, publicKey, message, signature, valid, comment } of short) {
      const answer = verify(fromHex(message), fromHex(publicKey), fromHex(signature));
      expect(answer, `${index} ${comment}`).toBe(valid ? 1 : 0);
    }
  });

  it('a message of another length is a host error, also where a vector signs it', () => {
    for (const { publicKey, message, signature } of vectors.filter((v) => v.message.length !== 64)) {
      const inputs = [message, publicKey, signature].map(fromHex);
      expect(run('__schnorr_verify', pointersOf(inputs), inputs)).toMatchObject({
        status: 'REVERT',
        reason: 'host-error',
      });
    }
  });

  it('a change of any byte of message, key or signature gives 0', () => {
    const good = signed(hash(bytes(9)));
    expect(verify(...good)).toBe(1);
    good.forEach((input, i) => {
      for (let at = 0; at < input.length; at += 3) {
        const changed = good.map((g, k) => (k === i ? g.map((byte, n) => (n === at ? byte ^ 1 : byte)) : g));
        expect(verify(...changed)).toBe(0);
      }
    });
  });

  it('numbers at the edges of the field and the group give 0, not an error', () => {
    const [message, key, signature] = signed(hash(bytes(1)));
    const r = signature.slice(0, 32);
    const s = signature.slice(32);
    const numbers = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140', // n - 1
      'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', // n
      'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e', // p - 1
      'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f', // p
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ].map(fromHex);
    for (const edge of numbers) {
      expect(verify(message, key, concatBytes(edge, s))).toBe(0);
      expect(verify(message, key, concatBytes(r, edge))).toBe(0);
      expect(verify(message, edge, signature)).toBe(0);
    }
    expect(verify(message, key, signature)).toBe(1);
  });

  it('thousands of keys that are on no curve change nothing for the good ones', () => {
    const good = signed(bytes(32));
    const offCurve = fromHex(vectors[5].publicKey);
    for (let i = 0; i < 4_000; i++) expect(verify(good[0], offCurve, good[2])).toBe(0);
    expect(verify(...good)).toBe(1);
  });
});
