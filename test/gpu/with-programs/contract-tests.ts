// Tests of contracts that go through the kernel.
import { expect, it } from 'vitest';
import { ContractChain } from '../../../src/contract-chain/contract-chain.js';
import type { GpuExecutor } from '../../../src/gpu/pack/types.js';
import type { FuzzEnd } from '../../../src/harness/direct-end.js';
import { DirectFuzz } from '../../../src/harness/direct-fuzz.js';
import { type DirectKernel, runDirect } from '../../../src/harness/direct-kernel.js';
import { FuzzRandom } from '../../../src/harness/random.js';
import { RecordingChain } from '../../../src/harness/recording-chain.js';
import { Replayer, recordedRun } from '../../../src/harness/replay.js';
import { TestChain } from '../../../src/harness/test-chain.js';
import { builtPrograms } from '../../../src/util/built-wasm.js';

const { mint } = builtPrograms();

/** `open` gives the executor that they run on, once tests run. */
export function contractTestCases(open: () => GpuExecutor): void {
  it('the chain of a test goes through the kernel to the same receipts and state', async () => {
    const recording = new RecordingChain();
    const chain = new ContractChain(recording);
    const token = chain.deploy(mint, [0, 10, 5]);
    chain.block((send) => {
      for (let i = 0; i < 4; i++) send({ target: token, inputs: [77] });
    });
    chain.call(token, [99], { send: { '2:1': 7 }, to: chain.account('bob') });
    const replayer = new Replayer('in the kernel', open());
    expect(await replayer.differenceIn(recordedRun(recording))).toBeUndefined();
    expect(replayer.kernelRuns).toBeGreaterThan(3);
    await replayer.close();
  });

  it('calls by themselves end in the kernel as on V8, and each is looked at', async () => {
    const kernel: DirectKernel = { run: async (sent) => (await runDirect(open(), { ...DIRECT, ...sent })).outcomes };
    const ends = await Promise.all([kernel, undefined].map((each) => endsOf(each)));
    const [onKernel, onV8] = ends;
    expect(onKernel.figures).toMatchObject({ calls: 3_000, punted: 0, unfit: 0, why: undefined });
    expect(onKernel.figures.compared).toBeGreaterThan(3);
    expect(onKernel.figures.kernel).toBe(3_000);
    expect(onV8.figures).toMatchObject({ calls: 3_000, kernel: 0 });
    expect(onKernel.ends).toEqual(onV8.ends);
    expect(new Set(onKernel.ends.map((end) => end.split(' ')[1]))).toEqual(new Set(['OK', 'REVERT']));
  });
}

const DIRECT = { kind: 'direct', number: 0 } as const;

async function endsOf(
  kernel: DirectKernel | undefined,
): Promise<{ figures: DirectFuzz<string>['figures']; ends: string[] }> {
  const chain = new TestChain(new RecordingChain(), new Map([['mint', mint]]));
  chain.deploy('mint', [0, 10, 5]);
  chain.call('2:1', [77]);
  const ends: string[] = [];
  const spec = {
    setup: () => '2:1',
    call: (random: FuzzRandom, target: string) => ({
      target,
      inputs: [random.pick([77, 99, 5]), random.bigint(), random.below(100)],
    }),
    invariant: () => undefined,
    each: (end: FuzzEnd) => {
      const written = end.stored('minted');
      ends.push(
        `${end.opcode} ${end.status} ${end.fuel} ${end.input(1)} ${written} ${end.transferred('2:1')} ${end.number()}`,
      );
    },
  };
  const fuzz = new DirectFuzz(spec, chain, '2:1', new FuzzRandom('direct'), 'direct', kernel);
  await fuzz.run(3_000);
  return { figures: fuzz.figures, ends };
}
