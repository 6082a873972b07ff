// An indexer of bench/gpu-server.mjs: FOLDER ADDRESS WORKLOAD TRANSACTIONS WORKERS. Runs blocks when it is told to.
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { LaneEngine } from '../dist/execute/engine.js';
import { summarise } from '../dist/plan/plan.js';
import { makeWorkload } from '../dist/selftest/bench/block-workloads.js';
import { Store } from '../dist/store/store.js';
import { StoredState } from '../dist/store/stored-state.js';
import { KernelSource } from '../dist/tasks/server/kernel-source.js';

const [folder, address, name, transactions, workers] = process.argv.slice(2);
const workload = makeWorkload(name, Number(transactions));
const store = await Store.open(folder, { network: 'regtest', moduleHash: '00'.repeat(32) });
const header = new Uint8Array(80);
const empty = { hash: new Uint8Array(32), header, standardWrites: new Map(), receipts: [] };
store.commitBlock({ height: 0, ...empty, laneWrites: workload.state, plan: summarise(0, 0, 0, undefined) });
const gpu = await new KernelSource({ gpuServer: address }, 'sync').open();
const rules = { laneStartHeight: 0, dependent: 'demote', waitForKernels: true };
const engines = {
  sequential: new LaneEngine({ policy: 'sequential', workers: 0, ...rules }),
  gpu: new LaneEngine({ policy: 'gpu', gpu, workers: Number(workers), ...rules }),
};

/** From the block's bytes until it is stored; then it is taken back. */
async function runBlock(engine) {
  const block = BlockOffsets.read(workload.raw, workload.raw.length);
  const state = { reader: new StoredState(store), storeHandle: store.handle };
  const result = await engine.processBlock(block, 1, state);
  const { writes: laneWrites, plan, statistics } = result;
  const receipts = result.encodedReceipts ?? result.receipts;
  const { lane } = store.commitBlock(
    { height: 1, ...empty, hash: block.hash, laneWrites, receipts, plan },
    { moreFollow: true },
  );
  store.rollback(0);
  return { root: lane, inKernel: statistics.executors.gpu };
}

const started = performance.now();
const { root } = await runBlock(engines.sequential);
const sequentialMs = performance.now() - started;
await runBlock(engines.gpu);

process.on('disconnect', () => process.exit());
process.on('message', async ({ blocks }) => {
  let [differences, inKernel] = [0, 0];
  for (let i = 0; i < blocks; i++) {
    const ran = await runBlock(engines.gpu);
    if (ran.root !== root) differences++;
    inKernel += ran.inKernel;
  }
  process.send({ differences, inKernel, gpuFailures: engines.gpu.health.gpuFailures });
});
process.send({ adapter: gpu.adapter.description, sequentialMs });
