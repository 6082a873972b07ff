import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { SharedOutcomes } from '../../src/gpu/pack/types.js';
import { DirectBatch } from '../../src/harness/direct-batch.js';
import { FuzzEnd } from '../../src/harness/direct-end.js';
import { DirectFuzz } from '../../src/harness/direct-fuzz.js';
import { type DirectRequest, PortKernel } from '../../src/harness/direct-kernel.js';
import { FuzzRandom } from '../../src/harness/random.js';
import { RecordingChain } from '../../src/harness/recording-chain.js';
import type { FuzzSpec } from '../../src/harness/registry.js';
import { ReportParts } from '../../src/harness/report-parts.js';
import type { TestReport } from '../../src/harness/run-tests.js';
import { TestChain } from '../../src/harness/test-chain.js';
import { builtPrograms } from '../../src/util/built-wasm.js';

const { mint } = builtPrograms();
const [CAP, EACH] = [4, 5];

function fuzzOf(spec: Partial<FuzzSpec<string>>, answer?: SharedOutcomes | string) {
  const chain = new TestChain(new RecordingChain(), new Map([['mint', mint]]));
  chain.deploy('mint', [0, CAP, EACH]);
  const whole: FuzzSpec<string> = {
    setup: () => '2:1',
    call: (random, target) => ({ target, inputs: [random.pick([77, 99, 101]), random.bigint()] }),
    invariant: () => undefined,
    ...spec,
  };
  const kernel = answer === undefined ? undefined : { run: async () => answer };
  return { chain, fuzz: new DirectFuzz(whole, chain, '2:1', new FuzzRandom('1'), '1 direct', kernel) };
}

describe('calls by themselves', () => {
  it('run over the state as it is, change nothing, and are each looked at', async () => {
    const seen = new Map<string, number>();
    const { chain, fuzz } = fuzzOf({
      each: (end) => {
        const text = `${end.opcode} ${end.status} ${end.stored('minted')} ${end.transferred('2:1')} ${end.number()}`;
        seen.set(text, (seen.get(text) ?? 0) + 1);
        expect(end.transferred('2:9')).toBe(0n);
      },
    });
    chain.call('2:1', [77]);
    const root = chain.chain.root();
    await fuzz.run(500);
    expect(chain.chain.root()).toEqual(root);
    const name = Buffer.from('mint').readUInt32LE();
    expect([...seen.keys()].sort()).toEqual([`101 OK undefined 0 5`, `77 OK 2 ${EACH} 0`, `99 OK undefined 0 ${name}`]);
    expect(fuzz.figures).toMatchObject({ calls: 500, kernel: 0, unfit: 0 });
    // After the cap, the same calls end otherwise.
    for (let i = 1; i < CAP; i++) chain.call('2:1', [77]);
    seen.clear();
    await fuzz.run(50);
    expect([...seen.keys()]).toContain('77 REVERT undefined 0 0');
  });

  it('end as the same messages of a transaction do', async () => {
    const ends: string[] = [];
    const inputs: bigint[][] = [];
    const { chain, fuzz } = fuzzOf({
      call: (random, target) => {
        inputs.push([BigInt(random.pick([77, 99, 101, 7])), random.bigint(), BigInt(random.below(300))]);
        return { target, inputs: inputs.at(-1) ?? [] };
      },
      each: (end) => ends.push(`${end.status} ${Buffer.from(end.data).toString('hex')} ${end.transferred('2:1')}`),
    });
    await fuzz.run(40);
    const mined = inputs.map((each) => {
      const { status, data, transfers } = chain.call('2:1', each);
      chain.rollback(1);
      const sum = transfers.reduce((all, { amount }) => all + amount, 0n);
      return `${status} ${Buffer.from(data).toString('hex')} ${sum}`;
    });
    expect(ends).toEqual(mined);
  });

  it('leave out what is no call of a contract that calls no other', async () => {
    const targets = ['2:1', '2:9', '1:0', '5:1', { block: 2n, tx: 1n }];
    const { fuzz } = fuzzOf({
      call: (random) => ({ target: random.pick(targets), inputs: [99], ...(random.chance(50) ? { send: {} } : {}) }),
    });
    await fuzz.run(200);
    expect(fuzz.figures.calls).toBeGreaterThan(20);
    expect(fuzz.figures.unfit).toBeGreaterThan(20);
    const none = fuzzOf({ call: () => ({ target: '2:9', inputs: [1] }) }).fuzz;
    await none.run(100);
    expect(none.figures.calls).toBe(0);
  });

  it('that break a rule are named with their seed and inputs', async () => {
    const { fuzz } = fuzzOf({
      each: (end) => {
        if (end.opcode === 77) throw new Error('nobody mints');
      },
    });
    await expect(fuzz.run(100)).rejects.toMatchObject({
      code: 'TEST_INVARIANT',
      message: 'a call ended as it must not: nobody mints',
      facts: { seed: '1 direct', contract: '2:1', inputs: expect.stringMatching(/^4d0{30}/), status: 'OK' },
    });
  });

  it('run on V8, and say why, where the kernel does not run them', async () => {
    const { fuzz } = fuzzOf({}, 'no kernel: it is too large');
    await fuzz.run(5_000);
    // What is run before the kernel is compiled is not timed.
    expect(fuzz.figures).toMatchObject({ calls: 5_000, kernel: 0, why: 'no kernel: it is too large' });
    expect(fuzz.figures.timed).toBeLessThan(5_000);
    expect(fuzz.figures.timed).toBeGreaterThan(2_000);
  });
});

it('batches go to the thread that has the kernel, and what comes back belongs to the one that was sent', async () => {
  const { port1, port2 } = new MessageChannel();
  const sent: DirectRequest[] = [];
  port2.on('message', (request: DirectRequest) => {
    if (sent.push(request) < 2) return;
    for (const { number, seed } of [...sent].reverse()) port2.postMessage({ number, outcomes: `of ${seed}` });
  });
  const kernel = new PortKernel(port1);
  const columns = new DirectBatch(2).columns(1, 1, { get: () => undefined });
  const run = (seed: number) => kernel.run({ seed, columns, programs: new Map() });
  expect(await Promise.all([run(7), run(8)])).toEqual(['of 7', 'of 8']);
  port2.close();
});

it('a response that is none counts as refused', () => {
  const end = new FuzzEnd();
  end.set('OK', 1, new Uint8Array(8), 0, 8);
  expect([end.status, end.stored('a'), end.transferred('2:1'), end.dataBytes]).toEqual(['REJECTED', undefined, 0n, 0]);
  end.set('OK', 1, new Uint8Array(0), 0, -1);
  expect(end.status).toBe('REJECTED');
});

it('the parts of a test are put together once all threads have reported', () => {
  const parts = new ReportParts();
  const direct = { calls: 5, ms: 2, timed: 3, kernel: 4, punted: 1, compared: 2, unfit: 1, why: undefined };
  const report: TestReport = {
    ...{ name: 'a', file: 'f', parts: 2, ms: 3, fuel: undefined, failure: undefined, runs: [] },
    ...{ calls: 10, callsPerSecond: 7, direct },
  };
  expect(parts.whole({ ...report, parts: 1 })).toHaveLength(1);
  expect(parts.whole(report)).toEqual([]);
  const failure = { message: 'no', stack: [] };
  const [whole] = parts.whole({ ...report, ms: 9, failure });
  const both = { calls: 10, ms: 2, timed: 6, kernel: 8, punted: 2, compared: 4, unfit: 2, why: undefined };
  expect(whole).toMatchObject({ ms: 9, failure, calls: 20, callsPerSecond: 7, direct: both });
});
