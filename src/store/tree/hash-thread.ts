/** A thread of tree-hasher.ts: it sleeps until the trees of a block are handed over. */
import { workerData } from 'node:worker_threads';
import { type SideThreadData, serveJobs } from '../../util/side-job.js';
import type { HashJob } from './tree-hasher.js';
import { hashHandedOver } from './tree-instance.js';

interface HashThreadData extends SideThreadData {
  readonly module: WebAssembly.Module;
  /** Its number among the threads, from 0 on. */
  readonly place: number;
}

const data: HashThreadData = workerData;

serveJobs<HashJob>(data, (memories) => {
  for (const memory of memories) hashHandedOver(data.module, memory, data.place);
  return memories.length;
});
