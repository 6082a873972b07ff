import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenDevice, openDevice } from '../../src/gpu/device/device.js';
import { KernelBackend } from '../../src/tasks/kernel/backend.js';
import { DawnTasks, type TaskDevice } from '../../src/tasks/kernel/device.js';
import type { SegmentTrace } from '../../src/tasks/kernel/trace.js';
import { Tasks, type TasksOptions } from '../../src/tasks/tasks.js';
import { FAULTS } from '../../src/testing/gpu-faults/faulty-gpu.js';
import { FaultyTasks } from '../../src/testing/gpu-faults/faulty-tasks.js';
import { concatBytes } from '../../src/util/bytes.js';
import * as cases from '../tasks/cases.js';
import { withDevice } from './on-device.js';

const least = { sha256: 1, schnorr: 1, ecdsa: 1, merkle: 1 };
/** Nothing hides behind an answer of the CPU: a mismatch would be a failure, and no answer is compared twice. */
const bare: TasksOptions = { backend: 'gpu', threads: 0, checkPercent: 0, least };

let opened: OpenDevice;
let device: DawnTasks;
beforeAll(async () => {
  opened = await openDevice();
  device = new DawnTasks(opened);
});
afterAll(() => device?.close());

/** Tasks whose kernel is that of the device that all tests share. */
function made(options: TasksOptions, inner: TaskDevice = device): Tasks {
  const run = new KernelBackend(inner);
  return new Tasks(options, {
    open: async () => ({ run: (work) => run.run(work), close: async () => {} }),
    nameOf: () => inner.adapter.description,
  });
}

/** What the kernel answers, which must be no answer of the CPU. */
async function kernel<A>(ask: (tasks: Tasks) => Promise<A>, mostBytes?: number): Promise<A> {
  const tasks = made(bare, new FaultyTasks(device, mostBytes));
  const answer = await ask(tasks);
  expect(tasks.figures).toMatchObject({ kernelBatches: 1, cpuBatches: 0, failures: 0 });
  await tasks.close();
  return answer;
}

describe('batch tasks in the kernel', () => {
  it('hash messages of every length up to 200 and of many others, once and twice', async () => {
    const { batch, parts } = cases.messages(700);
    for (const twice of [false, true]) {
      expect(await kernel((tasks) => tasks.sha256({ ...batch, twice }))).toEqual(cases.digests(parts, twice));
      expect(await kernel((tasks) => tasks.sha256({ ...batch, twice }), 64_000)).toEqual(cases.digests(parts, twice));
    }
    const long = [65_536, 0, 65_535, 64].map((length) => new Uint8Array(length).map((_, i) => i * 11));
    const offsets = cases.offsetsOf(long);
    const answer = await kernel((tasks) => tasks.sha256({ bytes: concatBytes(...long), offsets }));
    expect(answer).toEqual(cases.digests(long, false));
  });

  it('build trees of many widths, with their levels, and tell equal neighbours', async () => {
    for (const count of [2_049, 4_096, 4_097, 6_145, 9_999]) {
      const leaves = cases.leavesOf(count);
      const levels = cases.levelsOf(leaves);
      const root = levels.at(-1) ?? leaves;
      const bareRoot = await kernel((tasks) => tasks.merkle({ leaves }));
      expect(cases.shown(bareRoot)).toEqual(cases.shown({ root, mutated: false, levels: [] }));
      const cut = await kernel((tasks) => tasks.merkle({ leaves, levels: true }), 262_144);
      expect(cases.shown(cut)).toEqual(cases.shown({ root, mutated: false, levels }));
    }
    const leaves = cases.leavesOf(9_000);
    leaves.copyWithin(32 * 4_001, 32 * 4_000, 32 * 4_001);
    const tasks = made(bare);
    expect(await tasks.merkle({ leaves })).toMatchObject({ mutated: true });
    leaves.copyWithin(32 * 4_002, 32 * 4_001, 32 * 4_002);
    leaves.set(cases.seeded('another'), 32 * 4_000);
    expect(await tasks.merkle({ leaves })).toMatchObject({ mutated: false });
    expect(tasks.figures).toMatchObject({ failures: 0 });
    await tasks.close();
  });

  it('verify the published vectors of BIP340, and signatures of a library', async () => {
    const vectors = cases.schnorrVectors();
    expect(await kernel((tasks) => tasks.schnorr(vectors.batch))).toEqual(vectors.expected);
    const rows = cases.schnorrRows(150, 'kernel');
    expect(await kernel((tasks) => tasks.schnorr(rows.batch), 16_384)).toEqual(rows.expected);
  });

  it('verify published signatures of ECDSA, its edges, and signatures of a library', async () => {
    const edges = cases.ecdsaEdges();
    const verdicts = await kernel((tasks) => tasks.ecdsa(edges.batch));
    expect(edges.names.map((name, i) => [name, verdicts[i]])).toEqual(
      edges.names.map((name, i) => [name, edges.expected[i]]),
    );
    const rows = cases.ecdsaRows(300, 'kernel');
    expect(await kernel((tasks) => tasks.ecdsa(rows.batch), 32_768)).toEqual(rows.expected);
  });

  it('random signatures, digests and keys have the verdicts that the CPU gives', async () => {
    const cpu = new Tasks({ backend: 'cpu', threads: 0 });
    const rows = cases.ecdsaRows(24, 'random');
    const bits = fc.array(fc.tuple(fc.constantFrom('digests', 'keys', 'signatures'), fc.nat()), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(bits, async (flips) => {
        const batch = {
          ...rows.batch,
          digests: rows.batch.digests.slice(),
          keys: rows.batch.keys.slice(),
          signatures: rows.batch.signatures.slice(),
        };
        for (const [column, at] of flips) {
          const bytes = batch[column as 'digests' | 'keys' | 'signatures'];
          bytes[(at >> 3) % bytes.length] ^= 1 << (at & 7);
        }
        expect(await kernel((tasks) => tasks.ecdsa(batch))).toEqual(await cpu.ecdsa(batch));
      }),
      { numRuns: 12 },
    );
  });

  const asked: readonly (readonly [name: string, mostBytes: number, ask: (tasks: Tasks) => Promise<unknown>])[] = [
    ['sha256', 80_000, (tasks) => tasks.sha256({ ...cases.messages(400).batch, twice: true })],
    ['schnorr', 16_384, (tasks) => tasks.schnorr(cases.schnorrRows(40, 'drill').batch)],
    ['ecdsa', 16_384, (tasks) => tasks.ecdsa(cases.ecdsaRows(40, 'drill').batch)],
    [
      'merkle',
      262_144,
      async (tasks) => cases.shown(await tasks.merkle({ leaves: cases.leavesOf(6_000), levels: true })),
    ],
  ];
  it.each(asked)('%s: a fault in any segment ends with the answer of the CPU', async (_, mostBytes, ask) => {
    const cpu = new Tasks({ backend: 'cpu', threads: 0 });
    const truth = await ask(cpu);
    const probe = new FaultyTasks(device, mostBytes);
    await ask(made(bare, probe));
    expect(probe.segments).toBeGreaterThanOrEqual(3);
    for (const fault of FAULTS) {
      for (const segment of [0, Math.floor(probe.segments / 2), probe.segments - 1]) {
        const faulty = new FaultyTasks(device, mostBytes);
        const tasks = made({ ...bare, checkPercent: 100 }, faulty);
        faulty.arm(fault, segment);
        expect(await ask(tasks)).toEqual(truth);
        expect([faulty.fired, tasks.figures.fallbacks, tasks.figures.failures]).toEqual([1, 1, 1]);
        await tasks.close();
      }
    }
  });

  it('a device that is lost, a batch past its time limit and an allocation that fails: the CPU answers', async () => {
    const { batch, expected } = cases.schnorrRows(12, 'real');
    const past = new DawnTasks(await openDevice(), { timeoutMs: 0 });
    const full = new DawnTasks(
      withDevice(await openDevice(), {
        createBuffer: () => {
          throw new RangeError('no memory is left');
        },
      }),
    );
    const losing = await openDevice();
    const lost = new DawnTasks(losing);
    losing.device.destroy();
    await losing.device.lost;
    for (const [failing, code] of [
      [past, 'GPU_TIMEOUT'],
      [full, 'GPU_FAILED'],
      [lost, 'GPU_DEVICE_LOST'],
    ] as const) {
      const tasks = made(bare, failing);
      expect(await tasks.schnorr(batch)).toEqual(expected);
      expect(tasks.figures).toMatchObject({ fallbacks: 1, lastFailure: code });
      await tasks.close();
      await failing.close();
    }
  });

  it('a segment is packed while the one before is with the device, unless they shall not overlap', async () => {
    const traces: SegmentTrace[] = [];
    const traced = new DawnTasks(await openDevice(), { onSegment: (trace) => traces.push(trace) });
    const { batch, parts } = cases.messages(400);
    const work = { kind: 'sha256', ...batch, twice: true } as const;
    for (const [options, overlaps] of [
      [{ segmentBytes: 8_192 }, true],
      [{ segmentBytes: 8_192, inFlight: 1 }, false],
    ] as const) {
      traces.length = 0;
      const { bytes } = await new KernelBackend(traced, options).run(work);
      expect(bytes).toEqual(cases.digests(parts, true));
      expect(traces.length).toBeGreaterThanOrEqual(5);
      expect(traces.reduce((sum, { units }) => sum + units, 0)).toBe(400);
      for (const [i, now] of traces.entries()) {
        const { packStart, packEnd, submitted, uploaded, computed, readStart, readEnd } = now;
        const steps = [packStart, packEnd, submitted, readStart, readEnd];
        expect(steps).toEqual([...steps].sort((a, b) => a - b));
        expect(uploaded).toBeGreaterThan(0);
        expect(computed).toBeGreaterThanOrEqual(uploaded);
        // Of those after the first three it depends on how fast the device is.
        if (i > 0 && (i < 3 || !overlaps)) expect(packStart < traces[i - 1].readStart).toBe(overlaps);
      }
    }
    await traced.close();
  });

  it('auto never uses a software driver, and says so', async () => {
    if (!opened.adapter.software) return;
    const tasks = new Tasks({ ...bare, backend: 'auto' });
    const { batch, expected } = cases.schnorrRows(6, 'auto');
    expect(await tasks.schnorr(batch)).toEqual(expected);
    expect(tasks.figures).toMatchObject({ fallbacks: 1, lastFailure: 'GPU_UNAVAILABLE', adapter: undefined });
    await tasks.close();
  });
});
