// The engine's thread: it owns the store and waits while a commit is written, so that the server's thread never waits.
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, type EngineSetup } from './engine.js';
import { type EngineCommand, type EngineEvent, failureOf } from './events.js';

const port = parentPort;
if (port === null) throw new Error('engine-worker.js runs in a worker thread only');
const tell = (event: EngineEvent): void => port.postMessage(event);

let engine: Engine | undefined;
let stopAsked = false;
const released = new Promise<void>((resolve) => {
  port.on('message', ({ kind }: EngineCommand) => {
    if (kind === 'released') resolve();
    else {
      stopAsked = true;
      engine?.stop();
    }
  });
});

try {
  engine = await Engine.open(workerData as EngineSetup, tell);
} catch (error) {
  tell({ kind: 'not-opened', failure: failureOf(error) });
}
if (engine !== undefined) {
  if (stopAsked) engine.stop();
  await engine.run();
  await released;
  await engine.close();
  // Calls to a node that never answers may still be open: they must not keep the thread alive.
  tell({ kind: 'closed' });
}
port.close();
