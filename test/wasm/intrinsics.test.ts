import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { beforeAll, expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import { concatBytes, readU128, U128_MAX, u128Bytes } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';
import { testHost } from '../program/support.js';

/**
 * Returns whether input 0 · input 1 / input 2 fits (one byte), the quotient, and the double SHA-256 of inputs 0 to 2.
 */
const SOURCE = `
import { contextBegin, input, inputBuffer } from '../sdk/context';
import { mulDiv, sha256d } from '../sdk/intrinsics';
import { allocateBuffer } from '../sdk/memory';
export function __execute(): usize {
  contextBegin();
  const result = allocateBuffer(49);
  const hash = allocateBuffer(32);
  store<u8>(result, <u8>mulDiv(result + 1, input(0), input(1), input(2)));
  sha256d(inputBuffer(0, 3), hash);
  memory.copy(result + 17, hash, 32);
  return result;
}
`;

let program: Program;
beforeAll(async () => {
  const readFile = (name: string, base: string) => {
    if (name === 'wasm/programs/test.ts') return SOURCE;
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
  const flags = ['--runtime', 'stub', '-O3', '--noAssert', '--disable', 'nontrapping-f2i'];
  const { error, stderr } = await asc.main(
    ['wasm/programs/test.ts', '--baseDir', ROOT, '--outFile', 'test.wasm', ...flags],
    { readFile, writeFile, listFiles: () => null },
  );
  expect(error, stderr.toString()).toBeNull();
  program = prepareProgram(Uint8Array.from(wasm!));
});

test('the bindings of the SDK give what the intrinsics give', () => {
  const runner = new ProgramRunner();
  for (const [a, b, c, quotient] of [
    [7n, 6n, 5n, 8n],
    [U128_MAX, U128_MAX, U128_MAX, U128_MAX],
    [2n ** 127n, 2n, 1n, undefined],
    [1n, 1n, 0n, undefined],
  ] as const) {
    const inputs = [a, b, c].map(u128Bytes);
    const context = concatBytes(new Uint8Array(96), ...inputs);
    const { result } = runner.run(program, testHost({ context }).host, MESSAGE_FUEL);
    expect(result?.[0]).toBe(quotient === undefined ? 0 : 1);
    expect(readU128(result!, 1)).toBe(quotient ?? 0n);
    expect(result?.slice(17)).toEqual(sha256d(...inputs));
  }
});
