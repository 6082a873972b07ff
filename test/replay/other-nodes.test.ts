import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';

/** Status of scripts/other-nodes.mjs where npm cannot give the version. */
const NOT_TO_BE_HAD = 3;

test('Node 24 has the roots of this Node over the bundled chain', ({ skip }) => {
  const script = ['scripts/other-nodes.mjs', '--nodes', '24', '--chains', '0', '--policy', 'cpu', '--json'];
  const run = spawnSync(process.execPath, script, { cwd: ROOT, encoding: 'utf8' });
  if (run.status === NOT_TO_BE_HAD) skip(run.stderr.trim());
  expect(run.status, run.stderr).toBe(0);
  const { same, runs } = JSON.parse(run.stdout);
  expect(same).toBe(true);
  expect(runs[1]).toMatchObject({ node: expect.stringMatching(/^24\./), digest: runs[0].digest, unloadable: [] });
  expect(runs[1].blocks).toBeGreaterThan(100);
});
