/** The thread of receipts-beside.ts: it sleeps until a block has receipts to write. */
import { workerData } from 'node:worker_threads';
import { type SideThreadData, serveJobs } from '../util/side-job.js';
import { Portions } from './portions.js';
import { putReceipts } from './receipt-writes.js';
import type { ReceiptsJob } from './receipts-beside.js';
import { Rocks } from './rocks.js';

interface ReceiptsThreadData extends SideThreadData {
  readonly handle: bigint;
}

const data: ReceiptsThreadData = workerData;
const rocks = await Rocks.attach(data.handle);

serveJobs<ReceiptsJob>(data, ({ height, count, data, ends, pieceBytes }) => {
  let bytes = 0;
  const rows = new Portions(rocks, pieceBytes, (batch) => {
    bytes += batch.bytes;
    batch.write(false);
  });
  const start = (at: number): number => (at === 0 ? 0 : ends[at - 1]);
  try {
    putReceipts(rows, { height, receipts: { count, data, start, end: (at) => ends[at] } });
  } catch (error) {
    rows.batch.discard();
    throw error;
  }
  bytes += rows.batch.bytes;
  rows.batch.write(false);
  return bytes;
});
