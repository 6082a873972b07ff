import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { GENERATOR, modulo, multiply, ORDER } from '../../src/gpu/intrinsics/secp256k1/curve.js';
import type { GpuCall, GpuCallResult, GpuExecutor } from '../../src/gpu/pack/types.js';
import { hostFuel, INTRINSICS } from '../../src/program/env.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { concatBytes, fromHex, readU32, toHex, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { call, i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { CONTEXT, intrinsicCaller, intrinsicContext, OUT } from './intrinsics-caller.js';
import { gpuCall, runAndCompare } from './support.js';

const PAGE = 65_536;
const U128 = 2n ** 128n;

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  createHash('sha256')
    .update(concatBytes(...parts))
    .digest();
const bytesOf = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
/** 32 bytes that depend only on the name. */
const seeded = (name: string): Uint8Array => sha256(new TextEncoder().encode(name));

let executor: GpuExecutor;
beforeAll(async () => {
  executor = await openGpuExecutor({ patient: true });
});
afterAll(() => executor?.close());

const programs = Object.fromEntries(Object.keys(INTRINSICS).map((name) => [name, intrinsicCaller(name)]));

/** Runs `name` once per context in the kernel and compares everything with V8. */
async function run(name: string, contexts: readonly (Uint8Array | Partial<GpuCall>)[]): Promise<GpuCallResult[]> {
  const program = programs[name];
  const base = gpuCall(program.source);
  return runAndCompare(
    executor,
    contexts.map((c) => {
      const { fuel, ...rest }: Partial<GpuCall> = c instanceof Uint8Array ? { context: c } : c;
      return { ...base, ...rest, fuel: fuel === undefined ? base.fuel : program.entryFuel + fuel };
    }),
  );
}

const given = ({ result }: GpuCallResult): number => readU32(result ?? new Uint8Array(4), 0);
const written = ({ result }: GpuCallResult, length: number): string =>
  toHex((result ?? new Uint8Array(0)).subarray(8, 8 + length));

/** Everything about pointers, lengths and fuel: the kernel must stop where V8 does, with the same fuel left. */
function stopCases(lengths: readonly number[], outputs: number, fuel: number): Partial<GpuCall>[] {
  const inputs = lengths.map((length) => new Uint8Array(length).fill(3));
  const good = intrinsicContext(inputs, outputs === 0 ? [] : [OUT]);
  const cases: Partial<GpuCall>[] = [];
  for (let i = 0; i < lengths.length + outputs; i++) {
    for (const pointer of [0, 3, 4, PAGE - 64, PAGE - 20, PAGE - 4, PAGE, PAGE + 1, 2 ** 31, 2 ** 32 - 1]) {
      const context = good.slice();
      context.set(u32Bytes(pointer), 4 * i);
      cases.push({ context });
    }
  }
  for (let i = 0; i < lengths.length; i++) {
    for (const length of [0, 1, 15, 17, 31, 33, 63, 65]) {
      const other = inputs.map((input, k) => (k === i ? new Uint8Array(length) : input));
      cases.push({ context: intrinsicContext(other, outputs === 0 ? [] : [OUT]) });
    }
  }
  // Some instructions and __load_context are charged as well.
  const own = 2 * good.length + 130;
  for (let more = -3; more < own; more += more < 3 ? 1 : 7) cases.push({ context: good, fuel: fuel + more });
  return cases;
}

describe('__sha256 and __sha256d in the kernel', () => {
  it('hash every length up to 200, at every alignment, and long inputs', async () => {
    const lengths = [...Array(201).keys(), 511, 512, 1_000];
    const inputs = lengths.map((length) => new Uint8Array(length).map((_, i) => i * 7 + length));
    const contexts = inputs.map((input, i) => intrinsicContext([input], [OUT], i % 4));
    const once = await run('__sha256', contexts);
    const twice = await run('__sha256d', contexts);
    inputs.forEach((input, i) => {
      expect(written(once[i], 32)).toBe(toHex(sha256(input)));
      expect(written(twice[i], 32)).toBe(toHex(sha256(sha256(input))));
    });
  });

  it('write over their own input', async () => {
    const input = seeded('overlap');
    for (const out of [CONTEXT + 20, CONTEXT + 21, CONTEXT + 40]) {
      const [result] = await run('__sha256', [intrinsicContext([input], [out])]);
      expect(result.status).toBe('OK');
    }
  });

  it('stop where V8 stops', async () => {
    const results = await run('__sha256', stopCases([70], 1, hostFuel('__sha256', 70)));
    expect(new Set(results.map((r) => r.reason))).toEqual(new Set(['none', 'bad-pointer']));
    expect(results.map((r) => r.status)).toContain('OUT_OF_FUEL');
    expect(results.filter((r) => r.status === 'PUNT').length).toBe(0);
  });
});

describe('__u128_mul_div in the kernel', () => {
  const interesting = [
    0n,
    1n,
    2n,
    3n,
    0xffffn,
    0x10000n,
    0x10001n,
    2n ** 32n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    2n ** 64n,
  ];
  const edges = [
    ...interesting,
    2n ** 112n - 1n,
    2n ** 112n,
    2n ** 127n - 1n,
    2n ** 127n,
    2n ** 127n + 1n,
    U128 - 2n,
    U128 - 1n,
  ];
  const mixed = fc.oneof(
    fc.constantFrom(...edges),
    fc.bigInt(0n, U128 - 1n),
    fc.tuple(fc.bigInt(0n, U128 - 1n), fc.nat(127)).map(([value, shift]) => value >> BigInt(shift)),
    // With digits of ffff, 8000 and 0, the estimate of a quotient's digit is off.
    fc
      .array(fc.constantFrom(0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff), { minLength: 8, maxLength: 8 })
      .map((digits) => digits.reduce((sum, digit) => (sum << 16n) | BigInt(digit), 0n)),
  );

  it('gives what BigInt gives', async () => {
    const random = fc.sample(fc.tuple(mixed, mixed, mixed), { seed: 7, numRuns: 4_000 });
    const all = [
      ...random,
      ...edges.flatMap((a) => edges.flatMap((c) => [[a, U128 - 1n, c] as const, [a, c, a] as const])),
    ];
    const results = await run(
      '__u128_mul_div',
      all.map((numbers, i) => intrinsicContext(numbers.map(u128Bytes), [OUT], i % 4)),
    );
    let fits = 0;
    all.forEach(([a, b, c], i) => {
      const quotient = c === 0n ? U128 : (a * b) / c;
      const fit = quotient < U128;
      if (fit) fits++;
      expect([given(results[i]), written(results[i], 16)]).toEqual([
        fit ? 1 : 0,
        fit ? toHex(u128Bytes(quotient)) : 'ee'.repeat(16),
      ]);
    });
    expect(fits).toBeGreaterThan(1_000);
    expect(fits).toBeLessThan(all.length - 500);
  });

  it('stops where V8 stops', async () => {
    const results = await run('__u128_mul_div', stopCases([16, 16, 16], 1, hostFuel('__u128_mul_div')));
    expect(new Set(results.map((r) => r.reason))).toEqual(new Set(['none', 'bad-pointer', 'host-error']));
    expect(results.map((r) => r.status)).toContain('OUT_OF_FUEL');
  });
});

interface Signed {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

interface Chosen extends Signed {
  readonly s: bigint;
  /** R as a multiple of G. */
  readonly nonce: bigint;
}

const CHALLENGE = sha256(new TextEncoder().encode('BIP0340/challenge'));

/** Signs by BIP340 with a nonce of choice. */
function signer(secret: bigint, nonce: bigint): (message: Uint8Array) => Chosen {
  const even = (scalar: bigint): { scalar: bigint; x: Uint8Array } => {
    const { x, y } = multiply(GENERATOR, scalar);
    return { scalar: y & 1n ? ORDER - scalar : scalar, x: bytesOf(x) };
  };
  const d = even(secret);
  const k = even(nonce);
  return (message) => {
    const e = numberOf(sha256(CHALLENGE, CHALLENGE, k.x, d.x, message));
    const s = modulo(k.scalar + e * d.scalar, ORDER);
    return { message, key: d.x, signature: concatBytes(k.x, bytesOf(s)), s, nonce: k.scalar };
  };
}

/** The point that the kernel's last addition adds, as a multiple of G. */
function lastDigit(s: bigint): bigint {
  const odd = s & 1n ? s : ORDER - s;
  const digit = 2n * ((odd >> 1n) & 255n) - 255n;
  return s & 1n ? digit : -digit;
}

describe('__schnorr_verify in the kernel', () => {
  const verify = (cases: readonly Signed[]): Promise<GpuCallResult[]> =>
    run(
      '__schnorr_verify',
      cases.map(({ message, key, signature }, i) => intrinsicContext([message, key, signature], [], i % 4)),
    );

  it('agrees with the published vectors', async () => {
    type Vector = { publicKey: string; message: string; signature: string; valid: boolean };
    const all: Vector[] = JSON.parse(readFileSync('fixtures/vectors/bip340.json', 'utf8'));
    const vectors = all.filter(({ message }) => message.length === 64);
    expect(vectors.length).toBe(15);
    const results = await verify(
      vectors.map((v) => ({ message: fromHex(v.message), key: fromHex(v.publicKey), signature: fromHex(v.signature) })),
    );
    expect(results.map(given)).toEqual(vectors.map(({ valid }) => (valid ? 1 : 0)));
  });

  it('accepts signatures of a library and rejects any change of them', async () => {
    const cases: Signed[] = [];
    const valid: number[] = [];
    const small = [1n, 2n, 3n, 15n, 16n, ORDER - 1n, ORDER - 2n, ORDER >> 1n].map(bytesOf);
    [...small, ...Array.from({ length: 56 }, (_, i) => seeded(`key ${i}`))].forEach((secret, i) => {
      const message = seeded(`message ${i}`);
      const key = xOnlyPointFromScalar(secret);
      const signature = signSchnorr(message, secret);
      cases.push({ message, key, signature });
      valid.push(1);
      const part = Uint8Array.from([message, key, signature][i % 3]);
      part[(i * 5) % part.length] ^= 1 << (i & 7);
      cases.push(
        i % 3 === 0
          ? { message: part, key, signature }
          : i % 3 === 1
            ? { message, key: part, signature }
            : { message, key, signature: part },
      );
      valid.push(0);
    });
    expect((await verify(cases)).map(given)).toEqual(valid);
  });

  it('knows the edges of s, r and the key', async () => {
    const FIELD = 2n ** 256n - 2n ** 32n - 977n;
    const { message, key, signature } = signer(5n, 7n)(seeded('edges'));
    const r = signature.subarray(0, 32);
    const s = signature.subarray(32);
    const cases: Signed[] = [
      ...[0n, 1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n].map((value) => ({
        message,
        key,
        signature: concatBytes(r, bytesOf(value)),
      })),
      ...[0n, 1n, ORDER, FIELD - 1n, FIELD, FIELD + numberOf(r), 2n ** 256n - 1n].map((value) => ({
        message,
        key,
        signature: concatBytes(bytesOf(modulo(value, 2n ** 256n)), s),
      })),
      // x = 0 and 5 are not on the curve, 1 and 2 are.
      ...[0n, 1n, 2n, 5n, FIELD - 1n, FIELD, FIELD + 1n, 2n ** 256n - 1n].map((value) => ({
        message,
        key: bytesOf(value),
        signature,
      })),
    ];
    expect((await verify(cases)).map(given)).toEqual(cases.map(() => 0));
    expect((await verify([{ message, key, signature }])).map(given)).toEqual([1]);
  });

  it('is right where the fast addition cannot add the points', async () => {
    const cases: Signed[] = [];
    // R = k·G, and the last addition is of c·G: to c·G itself for k = 2c, to infinity for k = c.
    for (const factor of [1n, 2n]) {
      for (const digit of [1n, 3n, 101n, 255n]) {
        const sign = signer(11n + digit, factor * digit);
        for (let i = 0; ; i++) {
          const signed = sign(seeded(`meeting ${digit} ${i}`));
          if (modulo(factor * lastDigit(signed.s), ORDER) !== signed.nonce) continue;
          cases.push(signed);
          break;
        }
      }
    }
    // R is infinity: s = e·d. Its x is never r.
    const infinite = [1n, 9n].map((d) => {
      const point = multiply(GENERATOR, d);
      const secret = point.y & 1n ? ORDER - d : d;
      const message = seeded(`infinity ${d}`);
      const e = numberOf(sha256(CHALLENGE, CHALLENGE, bytesOf(0n), bytesOf(point.x), message)) % ORDER;
      return { message, key: bytesOf(point.x), signature: concatBytes(bytesOf(0n), bytesOf((e * secret) % ORDER)) };
    });
    const results = await verify([...cases, ...infinite]);
    expect(results.map(given)).toEqual([...cases.map(() => 1), 0, 0]);
  });

  it('stops where V8 stops', async () => {
    const results = await run('__schnorr_verify', stopCases([32, 32, 64], 0, hostFuel('__schnorr_verify')));
    expect(new Set(results.map((r) => r.reason))).toEqual(new Set(['none', 'bad-pointer', 'host-error']));
    expect(results.map((r) => r.status)).toContain('OUT_OF_FUEL');
    expect(results.filter((r) => r.status === 'PUNT').length).toBe(0);
  });
});

describe('programs with intrinsics', () => {
  it('every intrinsic has a kernel function, which ends where V8 ends when all arguments are 0', async () => {
    for (const name of Object.keys(INTRINSICS)) {
      const [result] = await run(name, [intrinsicContext([])]);
      expect(result.status, name).not.toBe('PUNT');
    }
  });

  it('have no kernel if it would contain too many copies of an intrinsic', () => {
    const programOf = (places: number) => {
      const b = new WasmBuilder();
      const verify = b.import('__schnorr_verify');
      const one = [i32(1_000), i32(2_000), i32(3_000), call(verify), op(OP.drop)];
      return prepareProgram(b.execute([...Array.from({ length: places }, () => one).flat(), i32(104)]).bytes());
    };
    expect(executor.supports(programOf(2))).toEqual({ ok: true });
    expect(executor.supports(programOf(8)).ok).toBe(false);
  });
});
