/**
 * `node dist/testing/gpu-server/main.js ADDRESS [HOLD]`: a GPU server whose device is V8. With HOLD it says `holding`
 * once it has begun with that piece of a block, counted from 0, and never ends it.
 */

import { runWork } from '../../tasks/cpu/run-work.js';
import { FastSide } from '../../tasks/health/fast-side.js';
import { readAddress } from '../../tasks/server/address.js';
import { LaneDesk } from '../../tasks/server/lane-desk.js';
import { startTaskServer } from '../../tasks/server/server.js';
import { V8Device } from './v8-device.js';

const [address, hold] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const device = new V8Device((segment) => {
  if (hold === undefined || segment !== Number(hold)) return undefined;
  say('holding');
  return new Promise(() => undefined);
});
const server = await startTaskServer({
  address: readAddress(address),
  fast: new FastSide({ open: async () => ({ run: async (work) => runWork(work), close: async () => undefined }) }),
  lane: new LaneDesk({ device: 'hardware', open: async () => device }),
  adapter: 'V8',
  jobs: 2,
  mostBytes: 2 ** 28,
  onDropped: (why) => say(`dropped: ${why}`),
});
say(`listening on ${server.address}`);
setInterval(() => {
  const { clients, waiting } = server.figures;
  say(`${device.segments} pieces, ${device.calls} calls, ${clients} clients, ${waiting} waiting`);
}, 100);
