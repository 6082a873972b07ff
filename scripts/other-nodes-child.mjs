// What scripts/other-nodes.mjs runs on each version of Node: replays chains under a policy; a digest of all their
// roots, as JSON.
//   node scripts/other-nodes-child.mjs POLICY CHAIN...
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../dist/replay/replay.js';
import { onDeepThread } from '../dist/util/deep-thread.js';

if (!(await onDeepThread(import.meta.url))) process.exit();

const [policy, ...chains] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-nodes-'));
const all = createHash('sha256');
const started = performance.now();
let blocks = 0;
try {
  for (const [i, path] of chains.entries()) {
    const dbDir = join(folder, String(i));
    const onBlock = (height, root) => {
      all.update(`${i} ${height} ${root}\n`);
      blocks++;
    };
    await replay({ path, dbDir, policy, onBlock });
    rmSync(dbDir, { recursive: true, force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// RocksDB has loaded, or there were no roots.
const unloadable = [];
try {
  await import('webgpu');
} catch (error) {
  unloadable.push(`webgpu: ${error.message}`);
}
const { node, v8 } = process.versions;
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ node, v8, blocks, digest: all.digest('hex'), seconds, unloadable })}\n`);
