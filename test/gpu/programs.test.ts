import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuExecutor } from '../../src/gpu/pack/types.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { claimCalls } from '../../src/selftest/bench/sample-calls.js';
import { concatBytes, u128Bytes } from '../../src/util/bytes.js';
import { gpuCall, runAndCompare } from './support.js';

const program = (name: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../dist/wasm/programs/${name}.wasm`, import.meta.url)));
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const u128 = (...numbers: (number | bigint)[]): Uint8Array => concatBytes(...numbers.map((n) => u128Bytes(BigInt(n))));

/** Context of a message to 2:1 with the given incoming assets and inputs. */
function context(incoming: readonly (readonly [number, number, bigint])[], ...inputs: (number | bigint)[]): Uint8Array {
  return concatBytes(u128(2, 1, 0, 0, 4, incoming.length), ...incoming.map((a) => u128(...a)), u128(...inputs));
}

describe('the bundled programs run in the kernel as on V8', () => {
  let executor: GpuExecutor;
  beforeAll(async () => {
    executor = await openGpuExecutor({ patient: true });
  });
  afterAll(() => executor?.close());

  async function check(calls: readonly GpuCall[], statuses: readonly string[]): Promise<void> {
    expect(executor.supports((calls[0] as GpuCall).program)).toEqual({ ok: true });
    const results = await runAndCompare(executor, calls);
    expect(results.map((r) => r.status)).toEqual(statuses);
  }

  it('mint: initialise, mint, capped, not initialised, data', async () => {
    const wasm = program('mint');
    const config = { key: text('config'), value: u128(10, 5) };
    const minted = (n: number) => ({ key: text('minted'), value: u128(n) });
    const absent = [
      { key: text('config'), value: undefined },
      { key: text('minted'), value: undefined },
    ];
    const writes = [text('config'), text('minted')];
    await check(
      [
        gpuCall(wasm, { context: context([], 0, 10, 5, 0), reads: absent, writes }),
        gpuCall(wasm, { context: context([[2, 7, 3n]], 77, 0), reads: [config, minted(3)], writes }),
        gpuCall(wasm, { context: context([], 77), reads: [config, minted(10)], writes }),
        gpuCall(wasm, { context: context([], 77), reads: absent, writes }),
        gpuCall(wasm, { context: context([], 101), reads: [config, minted(3)], writes: [] }),
        gpuCall(wasm, { context: context([], 77), reads: [config, minted(3)], writes: [text('config')] }),
        gpuCall(wasm, { context: context([], 77), reads: [config], writes }),
        gpuCall(wasm, { context: context([], 77), reads: [config, minted(3)], writes, fuel: 500 }),
      ],
      ['OK', 'OK', 'REVERT', 'REVERT', 'OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION', 'OUT_OF_FUEL'],
    );
  });

  it('claim: a proof that holds, one that does not, a claim made twice', async () => {
    const calls = claimCalls(prepareProgram(program('claim')), 70);
    await check(
      calls,
      calls.map((_, i) => (i % 16 === 15 || i % 17 === 16 ? 'REVERT' : 'OK')),
    );
  });

  it('amm: pool, liquidity, swaps either way, slippage', async () => {
    const wasm = program('amm');
    const key = concatBytes(text('pool/'), u128(3));
    const share = concatBytes(text('share/'), u128(3), u128(9));
    const pool = (ra: bigint, rb: bigint, s: bigint) => u128(2, 10, 2, 11, ra, rb, s, 30);
    const reads = (value: Uint8Array | undefined) => [
      { key, value },
      { key: share, value: undefined },
    ];
    const writes = [key, share];
    const full = pool(1_000_000_007n, (1n << 100n) + 12_345n, 1_000_000_007n);
    await check(
      [
        gpuCall(wasm, { context: context([], 1, 3, 2, 10, 2, 11, 30), reads: reads(undefined), writes }),
        gpuCall(wasm, {
          context: context(
            [
              [2, 10, 1000n],
              [2, 11, 2000n],
            ],
            2,
            3,
            9,
            1,
          ),
          reads: reads(pool(0n, 0n, 0n)),
          writes,
        }),
        gpuCall(wasm, {
          context: context(
            [
              [2, 10, 123_456_789n],
              [2, 11, 1n << 101n],
            ],
            2,
            3,
            9,
            1,
          ),
          reads: reads(full),
          writes,
        }),
        gpuCall(wasm, { context: context([[2, 10, 55_555n]], 3, 3, 1), reads: reads(full), writes }),
        gpuCall(wasm, { context: context([[2, 11, (1n << 99n) + 7n]], 3, 3, 1), reads: reads(full), writes }),
        gpuCall(wasm, { context: context([[2, 10, 55_555n]], 3, 3, 1n << 127n), reads: reads(full), writes }),
        gpuCall(wasm, { context: context([], 4, 3), reads: reads(full), writes }),
      ],
      ['OK', 'OK', 'OK', 'OK', 'OK', 'REVERT', 'OK'],
    );
  });

  it('probe: every opcode that ends in its own way', async () => {
    const wasm = program('probe');
    const one = (n: number) => ({ key: concatBytes(text('ctr/'), u128(n)), value: u128(41) });
    const ptr = { key: concatBytes(text('ptr/'), u128(5)), value: u128(2) };
    const reads = [one(0), one(1), one(2), one(7), ptr];
    const writes = reads.map((r) => r.key);
    const call = (...inputs: number[]) => gpuCall(wasm, { context: context([[2, 9, 4n]], ...inputs), reads, writes });
    await check(
      [
        call(0),
        call(1),
        call(2),
        call(3),
        call(4, 7),
        call(6, 5),
        call(7, 0),
        call(9, 2, 9, 3),
        call(10, 1000),
        call(11),
        call(12, 0),
        call(12, 7),
        call(13, 1),
        call(14, 3),
        call(14, 4),
        call(16, 2, 1),
        call(18, 1, 2),
        call(19),
        call(20),
        call(21, 7, 1),
      ],
      [
        'OK',
        'REVERT',
        'TRAP',
        'OUT_OF_FUEL',
        'OK',
        'OK',
        'OK',
        'OK',
        'OK',
        'OK',
        'TRAP',
        'OK',
        'TRAP',
        'OK',
        'ACCESS_VIOLATION',
        'PUNT',
        'OK',
        'OK',
        'REVERT',
        'OK',
      ],
    );
  });
});
