// The engine's thread, or that of a replica: it owns the store and waits while a commit is written, so that the
// server's thread never waits.
import { parentPort, workerData } from 'node:worker_threads';
import type { EngineSetup } from './engine.js';
import { type EngineCommand, type EngineEvent, failureOf } from './events.js';

const port = parentPort;
if (port === null) throw new Error('engine-worker.js runs in a worker thread only');
const tell = (event: EngineEvent): void => port.postMessage(event);

/** What both have. */
interface Run {
  run(): Promise<void>;
  stop(): void;
  close(): Promise<void>;
}

let engine: Run | undefined;
const stopAsked = new AbortController();
const released = new Promise<void>((resolve) => {
  port.on('message', ({ kind }: EngineCommand) => {
    if (kind === 'released') resolve();
    else {
      stopAsked.abort();
      engine?.stop();
    }
  });
});

/** Each loads its own modules only. */
async function open(setup: EngineSetup): Promise<Run> {
  if (setup.stream === undefined) return (await import('./engine.js')).Engine.open(setup, tell);
  const { ReplicaEngine } = await import('./replica-engine.js');
  return ReplicaEngine.open(setup, setup.stream, tell, stopAsked.signal);
}

try {
  engine = await open(workerData as EngineSetup);
} catch (error) {
  tell({ kind: 'not-opened', failure: failureOf(error) });
}
if (engine !== undefined) {
  if (stopAsked.signal.aborted) engine.stop();
  await engine.run();
  await released;
  await engine.close();
  // Calls to a node that never answers may still be open: they must not keep the thread alive.
  tell({ kind: 'closed' });
}
port.close();
