/** A worker thread of the lane engine: dry runs and CPU batches over the state before the block. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { failureOf } from '../../errors/errors.js';
import { columnsOf, type LaneColumns } from '../../lane/columns/lane-columns.js';
import { buffersOfPart, type ScannedPart, scanPart } from '../../lane/columns/scan-parts.js';
import type { LaneContext } from '../../lane/message.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { ProgramRunner } from '../../program/runner.js';
import { Store } from '../../store/store.js';
import { StoredState } from '../../store/stored-state.js';
import { freeMemoryOf } from '../../util/free-memory.js';
import { BlockTooLarge } from '../tasks/block-weight.js';
import { CachingReader } from '../tasks/caching-reader.js';
import { RowQueue } from '../tasks/row-queue.js';
import { RowTasks } from '../tasks/row-tasks.js';
import { Walks } from '../tasks/walks.js';
import { WorkWatch } from '../tasks/work-watch.js';
import { type SharedWrites, WrittenState } from '../tasks/written-state.js';
import { Rehearsal } from './rehearsal.js';
import { RowRehearsal } from './rehearse-rows.js';
import type { BeginBlock, FromWorker, ToWorker, WorkerData, WorkerRehearsal, WorkerTask } from './worker-protocol.js';

/** A block, part by part. */
class BlockTasks {
  rows: RowTasks;
  readonly #written: WrittenState;

  constructor(
    readonly columns: LaneColumns,
    readonly context: LaneContext,
    before: StateReader,
    readonly runner: ProgramRunner,
    readonly leftToKernel: ReadonlySet<string>,
  ) {
    this.#written = new WrittenState(before);
    this.rows = this.#tasksOver(before);
  }

  next(written: SharedWrites | undefined): void {
    this.rows.release();
    if (written !== undefined) this.#written.add(written);
    this.rows = this.#tasksOver(this.#written);
  }

  #tasksOver(before: StateReader): RowTasks {
    const reader = new CachingReader(before, walks);
    return new RowTasks(thread, this.columns, this.context, reader, this.runner, this.leftToKernel);
  }
}

const port = parentPort;
if (port === null) throw new Error('worker.js runs in a worker thread only');

const { watch: buffer, thread, compiledBytes, ready } = workerData as WorkerData;
const watch = buffer && new WorkWatch(buffer).thread(thread);
/** Made for the first block: if this thread cannot run contracts, the engine gets the reason instead of a result. */
let runner: ProgramRunner | undefined;
/** Whether the engine knows that no more programs are put away here. */
let toldLoss = false;
const walks = new Walks();
const stores = new Map<bigint, Promise<StateReader>>();
let tasks: Promise<BlockTasks> | undefined;
// Requests are handled one after the other: a task waits until its block is ready.
let queue = Promise.resolve();

port.on('message', (sent: ToWorker) => {
  queue = queue.then(async () => {
    try {
      if (sent.kind === 'block') tasks = begin(sent);
      else if (sent.kind === 'rehearse') await rehearse(sent);
      else if (sent.kind === 'scan') answerScan(port, scanPart(sent.part));
      else if (sent.kind === 'end') await end();
      else if (sent.kind === 'outcomes') (await tasks)?.rows.learnOutcomes(sent.outcomes);
      else if (sent.kind === 'next') (await tasks)?.next(sent.written);
      else if (tasks !== undefined) runRows(port, (await tasks).rows, sent);
    } catch (error) {
      port.postMessage({ kind: 'error', failure: failureOf(error) } satisfies FromWorker);
    }
  });
});

Atomics.add(new Uint32Array(ready), 0, 1);

async function begin(block: BeginBlock, watched = true): Promise<BlockTasks> {
  const { context, storeHandle, snapshot, columns, leftToKernel } = block;
  runner ??= new ProgramRunner({ compiledBytes });
  const own = { ...context, watch: watched ? watch : undefined };
  const before = await open(storeHandle, snapshot);
  return new BlockTasks(columnsOf(columns), own, before, runner, new Set(leftToKernel));
}

/** Nobody hears of its rows: they are none that the block waits for. */
async function rehearse({ block, part, first, length, shared }: WorkerRehearsal): Promise<void> {
  const rehearsal = new Rehearsal(shared);
  if (rehearsal.isStopped) return;
  const { rows, columns } = await begin(block, false);
  const own = new RowRehearsal(rows, columns.count, first, length, (us) => rehearsal.tell(part, us));
  rehearsal.takePart(() => own.step());
  freeMemoryOf(rows.bytes);
  rows.release();
}

/** What the block took is wanted by whoever stores it now. */
async function end(): Promise<void> {
  const why = runner?.kept.notAway;
  if (why !== undefined && !toldLoss) port?.postMessage({ kind: 'program-file-lost', why } satisfies FromWorker);
  toldLoss = why !== undefined;
  const rows = (await tasks)?.rows;
  tasks = undefined;
  freeMemoryOf(rows?.bytes ?? 0);
  rows?.release();
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

/** Runs rows as long as there are any. */
function runRows(to: MessagePort, own: RowTasks, { batch, rows, mostBytes, ...how }: WorkerTask): void {
  const queue = new RowQueue(rows);
  try {
    for (;;) {
      const reply = own.runSome(queue, thread - 1, how, mostBytes);
      if (reply === undefined) return;
      // The bytes go to the engine without a copy.
      const sent: FromWorker = { kind: 'rows', batch, ...reply };
      to.postMessage(sent, [reply.rows.buffer, reply.bytes.buffer, reply.words.buffer]);
    }
  } catch (error) {
    queue.stop();
    if (!(error instanceof BlockTooLarge)) throw error;
    to.postMessage({ kind: 'too-large', batch } satisfies FromWorker);
  }
}

function answerScan(to: MessagePort, part: ScannedPart): void {
  to.postMessage({ kind: 'scanned', part } satisfies FromWorker, buffersOfPart(part));
}
