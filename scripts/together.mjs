// Folders whose tests share two processes: each module is loaded once there, not once a file, which was more than a
// third of their time. They change nothing that outlasts them in their process.
export const TOGETHER = [
  'test/bitcoin/',
  'test/chain/',
  'test/fixtures/',
  'test/follow/',
  'test/lane/',
  'test/plan/',
  'test/program/',
  'test/protocol/',
  'test/rpc/',
  'test/tidy/',
  'test/util/',
  'test/wasm/',
];
