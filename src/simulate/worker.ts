// Runs contracts over the lane's state at a height for whoever asks, in a thread of its own: it can be ended.
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from '../errors/errors.js';
import { ProgramRunner } from '../program/runner.js';
import { Store } from '../store/store.js';
import type { ThreadReady } from '../views/thread.js';
import { answerTask } from './answer.js';
import { HeightState } from './height-state.js';
import { Metas } from './meta.js';
import type { LaneViewReply, LaneViewSetup, LaneViewTask } from './protocol.js';

/** What compiled code may take: few contracts are asked for again and again. */
const COMPILED_BYTES = 64 << 20;

const { storeHandle, answerBytes } = workerData as LaneViewSetup;
const store = await Store.attach(storeHandle);
const runner = new ProgramRunner({ compiledBytes: COMPILED_BYTES });
const metas = new Metas(runner);
const stateAt = (height: number): HeightState => new HeightState(store, height);

parentPort?.on('message', (task: LaneViewTask & { readonly id: number }) => {
  const { id } = task;
  let reply: LaneViewReply;
  try {
    reply = { id, answer: answerTask(task, { store, stateAt, runner, metas, answerBytes }) };
  } catch (error) {
    reply = { id, failure: failureOf(error) };
  }
  parentPort?.postMessage(reply);
});

const ready: ThreadReady = { kind: 'ready' };
parentPort?.postMessage(ready);
