// Writes the tables of the sink beside the engine's thread, from what that has stored.
import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from '../errors/errors.js';
import { SinkFeed } from '../sink/sink-feed.js';
import { NEW_SINK, type SinkStatus } from '../sink/sink-status.js';
import { scratchFolder } from '../store/shared-files.js';
import { Store } from '../store/store.js';
import { lowerThread } from '../util/niceness.js';
import { Bell } from './bell.js';
import { RollbackClock } from './rollback-clock.js';
import type { SinkOrder, SinkSetup } from './sink-thread.js';

const port = parentPort;
if (port === null) throw new Error('sink-worker.js runs in a worker thread only');
const { storeHandle, db, url, schema, rollbacks, niceness } = workerData as SinkSetup;
const tell = (status: SinkStatus): void => port.postMessage(status);

lowerThread(niceness);
const stop = new AbortController();
const bell = new Bell();
port.on('message', (order: SinkOrder) => {
  if (order === 'stop') stop.abort();
  bell.ring();
});

let folder: string | undefined;
try {
  const store = await Store.attach(storeHandle);
  folder = scratchFolder(db);
  const undoing = new RollbackClock(rollbacks);
  const { signal } = stop;
  const changed = (ms: number): Promise<void> => bell.wait(ms);
  await new SinkFeed({ store, url, schema, folder, undoing, changed, signal, onStatus: tell }).run();
} catch (error) {
  tell({ ...NEW_SINK, phase: 'failed', trouble: failureOf(error) });
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
port.close();
