/** A thread that does one piece of work after the other. */
import { parentPort } from 'node:worker_threads';
import { failureOf } from '../../errors/errors.js';
import type { Work } from '../work/work.js';
import type { WorkerReply } from './pool.js';
import { runWork } from './run-work.js';

const port = parentPort;
if (port === null) throw new Error('worker.js runs in a worker thread only');

port.on('message', (work: Work) => {
  let reply: WorkerReply;
  try {
    reply = { answer: runWork(work) };
  } catch (error) {
    reply = { failure: failureOf(error) };
  }
  port.postMessage(reply);
});
