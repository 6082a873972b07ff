/** A thread of rows-beside.ts: it sleeps until a block has rows to write. */
import { workerData } from 'node:worker_threads';
import { type SideThreadData, serveJobs } from '../util/side-job.js';
import { CopiedWrites } from './copied-writes.js';
import { Rocks } from './rocks.js';
import { type RowsJob, writeParts } from './row-parts.js';

interface RowsThreadData extends SideThreadData {
  readonly handle: bigint;
}

const data: RowsThreadData = workerData;
const rocks = await Rocks.attach(data.handle);

serveJobs<RowsJob>(data, (job) => {
  const { rooms, counts } = job;
  const writes = { S: new CopiedWrites(rooms.S, counts.S), P: new CopiedWrites(rooms.P, counts.P) };
  return writeParts(rocks, job, writes, (batch) => batch.write(false));
});
