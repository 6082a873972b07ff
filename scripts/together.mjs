// Folders whose tests share two processes: each module is loaded once there, not once a file, which was more than a
// third of their time. They change nothing that outlasts them in their process.
export const TOGETHER = [
  'test/bitcoin/',
  'test/chain/',
  'test/diff/',
  'test/execute/',
  'test/export/',
  'test/fixtures/',
  'test/follow/',
  'test/lane/',
  'test/listing/',
  'test/plan/',
  'test/program/',
  'test/protocol/',
  'test/rpc/',
  'test/simulate/',
  'test/store/',
  'test/tidy/',
  'test/trace/',
  'test/util/',
  'test/wasm/',
];
