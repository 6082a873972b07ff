import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';
import { NATS } from './nats-server.js';

test.skipIf(NATS === undefined)(
  'a replica has every row of the index after reorgs and kills of each part',
  async () => {
    const script = join(ROOT, 'bench', 'follower.mjs');
    const args = ['--reorgs', '4', '--from', '106', '--to', '122', '--server', NATS ?? '', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ kills: { index: 1, replica: 1, server: 1 }, differing: 0, same: true });
    expect(report.reorgsOfReplica).toBeGreaterThan(0);
  },
);
