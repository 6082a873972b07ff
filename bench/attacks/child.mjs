// Indexes the blocks of one attack under a policy, for bench/attacks/run.mjs; prints what the last block took, as JSON.
//   node bench/attacks/child.mjs FOLDER POLICY WORKERS
// FOLDER holds 1.bin, 2.bin ... and gets the database.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LaneEngine } from '../../dist/execute/engine.js';
import { openGpuExecutor } from '../../dist/gpu/gpu-executor.js';
import { BlockIndexer } from '../../dist/pipeline/block-indexer.js';
import { folderBytes } from '../../dist/service/folder-bytes.js';
import { Store } from '../../dist/store/store.js';
import { onDeepThread } from '../../dist/util/deep-thread.js';

if (!(await onDeepThread(import.meta.url))) process.exit();

const [folder, policy, workers] = process.argv.slice(2);
const db = join(folder, `${policy}.db`);
const count = readdirSync(folder).filter((name) => name.endsWith('.bin')).length;
const open = () => Store.open(db, { network: 'regtest', moduleHash: '00'.repeat(32) });
const store = await open();
const gpu = policy === 'gpu' || policy === 'auto' ? await openGpuExecutor() : undefined;
const lanes = { laneStartHeight: 0, dependent: 'demote' };
const engine = new LaneEngine({ policy, workers: Number(workers), gpu, ...lanes });
// The other lane has nothing to do.
const nothing = { pairs: new Map(), flushes: 0, pairCount: 0, valueBytes: 0, ms: 0, error: undefined };
const indexer = new BlockIndexer(store, engine, { runBlock: async () => nothing });
let result;
let peakBytes = 0;
try {
  for (let height = 0; height < count; height++) {
    const raw = readFileSync(join(folder, `${height}.bin`));
    const before = await folderBytes(db);
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    const { roots, statistics } = await indexer.index({ raw: Uint8Array.from(raw), height });
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    // Before the database is closed and opened once more, which is not the block's.
    peakBytes = process.resourceUsage().maxRSS * 1_024;
    result = {
      root: roots.state,
      lane: statistics.lane ?? statistics,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      before,
    };
  }
} finally {
  await engine.close();
  await store.close();
  await gpu?.close();
}
const { before, ...figures } = result;
// A log whose rows were still on their way to a table at closing goes when the database is opened again.
await (await open()).close();
// What the block left in logs and tables.
const storedBytes = Math.max(0, (await folderBytes(db)) - before);
process.stdout.write(`${JSON.stringify({ ...figures, storedBytes, peakBytes })}\n`);
