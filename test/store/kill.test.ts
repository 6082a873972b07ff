import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';

test('fifty kills at random moments of commits and rollbacks leave a whole store and the rows of an undisturbed run', async () => {
  const args = [join(ROOT, 'bench', 'kill.mjs'), '--kills', '50', '--small', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toMatchObject({ kills: 50, violations: 0, same: true });
}, 600_000);
