/** A thread of receipts-beside.ts: it sleeps until a block has receipts to write. */
import { workerData } from 'node:worker_threads';
import { type SideThreadData, serveJobs } from '../util/side-job.js';
import { type ReceiptsJob, writeReceiptParts } from './receipt-parts.js';
import { Rocks } from './rocks.js';

interface ReceiptsThreadData extends SideThreadData {
  readonly handle: bigint;
}

const data: ReceiptsThreadData = workerData;
const rocks = await Rocks.attach(data.handle);

serveJobs<ReceiptsJob>(data, (job) => writeReceiptParts(rocks, job, (batch) => batch.write(false)));
