/** A worker thread of the lane engine: dry runs and CPU batches over the state before the block. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { failureOf, InternalError } from '../../errors/errors.js';
import { buffersOf } from '../../gpu/pack/records.js';
import { columnsOf } from '../../lane/columns/lane-columns.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { ProgramRunner } from '../../program/runner.js';
import { Store } from '../../store/store.js';
import { StoredState } from '../../store/stored-state.js';
import { freeMemoryOf } from '../../util/free-memory.js';
import { BlockTasks } from '../tasks/block-tasks.js';
import { BlockBudget, BlockTooLarge } from '../tasks/block-weight.js';
import { CachingReader } from '../tasks/caching-reader.js';
import { RowTasks } from '../tasks/row-tasks.js';
import { WorkWatch } from '../tasks/work-watch.js';
import { decodeItems, decodeTransactions, encodeDryRuns, encodeOutcomes } from './worker-codec.js';
import type { BeginBlock, FromWorker, ToWorker, WorkerData, WorkerRows, WorkerTask } from './worker-protocol.js';

type Answer = Extract<FromWorker, { bytes: Uint8Array }>;

/** What a block is run with: its transactions, or its rows. */
interface Tasks {
  readonly block: BlockTasks;
  readonly rows: RowTasks | undefined;
}

const port = parentPort;
if (port === null) throw new Error('worker.js runs in a worker thread only');

const { watch: buffer, thread, compiledBytes, ready } = workerData as WorkerData;
const watch = buffer && new WorkWatch(buffer).thread(thread);
/** Made for the first block: if this thread cannot run contracts, the engine gets the reason instead of a result. */
let runner: ProgramRunner | undefined;
const stores = new Map<bigint, Promise<StateReader>>();
let tasks: Promise<Tasks> | undefined;
// Requests are handled one after the other: a task waits until its block is ready.
let queue = Promise.resolve();

port.on('message', (sent: ToWorker) => {
  queue = queue.then(async () => {
    try {
      if (sent.kind === 'block') tasks = begin(sent);
      else if (sent.kind === 'end') await end();
      else if (tasks !== undefined) answer(port, perform(await tasks, sent.task));
    } catch (error) {
      port.postMessage(failure(error));
    }
  });
});

Atomics.add(new Uint32Array(ready), 0, 1);

async function begin({ context, storeHandle, snapshot, recording, columns }: BeginBlock): Promise<Tasks> {
  runner ??= new ProgramRunner(compiledBytes);
  const before = new CachingReader(await open(storeHandle, snapshot));
  const watched = { ...context, watch };
  const rows = columns && new RowTasks(thread, columnsOf(columns), watched, before, runner);
  return { block: new BlockTasks(watched, before, runner, recording), rows };
}

/** What the block took is wanted by whoever stores it now. */
async function end(): Promise<void> {
  const bytes = (await tasks)?.rows?.bytes ?? 0;
  tasks = undefined;
  freeMemoryOf(bytes);
}

function open(
  storeHandle: bigint | undefined,
  snapshot: ReadonlyMap<LaneKey, Uint8Array> | undefined,
): Promise<StateReader> | StateReader {
  if (storeHandle === undefined) return { get: (key) => snapshot?.get(key) };
  let reader = stores.get(storeHandle);
  if (reader === undefined) {
    reader = Store.attach(storeHandle).then((store) => new StoredState(store));
    stores.set(storeHandle, reader);
  }
  return reader;
}

/** Transfers the bytes to the engine without a copy. */
function answer(to: MessagePort, reply: Answer): void {
  const records = reply.kind === 'dry' ? reply.records : undefined;
  const words = reply.kind === 'rows' ? [reply.words.buffer] : [];
  to.postMessage(reply, [reply.bytes.buffer, ...words, ...(records === undefined ? [] : buffersOf(records))]);
}

function perform({ block, rows }: Tasks, task: WorkerTask | WorkerRows): Answer {
  if (task.kind === 'rows') {
    if (rows === undefined) throw new InternalError('rows of a block that has none');
    return { kind: 'rows', ...rows.run(task, task.mostBytes) };
  }
  const { kind, bytes, mostBytes } = task;
  // The engine counts what all pieces take together; here one piece must fit.
  const budget = new BlockBudget(mostBytes);
  if (kind === 'dry') {
    const runs = block.dryRunAll(decodeTransactions(bytes), budget);
    return { kind, bytes: encodeDryRuns(runs), records: block.takeRecords() };
  }
  const outcomes = decodeItems(bytes).map(({ transaction, overrides }) => {
    const outcome = block.execute(transaction, overrides);
    budget.take(outcome);
    return outcome;
  });
  return { kind, bytes: encodeOutcomes(outcomes) };
}

function failure(error: unknown): FromWorker {
  return error instanceof BlockTooLarge ? { kind: 'too-large' } : { kind: 'error', failure: failureOf(error) };
}
