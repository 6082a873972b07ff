import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayDumpCommand } from '../../../src/cli/replay-dump.js';
import { LaneEngine } from '../../../src/execute/engine.js';
import { decodeDump, encodeDump } from '../../../src/execute/health/call-dump.js';
import { CrossCheck, endOnCpu, endsEqual } from '../../../src/execute/health/cross-check.js';
import type { DumpPlace, KernelDeviceOptions } from '../../../src/execute/health/kernel-device.js';
import { DumpFiles } from '../../../src/pipeline/dump-files.js';
import { ProgramRunner } from '../../../src/program/runner.js';
import { comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { FaultyGpu, PLACES } from '../../../src/testing/gpu-faults/faulty-gpu.js';
import { concatBytes } from '../../../src/util/bytes.js';
import { crc32 } from '../../../src/util/crc32.js';
import { call, makeBlock, makeTx, World } from '../../lane/world.js';
import { FakeGpu } from '../fake-gpu.js';

const rules = { laneStartHeight: 0, dependent: 'demote' } as const;

class Dumps implements DumpPlace {
  readonly kept = new Map<string, Uint8Array>();

  write(name: string, dump: Uint8Array): void {
    this.kept.set(name, dump);
  }
}

/** Runs a block whose calls form a chain, and others, under `gpu`; gives the result and the sequential executor's. */
function bench(options: Partial<KernelDeviceOptions> = {}) {
  const gpu = new FaultyGpu(new FakeGpu());
  const dumps = new Dumps();
  const engine = new LaneEngine({
    policy: 'gpu',
    workers: 0,
    predictReads: false,
    ...rules,
    gpu,
    crossCheck: 100,
    dumpPlace: dumps,
    ...options,
  });
  const world = new World();
  const id = world.deploy();
  const txs = [0, 0, 0, 1, 2].map((n) => makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, n) }] }));
  const state = { reader: { get: (key: string) => world.state.get(key) } };
  const truth = new LaneEngine({ policy: 'sequential', workers: 0, ...rules });
  const block = async () => {
    const result = await engine.processBlock(makeBlock(txs), 5, state);
    const expected = await truth.processBlock(makeBlock(txs), 5, state);
    const same = {
      receipts: JSON.stringify(result.receipts.map(comparable)) === JSON.stringify(expected.receipts.map(comparable)),
      writes: JSON.stringify([...result.writes].sort()) === JSON.stringify([...expected.writes].sort()),
    };
    return { statistics: result.statistics, same };
  };
  return { gpu, dumps, engine, block };
}

const SAME = { receipts: true, writes: true };

describe('a wrong result of the kernel', () => {
  it('that is checked: the CPU runs the whole block, whichever call it was, and a dump tells', async () => {
    for (const place of PLACES) {
      const { gpu, dumps, engine, block } = bench();
      gpu.arm('wrong result', place);
      const { statistics, same } = await block();
      expect([gpu.fired, same]).toEqual([1, SAME]);
      expect(statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 0, sequential: 5 });
      expect(statistics).toMatchObject({ gpuFailures: 1, tooLarge: 0 });
      expect(engine.health).toMatchObject({ gpu: 'degraded', gpuFailures: 1, lastGpuFailure: 'GPU_MISMATCH' });
      expect(engine.health.kernel).toMatchObject({ failures: { mismatch: 1 }, dumps: 1, lostDumps: 0 });
      const [[name, dump]] = dumps.kept;
      const found = decodeDump(dump);
      expect(name).toBe(`5-${found.txid.slice(0, 16)}`);
      expect(endsEqual(found.kernel, found.cpu)).toBe(false);
      expect(found.kernel.fuelLeft).toBe(found.cpu.fuelLeft + 1);
      expect(endsEqual(endOnCpu(new ProgramRunner(), found.call), found.cpu)).toBe(true);
      expect(found.call.reads.length).toBeGreaterThan(0);
    }
  });

  it('twice in a row: the kernel is left alone', async () => {
    const { gpu, engine, block } = bench();
    for (let i = 0; i < 2; i++) {
      gpu.arm('wrong result', 'first');
      expect((await block()).same).toEqual(SAME);
    }
    expect(engine.health).toMatchObject({ gpu: 'unhealthy', kernel: { why: '2 mismatches in a row' } });
    expect((await block()).statistics.executors.gpu).toBe(0);
  });

  it('that nobody checks is in the state: what the other tests find is there', async () => {
    const { gpu, engine, block } = bench({ crossCheck: 0 });
    gpu.arm('wrong result', 'last');
    expect((await block()).same.receipts).toBe(false);
    expect(engine.health.kernel).toMatchObject({ checkedCalls: 0, failures: { mismatch: 0 } });
  });

  it('whose dump cannot be kept: that is counted and said, and the block is right', async () => {
    const said: string[] = [];
    const dumpPlace = {
      write: () => {
        throw new Error('the disk is full');
      },
    };
    const { gpu, engine, block } = bench({ dumpPlace, onDumpLost: (why) => said.push(why) });
    gpu.arm('wrong result', 'first');
    expect((await block()).same).toEqual(SAME);
    expect(engine.health.kernel).toMatchObject({ dumps: 0, lostDumps: 1 });
    expect(said).toEqual(['a dump of a disputed call is lost: the disk is full']);
  });
});

it('right results are confirmed and counted, and the kernel stays healthy', async () => {
  const { engine, block } = bench();
  expect((await block()).statistics.executors.gpu).toBe(5);
  expect(engine.health).toMatchObject({ gpu: 'healthy', kernel: { checkedCalls: 5 } });
});

it('two ends are equal only if all of them is', () => {
  const end = {
    status: 'OK',
    reason: 'none',
    fuelLeft: 7,
    result: Uint8Array.of(1, 2),
    touched: [true, false],
  } as const;
  expect(endsEqual(end, { ...end, result: Uint8Array.of(1, 2), touched: [true, false] })).toBe(true);
  for (const change of [
    { status: 'REVERT' },
    { reason: 'abort' },
    { fuelLeft: 8 },
    { result: Uint8Array.of(1, 3) },
    { result: undefined },
    { touched: [true, true] },
    { touched: [true] },
  ] as const) {
    expect(endsEqual(end, { ...end, ...change })).toBe(false);
    expect(endsEqual({ ...end, ...change }, end)).toBe(false);
  }
  const empty = { ...end, result: Uint8Array.of() };
  expect(endsEqual(empty, { ...empty, result: undefined })).toBe(false);
});

describe('the choice', () => {
  const txids = Uint8Array.from(randomBytes(32 * 20_000));
  const count = (percent: number, height = 7): number => {
    const check = new CrossCheck(percent);
    let chosen = 0;
    for (let at = 0; at < txids.length; at += 32) if (check.isChosen(txids, at, height)) chosen++;
    return chosen;
  };

  it('takes the share that was asked for', () => {
    expect([count(0), count(100)]).toEqual([0, 20_000]);
    // Twelve standard deviations.
    expect(Math.abs(count(2) - 400)).toBeLessThan(12 * Math.sqrt(20_000 * 0.02 * 0.98));
    expect(Math.abs(count(50) - 10_000)).toBeLessThan(12 * Math.sqrt(20_000 * 0.25));
  });

  it('is another one at another height, so that a call which runs again after a reorg has another chance', () => {
    const check = new CrossCheck(50);
    let differ = 0;
    for (let at = 0; at < txids.length; at += 32) {
      if (check.isChosen(txids, at, 7) !== check.isChosen(txids, at, 8)) differ++;
    }
    expect(differ).toBeGreaterThan(8_000);
  });
});

describe('a dump', () => {
  async function dumped(): Promise<Uint8Array> {
    const { gpu, dumps, block } = bench();
    gpu.arm('wrong result', 'first');
    await block();
    return [...dumps.kept.values()][0];
  }

  it('comes out as it went in', async () => {
    const dump = await dumped();
    const found = decodeDump(dump);
    expect(encodeDump(found, found.adapter)).toEqual(dump);
  });

  it('with any byte changed, cut short or longer is refused', async () => {
    const dump = await dumped();
    const step = Math.max(1, Math.floor(dump.length / 200));
    for (let at = 0; at < dump.length; at += step) {
      const changed = dump.slice();
      changed[at] ^= 0x10;
      expect(() => decodeDump(changed)).toThrow(expect.objectContaining({ code: 'DUMP_DAMAGED' }));
      expect(() => decodeDump(dump.subarray(0, at))).toThrow(expect.objectContaining({ code: 'DUMP_DAMAGED' }));
    }
  });

  it('with a digit changed, so that it could be read, is refused', async () => {
    const text = new TextDecoder().decode(await dumped());
    const changed = text.replace(/"height":5/, '"height":6');
    expect(changed).not.toBe(text);
    const read = () => decodeDump(new TextEncoder().encode(changed));
    expect(read).toThrow(expect.objectContaining({ code: 'DUMP_DAMAGED' }));
  });

  it.each<[string, (fields: Record<string, unknown>) => unknown]>([
    ['no object', () => [1]],
    ['nothing', () => null],
    ['a program of another hash', (fields) => ({ ...fields, program: '00'.repeat(32) })],
    ['bytes that are no hex', (fields) => ({ ...fields, context: 'xx' })],
    ['half a byte', (fields) => ({ ...fields, context: '0' })],
    ['more keys than a call can have', (fields) => ({ ...fields, writes: Array(1_025).fill('00') })],
    ['a read without a value', (fields) => ({ ...fields, reads: [['00']] })],
    ['more marks than reads', (fields) => ({ ...fields, reads: [] })],
    ['a status that there is not', (fields) => ({ ...fields, kernel: { ...Object(fields.kernel), status: 'FINE' } })],
    ['fuel below nothing', (fields) => ({ ...fields, fuel: -1 })],
    ['fuel that is no number', (fields) => ({ ...fields, fuel: '7' })],
    ['text that is too long', (fields) => ({ ...fields, adapter: 'a'.repeat(513) })],
  ])('with a right checksum and %s is refused', async (_, change) => {
    const dump = await dumped();
    const text = new TextDecoder().decode(dump);
    const body = new TextEncoder().encode(JSON.stringify(change(JSON.parse(text.slice(text.indexOf('\n'))))));
    const head = new TextEncoder().encode(`warpshrew call 1 ${crc32(body).toString(16)}\n`);
    expect(() => decodeDump(concatBytes(head, body))).toThrow(expect.objectContaining({ code: 'DUMP_DAMAGED' }));
  });

  it('is kept in the folder of the database, 16 at most, one for each call', () => {
    const folder = mkdtempSync(join(tmpdir(), 'warpshrew-dumps-'));
    try {
      const place = new DumpFiles(folder);
      for (let i = 0; i < 16; i++) place.write(`${i}-ab`, Uint8Array.of(i));
      expect(() => place.write('16-ab', Uint8Array.of(16))).toThrow('16 dumps');
      place.write('3-ab', Uint8Array.of(99));
      expect(readdirSync(folder)).toHaveLength(16);
      expect([...readFileSync(join(folder, 'WARPSHREW-MISMATCH-3-ab.dump'))]).toEqual([99]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('runs again with `replay-dump`, which says whether that is what the CPU found then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warpshrew-dumps-'));
    try {
      const path = join(folder, 'dump');
      const dump = await dumped();
      writeFileSync(path, dump);
      const same = await replayDumpCommand(path, { gpu: false });
      expect(same.exitStatus).toBe(0);
      expect(same.text).toMatch(/kernel then \(V8 behind the kernel interface\): OK/);
      expect(same.text).toMatch(/all that ran here agree$/);
      const found = decodeDump(dump);
      const other = encodeDump({ ...found, cpu: found.kernel }, found.adapter);
      writeFileSync(path, other ?? Uint8Array.of());
      const differs = await replayDumpCommand(path, { gpu: false });
      expect([differs.exitStatus, differs.text.split('\n').at(-1)]).toEqual([1, 'they disagree']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
