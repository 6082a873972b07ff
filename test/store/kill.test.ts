import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';

/** The JSON that a bench of kills gives. */
async function bench(name: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bench', name), ...args, '--json']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('kills amid commits and rollbacks leave a whole store and the rows of an undisturbed run', async () => {
  const report = await bench('kill-store.mjs', '--kills', '10', '--small', '--index', 'addresses');
  expect(report).toMatchObject({ kills: 10, violations: 0, same: true });
});

test('so do kills of all threads that write large blocks', async () => {
  const report = await bench('kill-store.mjs', '--kills', '2', '--wide', '--seed', '4');
  expect(report).toMatchObject({ kills: 2, violations: 0, same: true });
});

test('so does a disk that is full amid any write, and the error that ends the process says so', async () => {
  const report = await bench('kill-store.mjs', '--kills', '7', '--small', '--full');
  expect(report).toMatchObject({ kills: 7, violations: 0, same: true });
  // The others cannot even open it.
  expect((report.ends as Record<string, number>).STORE_WRITE_FAILED).toBeGreaterThan(1);
});

test('kills of an index beside a node whose chain reorganises do, too', async () => {
  const report = await bench('kill.mjs', '--kills', '8', '--from', '106', '--to', '122', '--index', 'addresses');
  expect(report).toMatchObject({ kills: 8, violations: 0, strayTips: 0, same: true });
  // The fourth waits for the index to undo blocks; the eighth comes while it opens.
  expect(report.undoing).toBeGreaterThanOrEqual(1);
});
