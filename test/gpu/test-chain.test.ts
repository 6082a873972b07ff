import { expect, it } from 'vitest';
import { ContractChain } from '../../src/contract-chain/contract-chain.js';
import { RecordingChain } from '../../src/harness/recording-chain.js';
import { Replayer, recordedRun } from '../../src/harness/replay.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { openGpu } from '../execute/open-gpu.js';

it('the chain of a test goes through the kernel to the same receipts and state', async ({ skip }) => {
  const gpu = await openGpu();
  if (gpu === undefined) return skip('there is no GPU');
  const recording = new RecordingChain();
  const chain = new ContractChain(recording);
  const token = chain.deploy(builtPrograms().mint, [0, 10, 5]);
  chain.block((send) => {
    for (let i = 0; i < 4; i++) send({ target: token, inputs: [77] });
  });
  chain.call(token, [99], { send: { '2:1': 7 }, to: chain.account('bob') });
  const replayer = new Replayer('in the kernel', gpu);
  expect(await replayer.differenceIn(recordedRun(recording))).toBeUndefined();
  expect(replayer.kernelRuns).toBeGreaterThan(3);
  await replayer.close();
  await gpu.close();
});
