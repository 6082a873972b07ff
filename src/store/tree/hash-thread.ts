/** The thread of tree-hasher.ts: it sleeps until the trees of a block are handed over. */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DONE, FAILED, type HashJob, JOB, POSTED, STATE, TAKEN } from './hash-job.js';
import { hashHandedOver } from './tree-instance.js';

interface HashThreadData {
  readonly control: Int32Array;
  readonly port: MessagePort;
  readonly module: WebAssembly.Module;
}

const { control, port, module }: HashThreadData = workerData;

/**
 * The memories of the job that was taken. Not before it is: until then the caller may take it back and post another,
 * with other trees.
 */
function takenMemories(): readonly WebAssembly.Memory[] | undefined {
  for (;;) {
    const job: HashJob | undefined = receiveMessageOnPort(port)?.message;
    if (job === undefined || job.number === Atomics.load(control, JOB)) return job?.memories;
  }
}

for (;;) {
  const state = Atomics.load(control, STATE);
  if (state !== POSTED) {
    Atomics.wait(control, STATE, state);
    continue;
  }
  if (Atomics.compareExchange(control, STATE, POSTED, TAKEN) !== POSTED) continue;
  const memories = takenMemories();
  let end = DONE;
  try {
    if (memories === undefined) throw new Error('a job without trees');
    for (const memory of memories) hashHandedOver(module, memory);
  } catch {
    end = FAILED;
  }
  Atomics.store(control, STATE, end);
  Atomics.notify(control, STATE);
}
