import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { runWork } from '../../src/tasks/cpu/run-work.js';
import { KernelBackend } from '../../src/tasks/kernel/backend.js';
import type { TaskDevice } from '../../src/tasks/kernel/device.js';
import { Pace } from '../../src/tasks/kernel/pace.js';
import { sampleOf } from '../../src/tasks/sample.js';
import { Tasks, type TasksOptions } from '../../src/tasks/tasks.js';
import type { WorkAnswer } from '../../src/tasks/work/work.js';
import { FAULTS } from '../../src/testing/gpu-faults/faulty-gpu.js';
import { FaultyTasks } from '../../src/testing/gpu-faults/faulty-tasks.js';
import { concatBytes, fromHex } from '../../src/util/bytes.js';
import * as cases from './cases.js';

const all = { sha256: 1, schnorr: 1, ecdsa: 1, merkle: 1 };

/** A device whose kernel is the CPU's own code: for what surrounds a kernel. */
const cpuDevice: TaskDevice = {
  adapter: { vendor: 'test', description: 'cpu', software: true },
  mostBytes: 2 ** 30,
  prepare: async () => {},
  run: async ({ work, room }) => {
    const { bytes, levels, mutated } = runWork(work);
    room.bytes.set(bytes);
    for (const [i, level] of room.levels.entries()) level.set(levels[i]);
    return mutated;
  },
  close: async () => {},
};

describe('batch tasks', () => {
  const open: Tasks[] = [];
  const made = (...given: ConstructorParameters<typeof Tasks>): Tasks => {
    const tasks = new Tasks(...given);
    open.push(tasks);
    return tasks;
  };
  afterEach(async () => {
    for (const tasks of open.splice(0)) await tasks.close();
  });

  it.each([0, 2])('on the CPU with %i threads: digests, signatures and trees are right', async (threads) => {
    const tasks = made({ backend: 'cpu', threads });
    const { batch, parts } = cases.messages(3_000);
    for (const twice of [false, true]) {
      expect(await tasks.sha256({ ...batch, twice })).toEqual(cases.digests(parts, twice));
    }
    const schnorr = cases.schnorrRows(90, 'cpu');
    expect(await tasks.schnorr(schnorr.batch)).toEqual(schnorr.expected);
    const ecdsa = cases.ecdsaRows(90, 'cpu');
    expect(await tasks.ecdsa(ecdsa.batch)).toEqual(ecdsa.expected);
    for (const count of [1, 2, 3, 5, 2_048, 2_049, 12_289, 20_000]) {
      const leaves = cases.leavesOf(count);
      const levels = cases.levelsOf(leaves);
      const root = levels.at(-1) ?? leaves;
      const tree = { root, mutated: false, levels };
      expect(cases.shown(await tasks.merkle({ leaves }))).toEqual(cases.shown({ ...tree, levels: [] }));
      expect(cases.shown(await tasks.merkle({ leaves, levels: true }))).toEqual(cases.shown(tree));
    }
    expect(tasks.figures).toMatchObject({ kernel: 'none', kernelBatches: 0, fallbacks: 0, lostThreads: 0 });
  });

  it('published vectors of both kinds of signature, and the edges of ECDSA as consensus sees them', async () => {
    const tasks = made({ backend: 'cpu', threads: 0 });
    const named = (names: readonly string[], verdicts: Uint8Array) => names.map((name, i) => [name, verdicts[i]]);
    const schnorr = cases.schnorrVectors();
    expect(schnorr.expected.length).toBe(15);
    expect(named(schnorr.names, await tasks.schnorr(schnorr.batch))).toEqual(named(schnorr.names, schnorr.expected));
    const ecdsa = cases.ecdsaEdges();
    expect(named(ecdsa.names, await tasks.ecdsa(ecdsa.batch))).toEqual(named(ecdsa.names, ecdsa.expected));
  });

  it('signatures in strict DER are those in compact form, and whatever else is invalid', async () => {
    const tasks = made({ backend: 'cpu', threads: 0 });
    const number = (bytes: Uint8Array): Uint8Array => {
      const first = bytes.findIndex((byte) => byte !== 0);
      const short = bytes.subarray(first < 0 ? bytes.length - 1 : first);
      return (short[0] & 0x80) === 0 ? short : concatBytes(Uint8Array.of(0), short);
    };
    const der = (r: Uint8Array, s: Uint8Array): Uint8Array =>
      Uint8Array.of(0x30, r.length + s.length + 4, 2, r.length, ...r, 2, s.length, ...s);
    const { batch, expected } = cases.ecdsaRows(30, 'der');
    const rows = Array.from(expected, (_, i) => batch.signatures.subarray(64 * i, 64 * i + 64));
    const signatures = rows.map((row) => der(number(row.subarray(0, 32)), number(row.subarray(32))));
    const ask = (all: readonly Uint8Array[]): Promise<Uint8Array> =>
      tasks.ecdsa({ ...batch, signatures: concatBytes(...all), signatureOffsets: cases.offsetsOf(all) });
    expect(await ask(signatures)).toEqual(expected);

    const valid = rows.map((_, i) => i).filter((i) => expected[i] === 1);
    const low = valid.find((i) => rows[i][0] < 0x80) ?? 0;
    const high = valid.find((i) => rows[i][0] >= 0x80) ?? 0;
    const good = signatures[low];
    const [r, s] = [number(rows[low].subarray(0, 32)), number(rows[low].subarray(32))];
    const changed = (at: number, to: number): Uint8Array => good.map((byte, i) => (i === at ? to : byte));
    const wrong: readonly (readonly [row: number, signature: Uint8Array])[] = [
      [low, good.subarray(0, good.length - 1)],
      [low, concatBytes(good, Uint8Array.of(1))],
      [low, changed(0, 0x31)],
      [low, changed(1, good[1] + 1)],
      [low, changed(2, 3)],
      [low, changed(3, good[3] + 1)],
      [low, changed(3, 255)],
      [low, changed(4 + r.length, 3)],
      [low, der(concatBytes(Uint8Array.of(0), r), s)],
      [low, der(r, concatBytes(Uint8Array.of(0), s))],
      // r without the zero that keeps it from being negative.
      [high, der(rows[high].subarray(0, 32), number(rows[high].subarray(32)))],
      [low, der(new Uint8Array(0), s)],
      [low, der(r, new Uint8Array(0))],
      [low, new Uint8Array(0)],
      [low, fromHex('3006020100020100')],
    ];
    const row = (column: Uint8Array, i: number): Uint8Array => column.subarray(32 * i, 32 * i + 32);
    const key = (i: number): Uint8Array => batch.keys.subarray(batch.keyOffsets[i], batch.keyOffsets[i + 1]);
    const verdicts = await tasks.ecdsa({
      digests: concatBytes(...wrong.map(([i]) => row(batch.digests, i)), row(batch.digests, high)),
      keys: concatBytes(...wrong.map(([i]) => key(i)), key(high)),
      keyOffsets: cases.offsetsOf([...wrong.map(([i]) => key(i)), key(high)]),
      signatures: concatBytes(...wrong.map(([, signature]) => signature), signatures[high]),
      signatureOffsets: cases.offsetsOf([...wrong.map(([, signature]) => signature), signatures[high]]),
    });
    expect([...verdicts]).toEqual([...wrong.map(() => 0), 1]);
  });

  it('equal neighbours are told on every level, and only where they are two', async () => {
    const tasks = made({ backend: 'gpu', threads: 0, least: all }, source(cpuDevice));
    const leaves = cases.leavesOf(9_000);
    const same = (from: number, to: number, width: number): Uint8Array => {
      const copy = leaves.slice();
      copy.copyWithin(to * 32, from * 32, (from + width) * 32);
      return copy;
    };
    for (const [from, to, width] of [
      [0, 1, 1],
      [4, 6, 2],
      [8_998, 8_999, 1],
      [4_096, 6_144, 2_048],
    ]) {
      expect(await tasks.merkle({ leaves: same(from, to, width) })).toMatchObject({ mutated: true });
    }
    expect(await tasks.merkle({ leaves: same(1, 2, 1) })).toMatchObject({ mutated: false });
    expect(await tasks.merkle({ leaves: leaves.subarray(0, 32 * 8_999) })).toMatchObject({ mutated: false });
    expect(tasks.figures).toMatchObject({ failures: 0, fallbacks: 0 });
  });

  it('columns that do not fit each other are refused', async () => {
    const tasks = made({ backend: 'cpu', threads: 0 });
    const { batch } = cases.ecdsaRows(3, 'shape');
    const schnorr = cases.schnorrRows(3, 'shape').batch;
    const bytes = new Uint8Array(10);
    const refused = [
      () => tasks.sha256({ bytes, offsets: new Uint32Array(0) }),
      () => tasks.sha256({ bytes, offsets: Uint32Array.of(0, 11) }),
      () => tasks.sha256({ bytes, offsets: Uint32Array.of(0, 6, 5, 10) }),
      () => tasks.sha256({ bytes, offsets: new Uint32Array(2 ** 24 + 2) }),
      () => tasks.schnorr({ ...schnorr, keys: schnorr.keys.subarray(32) }),
      () => tasks.schnorr({ ...schnorr, messages: schnorr.messages.subarray(1) }),
      () => tasks.schnorr({ ...schnorr, signatures: schnorr.signatures.subarray(64) }),
      () => tasks.ecdsa({ ...batch, keyOffsets: batch.keyOffsets.subarray(1) }),
      () => tasks.ecdsa({ ...batch, keys: batch.keys.subarray(1) }),
      () => tasks.ecdsa({ ...batch, signatures: batch.signatures.subarray(1) }),
      () => tasks.ecdsa({ ...batch, signatureOffsets: Uint32Array.of(0, 64) }),
      () => tasks.merkle({ leaves: new Uint8Array(0) }),
      () => tasks.merkle({ leaves: new Uint8Array(33) }),
    ];
    for (const ask of refused) await expect(ask()).rejects.toMatchObject({ code: 'TASK_MALFORMED' });
    expect(await tasks.sha256({ bytes, offsets: Uint32Array.of(3) })).toEqual(new Uint8Array(0));
  });

  const source = (device: TaskDevice, now?: () => number) => ({
    open: async () => new KernelBackend(device),
    nameOf: () => device.adapter.description,
    now,
  });

  /** Each kind of task in three segments or more, with what the CPU says. */
  const asked: readonly (readonly [name: string, ask: (tasks: Tasks) => Promise<unknown>])[] = [
    ['sha256', (tasks) => tasks.sha256({ ...cases.messages(400).batch, twice: true })],
    ['schnorr', (tasks) => tasks.schnorr(cases.schnorrRows(48, 'drill').batch)],
    ['ecdsa', (tasks) => tasks.ecdsa(cases.ecdsaRows(48, 'drill').batch)],
    ['merkle', async (tasks) => cases.shown(await tasks.merkle({ leaves: cases.leavesOf(6_000), levels: true }))],
  ];
  const SMALL = { sha256: 80_000, schnorr: 16_384, ecdsa: 16_384, merkle: 262_144 } as const;
  const checkAll: TasksOptions = { backend: 'gpu', threads: 0, checkPercent: 100, least: all };

  it.each(asked)(
    '%s: each fault in the first, a middle and the last segment ends with the answer of the CPU',
    async (name, ask) => {
      const truth = await ask(made({ backend: 'cpu', threads: 0 }));
      const probe = new FaultyTasks(cpuDevice, SMALL[name as keyof typeof SMALL]);
      expect(await ask(made(checkAll, source(probe)))).toEqual(truth);
      const { segments } = probe;
      expect(segments).toBeGreaterThanOrEqual(3);
      for (const fault of FAULTS) {
        for (const segment of [0, Math.floor(segments / 2), segments - 1]) {
          let now = 0;
          const failures: unknown[] = [];
          const faulty = new FaultyTasks(cpuDevice, probe.mostBytes);
          const devices = [faulty, cpuDevice];
          const tasks = made(
            { ...checkAll, onFailure: (error) => failures.push(error) },
            { ...source(faulty, () => now), open: async () => new KernelBackend(devices.shift() ?? cpuDevice) },
          );
          faulty.arm(fault, segment);
          expect(await ask(tasks)).toEqual(truth);
          expect(faulty.fired).toBe(1);
          const code = {
            loss: 'GPU_DEVICE_LOST',
            timeout: 'GPU_TIMEOUT',
            allocation: 'GPU_FAILED',
            'wrong result': 'GPU_MISMATCH',
          }[fault];
          expect(tasks.figures).toMatchObject({ kernelBatches: 0, fallbacks: 1, failures: 1, lastFailure: code });
          expect(tasks.figures.kernel).toBe(fault === 'loss' ? 'unhealthy' : 'degraded');
          expect(failures).toHaveLength(1);
          // While a lost device cools down, nothing is asked of it; then another one takes its place.
          expect(await ask(tasks)).toEqual(truth);
          expect(tasks.figures.fallbacks).toBe(fault === 'loss' ? 2 : 1);
          now += 3_600_000;
          expect(await ask(tasks)).toEqual(truth);
          expect(tasks.figures).toMatchObject({ kernelBatches: fault === 'loss' ? 1 : 2, kernel: 'degraded' });
        }
      }
    },
  );

  it('where no device can be opened, the CPU does all, and it is said why', async () => {
    let opened = 0;
    const tasks = made(checkAll, {
      open: async () => {
        opened++;
        throw new Error('nothing there');
      },
      nameOf: () => undefined,
    });
    const { batch, expected } = cases.schnorrRows(6, 'none');
    for (let i = 0; i < 3; i++) expect(await tasks.schnorr(batch)).toEqual(expected);
    expect(opened).toBe(1);
    expect(tasks.figures).toMatchObject({ kernel: 'unhealthy', fallbacks: 3, why: 'no device could be opened' });
  });

  it('two answers in a row that are wrong pause the kernel, and one that is cut short is wrong', async () => {
    const tasks = made(
      { ...checkAll, checkPercent: 0 },
      {
        open: async () => ({
          run: async (work) => ({ ...runWork(work), bytes: new Uint8Array(1) }),
          close: async () => {},
        }),
        nameOf: () => 'liar',
      },
    );
    const { batch, expected } = cases.schnorrRows(6, 'liar');
    for (let i = 0; i < 3; i++) expect(await tasks.schnorr(batch)).toEqual(expected);
    expect(tasks.figures).toMatchObject({ kernel: 'unhealthy', failures: 2, fallbacks: 3 });
  });

  it('a tree is made by the CPU where the kernel sees equal nodes wrongly, or lies of a level', async () => {
    const lies: ((answer: WorkAnswer) => WorkAnswer)[] = [
      (answer) => ({ ...answer, mutated: true }),
      (answer) => ({ ...answer, levels: answer.levels.map((level) => level.map((byte) => byte ^ 1)) }),
    ];
    const leaves = cases.leavesOf(5_000);
    const truth = await made({ backend: 'cpu', threads: 0 }).merkle({ leaves, levels: true });
    for (const lie of lies) {
      const tasks = made(
        { ...checkAll, checkPercent: 2 },
        {
          open: async () => ({ run: async (work) => lie(runWork(work)), close: async () => {} }),
          nameOf: () => 'liar',
        },
      );
      expect(cases.shown(await tasks.merkle({ leaves, levels: true }))).toEqual(cases.shown(truth));
      expect(tasks.figures).toMatchObject({ failures: 1, lastFailure: 'GPU_MISMATCH' });
    }
  });

  it('a wrong answer is found as often as the share of checked ones says, wherever it is', async () => {
    const { batch } = cases.messages(1_000);
    let found = 0;
    const faulty = new FaultyTasks(cpuDevice);
    for (let round = 0; round < 40; round++) {
      const tasks = made({ ...checkAll, checkPercent: 50 }, source(faulty));
      faulty.arm('wrong result', 0);
      await tasks.sha256(batch);
      found += tasks.figures.failures;
    }
    // 20 of 40 in the mean; both bounds are five standard deviations away.
    expect(found).toBeGreaterThan(4);
    expect(found).toBeLessThan(36);
  });

  it('of many units the share that is wanted is checked, everywhere in the batch, and others each time', () => {
    const units = 100_000;
    for (const percent of [0.5, 2, 50]) {
      const chosen = sampleOf(units, percent);
      const mean = (units * percent) / 100;
      // Six standard deviations.
      expect(Math.abs(chosen.length - mean)).toBeLessThan(6 * Math.sqrt(mean));
      expect(chosen.every((unit, i) => unit > (chosen[i - 1] ?? -1) && unit < units)).toBe(true);
      const early = chosen.filter((unit) => unit < units / 2).length;
      expect(Math.abs(early - mean / 2)).toBeLessThan(6 * Math.sqrt(mean / 2));
      expect(sampleOf(units, percent)).not.toEqual(chosen);
    }
    expect(sampleOf(5, 100)).toEqual([0, 1, 2, 3, 4]);
    expect(sampleOf(5, 0)).toEqual([]);
    const ones = new Set(Array.from({ length: 400 }, () => sampleOf(3, 1e-9)[0]));
    expect(ones).toEqual(new Set([0, 1, 2]));
  });

  it('submissions grow while the device is fast, and shrink before a driver takes one for a hang', () => {
    const pace = new Pace();
    const first = pace.most;
    pace.note(first, 10);
    expect(pace.most).toBe(4 * first);
    // A narrow batch says nothing of wide ones.
    pace.note(10, 100);
    expect(pace.most).toBe(4 * first);
    for (let i = 0; i < 20; i++) pace.note(pace.most, 1);
    const most = pace.most;
    expect(most).toBe(131_072);
    pace.note(most, 4_000);
    expect(pace.most).toBe(Math.floor(most / 10));
    pace.note(pace.most, 1e9);
    expect(pace.most).toBe(256);
  });

  it('up to three segments of hashes are with the device at a time, and none follows a failure', async () => {
    const { batch, parts } = cases.messages(400);
    const work = { kind: 'sha256', ...batch, twice: true } as const;
    for (const [inFlight, most] of [
      [undefined, 3],
      [1, 1],
    ] as const) {
      const held: (() => void)[] = [];
      let handed = 0;
      const backend = new KernelBackend(
        {
          ...cpuDevice,
          run: async (segment) => {
            handed++;
            await new Promise<void>((resolve) => held.push(resolve));
            return cpuDevice.run(segment);
          },
        },
        { segmentBytes: 8_192, ...(inFlight === undefined ? {} : { inFlight }) },
      );
      const answer = backend.run(work);
      let done = 0;
      const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      for (await turn(); held.length > 0; await turn()) {
        expect(held.length).toBe(Math.min(most, handed - done));
        held.shift()?.();
        done++;
      }
      expect(done).toBeGreaterThanOrEqual(5);
      expect(await answer).toEqual({ bytes: cases.digests(parts, true), levels: [], mutated: false });
    }
    let handed = 0;
    const failing = new KernelBackend(
      {
        ...cpuDevice,
        run: async () => {
          if (handed++ === 0) throw new Error('the first one fails');
          return false;
        },
      },
      { segmentBytes: 8_192 },
    );
    await expect(failing.run(work)).rejects.toThrow('the first one fails');
    expect(handed).toBe(3);
  });

  it('random batches of hashes are the same in segments of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1_600, max: 40_000 }),
        fc.boolean(),
        async (parts, mostBytes, twice) => {
          const tasks = new Tasks(checkAll, source(new FaultyTasks(cpuDevice, mostBytes)));
          const batch = { bytes: concatBytes(...parts), offsets: cases.offsetsOf(parts), twice };
          expect(await tasks.sha256(batch)).toEqual(cases.digests(parts, twice));
          expect(tasks.figures).toMatchObject({ kernelBatches: 1, failures: 0 });
          await tasks.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});
