import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { readU128, U128_MAX, writeU128 } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';

type Operation = (out: number, a: number, b: number, ...more: number[]) => number;
let memory: Uint8Array;
let sdk: Record<'add' | 'subtract' | 'multiply' | 'multiplyDivide', Operation>;

beforeAll(async () => {
  const readFile = (name: string, base: string) => {
    try {
      return readFileSync(join(base, name), 'utf8');
    } catch {
      return null;
    }
  };
  let wasm: Uint8Array | undefined;
  const writeFile = (_name: string, bytes: Uint8Array | string) => {
    if (typeof bytes !== 'string') wasm = bytes;
  };
  const { error, stderr } = await asc.main(
    ['wasm/sdk/u128.ts', '--baseDir', ROOT, '--outFile', 'u128.wasm', '--runtime', 'stub', '-O3', '--noAssert'],
    { readFile, writeFile, listFiles: () => null },
  );
  expect(error, stderr.toString()).toBeNull();
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm!)), {});
  sdk = instance.exports as typeof sdk;
  memory = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
});

const [OUT, X, Y, Z] = [0x8000, 0x8010, 0x8020, 0x8030];

/** Runs an operation on numbers; gives its answer and what stands at `out`, where zeros stood before. */
function on(name: keyof typeof sdk, numbers: readonly bigint[], ...more: number[]): { answer: boolean; out: bigint } {
  const places = [X, Y, Z].slice(0, numbers.length);
  for (const [i, n] of numbers.entries()) writeU128(memory, places[i], n);
  writeU128(memory, OUT, 0n);
  const answer = sdk[name](OUT, places[0], places[1], ...places.slice(2), ...more);
  return { answer: answer !== 0, out: readU128(memory, OUT) };
}

/**
 * Numbers whose limbs are often 0, 1 or nearly full: there the long division guesses wrong and has to correct itself.
 */
const limb = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(0n, 1n, 2n, 0x7fffffffn, 0x80000000n, 0x80000001n, 0xfffffffen, 0xffffffffn),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xffffffffn }) },
);
const number = fc
  .array(limb, { minLength: 4, maxLength: 4 })
  .map((limbs) => limbs.reduce((sum, part) => (sum << 32n) | part, 0n));

const RUNS = { numRuns: 50_000 };

test('sums and differences wrap and say so', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(on('add', [a, b])).toEqual({ answer: a + b > U128_MAX, out: BigInt.asUintN(128, a + b) });
      expect(on('subtract', [a, b])).toEqual({ answer: a < b, out: BigInt.asUintN(128, a - b) });
    }),
    RUNS,
  );
});

test('a product that does not fit says so and leaves the result alone', () => {
  fc.assert(
    fc.property(number, number, fc.integer({ min: 0, max: 127 }), (a, wide, shift) => {
      const b = wide >> BigInt(shift);
      const fits = a * b <= U128_MAX;
      expect(on('multiply', [a, b])).toEqual({ answer: fits, out: fits ? a * b : 0n });
    }),
    RUNS,
  );
});

test('a · b / c is exact in both roundings, whatever the sizes', () => {
  fc.assert(
    fc.property(number, number, number, fc.integer({ min: 0, max: 127 }), (a, b, wide, shift) => {
      const c = wide >> BigInt(shift);
      const down = c === 0n ? undefined : (a * b) / c;
      const up = c === 0n ? undefined : (a * b + c - 1n) / c;
      for (const [want, flag] of [
        [down, 0],
        [up, 1],
      ] as const) {
        const fits = want !== undefined && want <= U128_MAX;
        expect(on('multiplyDivide', [a, b, c], flag)).toEqual({ answer: fits, out: fits ? want : 0n });
      }
    }),
    RUNS,
  );
});
