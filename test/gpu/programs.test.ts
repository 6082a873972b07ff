import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DawnExecutor, openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall } from '../../src/gpu/pack/types.js';
import type { Policy } from '../../src/lane/policy.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { replay } from '../../src/replay/replay.js';
import type { ReplaySummary } from '../../src/replay/summary.js';
import { claimCalls } from '../../src/selftest/bench/sample-calls.js';
import { runDifferential } from '../../src/selftest/fuzz/fuzz.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { concatBytes, u128Bytes } from '../../src/util/bytes.js';
import { expectEverythingHappened } from '../execute/everything-happened.js';
import { KernelCases } from '../execute/predict/kernel-cases.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { gpuCall, runAndCompare } from './support.js';
import { blockCases } from './with-programs/blocks.js';
import { contractTestCases } from './with-programs/contract-tests.js';

/** `SEED=… npx vitest run test/gpu/programs` replays a failure of random blocks. */
const SEED = process.env.SEED ?? 'warpshrew';

const programs = builtPrograms();
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const u128 = (...numbers: (number | bigint)[]): Uint8Array => concatBytes(...numbers.map((n) => u128Bytes(BigInt(n))));

/** Context of a message to 2:1 with the given incoming assets and inputs. */
function context(incoming: readonly (readonly [number, number, bigint])[], ...inputs: (number | bigint)[]): Uint8Array {
  return concatBytes(u128(2, 1, 0, 0, 4, incoming.length), ...incoming.map((a) => u128(...a)), u128(...inputs));
}

// One device for all that runs the bundled programs, and one memory window, in which all of their calls have room: the
// driver takes most of a minute to compile them for it, and as long again for a smaller one that some calls leave.
let executor: DawnExecutor;
beforeAll(async () => {
  executor = await openGpuExecutor({ patient: true, kernels: { firstWindow: 1 } });
});
afterAll(() => executor?.close());

describe('the bundled programs run in the kernel as on V8', () => {
  async function check(calls: readonly GpuCall[], statuses: readonly string[]): Promise<void> {
    expect(executor.supports((calls[0] as GpuCall).program)).toEqual({ ok: true });
    const results = await runAndCompare(executor, calls);
    expect(results.map((r) => r.status)).toEqual(statuses);
  }

  it('mint: initialise, mint, capped, not initialised, data', async () => {
    const wasm = programs.mint;
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
    const calls = claimCalls(prepareProgram(programs.claim), 70);
    await check(
      calls,
      calls.map((_, i) => (i % 16 === 15 || i % 17 === 16 ? 'REVERT' : 'OK')),
    );
  });

  it('amm: pool, liquidity, swaps either way, slippage', async () => {
    const wasm = programs.amm;
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
    const wasm = programs.probe;
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

/** What a replay of the bundled chain leaves: a line a block with its root, every key with its value, and receipts. */
async function replayChain(policy: Policy): Promise<{ summary: ReplaySummary; left: Record<string, string> }> {
  const folder = temporaryFolder();
  const [dbDir, receipts] = [join(folder, 'db'), join(folder, 'receipts.jsonl')];
  let roots = '';
  const summary = await replay({
    path: CHAIN,
    dbDir,
    policy,
    gpu: policy === 'sequential' ? undefined : executor,
    waitForKernels: true,
    onBlock: (height, root) => {
      roots += `${height} ${root}\n`;
    },
  });
  const dump = await cli('dump', '--db', dbDir, '--receipts', receipts);
  expect(dump.status, dump.stderr).toBe(0);
  return {
    summary,
    left: { roots, dump: dump.stdout, receipts: withoutExecution(readFileSync(receipts, 'utf8')) },
  };
}

/** Receipts without what may differ between policies. */
function withoutExecution(jsonLines: string): string {
  const lines = jsonLines.trim().split('\n');
  return lines
    .map((line) => {
      const how = { colour: 0, executor: '', repaired: false, predicted: false, mispredicted: false, reason: null };
      const rest = { ...(JSON.parse(line) as Record<string, unknown>), ...how };
      return JSON.stringify(rest);
    })
    .join('\n');
}

it('the bundled chain has the stored roots, and the same state and receipts, under gpu and auto', async () => {
  const { left: expected } = await replayChain('sequential');
  expect(expected.roots).toBe(readFileSync(join(CHAIN, 'roots.txt'), 'utf8'));
  const gpu = await replayChain('gpu');
  expect(gpu.left).toEqual(expected);
  const runs = Object.values(gpu.summary.gpuRuns);
  // Each of the six programs ran in the kernel.
  expect(runs.length).toBeGreaterThanOrEqual(6);
  expect(Math.min(...runs)).toBeGreaterThan(0);
  expect(gpu.summary.gpuFailures).toBe(0);
  const auto = await replayChain('auto');
  expect(auto.left).toEqual(expected);
  expect(auto.summary.gpuFailures).toBe(0);
});

describe('blocks of calls in the kernel', () => {
  let small: DawnExecutor;
  beforeAll(async () => {
    small = await openGpuExecutor({ patient: true });
  });
  afterAll(() => small?.close());
  blockCases(
    () => executor,
    () => small,
  );
});

describe('tests of contracts in the kernel', () => {
  contractTestCases(() => executor);
});

describe('predicted reads in the kernel', () => {
  const cases = (): KernelCases => new KernelCases(executor, () => executor.timings.dispatches);

  it('5,000 mints of one counter are one dispatch: each call has a predicted value of its own', async () => {
    await cases().right(5_000);
  });

  it('a predicted value that is wrong, or overflows at its width, is found and repaired', async () => {
    await cases().wrong();
    await cases().overflow();
    expect(executor.kernelFailures.count).toBe(0);
  });
});

it(`over 150 random blocks the kernel leaves the states and receipts of one at a time (SEED=${SEED})`, async () => {
  const [policies, programs] = [['gpu', 'balance'] as const, ['probe', 'mint', 'claim'] as const];
  const summary = await runDifferential({ seed: `${SEED}/kernel`, blocks: 150, policies, gpu: executor, programs });
  expectEverythingHappened(summary, 'gpu');
  expect(summary.statistics.gpu.executors.gpu).toBeGreaterThan(500);
  expect(summary.statistics.gpu.gpuFailures).toBe(0);
  expect(summary.statistics.balance).toMatchObject({ gpuFailures: 0 });
  expect(summary.statistics.balance.splits).toBeGreaterThan(0);
});
