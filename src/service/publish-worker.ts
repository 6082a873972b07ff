// Publishes the blocks of the store to a stream while the engine's thread goes on.
import { parentPort, workerData } from 'node:worker_threads';
import { backoff, REAL_CLOCK } from '../chain/clock.js';
import { failureOf } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { Store } from '../store/store.js';
import { JetStreamLog } from '../stream/nats/jetstream-log.js';
import { Publisher } from '../stream/publisher.js';
import type { PublishReport, PublishSetup } from './publishing.js';
import { RollbackClock } from './rollback-clock.js';

/** How long it waits for a change that nobody told of. */
const LOOK_MS = 1_000;
const FIRST_RETRY_MS = 250;
const MOST_RETRY_MS = 30_000;

const { storeHandle, rollbacks, address, keptBytes } = workerData as PublishSetup;
const clock = new RollbackClock(rollbacks);
const stopping = new AbortController();
let changed = new AbortController();
let failures = 0;

parentPort?.on('message', (what: 'changed' | 'stop') => {
  if (what === 'stop') stopping.abort();
  changed.abort();
});

function tell(report: PublishReport): void {
  parentPort?.postMessage(report);
}

async function wait(ms: number, what: AbortSignal): Promise<void> {
  await REAL_CLOCK.sleep(ms, AbortSignal.any([what, stopping.signal]));
}

/** Publishes until it is to stop. Throws StreamError STREAM_*, StoreError. */
async function publish(store: StoreReader, log: JetStreamLog): Promise<void> {
  const publisher = new Publisher(log, {
    store,
    undone: () => (clock.now % 2 === 0 ? clock.now : undefined),
    onPublished: (published) => tell({ kind: 'published', published }),
    onLeftOut: (from, to, reason) => tell({ kind: 'left-out', from, to, reason }),
  });
  while (!stopping.signal.aborted) {
    changed = new AbortController();
    while (!stopping.signal.aborted && (await publisher.step())) failures = 0;
    if (stopping.signal.aborted) return;
    tell({ kind: 'idle', height: publisher.height });
    await wait(LOOK_MS, changed.signal);
  }
}

const store = await Store.attach(storeHandle);
while (!stopping.signal.aborted) {
  let log: JetStreamLog | undefined;
  try {
    log = await JetStreamLog.writer(address, keptBytes);
    await publish(store, log);
  } catch (error) {
    tell({ kind: 'failed', failure: failureOf(error) });
    await wait(backoff(failures++, FIRST_RETRY_MS, MOST_RETRY_MS, REAL_CLOCK), stopping.signal);
  } finally {
    await log?.close();
  }
}
parentPort?.close();
