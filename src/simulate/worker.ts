// Runs contracts over the lane's state at a height for whoever asks, in a thread of its own: it can be ended.
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, StoreError } from '../errors/errors.js';
import { list, outpoint } from '../listing/list.js';
import { ProgramRunner } from '../program/runner.js';
import { Store } from '../store/store.js';
import type { ThreadReady } from '../views/thread.js';
import { HeightState } from './height-state.js';
import { Metas } from './meta.js';
import { prefixRoot } from './prefix-root.js';
import type { LaneViewReply, LaneViewSetup, LaneViewTask } from './protocol.js';
import { rerun } from './rerun.js';
import { simulate } from './simulate.js';

/** What compiled code may take: few contracts are asked for again and again. */
const COMPILED_BYTES = 64 << 20;

const { storeHandle, answerBytes } = workerData as LaneViewSetup;
const store = await Store.attach(storeHandle);
const runner = new ProgramRunner({ compiledBytes: COMPILED_BYTES });
const metas = new Metas(runner);

function answer(task: LaneViewTask): unknown {
  const { height } = task.request;
  if (task.kind !== 'list' && store.blockHash(height) === undefined) {
    throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', {
      facts: { height },
      hint: 'Ask again.',
    });
  }
  const state = new HeightState(store, height);
  switch (task.kind) {
    case 'simulate':
      return simulate(task.request, { state, chain: store, runner, answerBytes });
    case 'list':
      return list(task.request, store);
    case 'outpoint':
      return outpoint(task.request, store);
    case 'meta':
      return metas.of(task.request.id, state);
    case 'prefixRoot':
      return prefixRoot(store, task.request);
    case 'trace': {
      const before = new HeightState(store, height - 1);
      return rerun(task.request, { before, chain: store, runner, answerBytes });
    }
  }
}

parentPort?.on('message', (task: LaneViewTask & { readonly id: number }) => {
  const { id } = task;
  let reply: LaneViewReply;
  try {
    reply = { id, answer: answer(task) };
  } catch (error) {
    reply = { id, failure: failureOf(error) };
  }
  parentPort?.postMessage(reply);
});

const ready: ThreadReady = { kind: 'ready' };
parentPort?.postMessage(ready);
