import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';

/** Content of what an export wrote. */
const manifest = (folder: string): string => readFileSync(join(folder, 'manifest.json'), 'utf8');

test('export is killed and goes on, as its report says, with the files of an undisturbed run', async () => {
  const folder = temporaryFolder();
  const db = join(folder, 'db');
  const replayed = await cli('replay', CHAIN, '--db', db, '--to', '60', '--policy', 'sequential');
  expect(replayed.status).toBe(0);
  const args = (to: string): string[] => ['export', '--db', db, '--to', join(folder, to), '--blocks-per-file', '20'];
  const whole = await cli(...args('whole'), '--json');
  expect(lastLine(whole)).toMatchObject({ from: 0, to: 60, format: 'parquet', parts: 4, written: 4, undone: 0 });

  const { child, done } = startCli(args('cut'));
  const begun = join(folder, 'cut', 'manifest.json');
  await expect.poll(() => existsSync(begun) && readFileSync(begun, 'utf8').includes('"hash"')).toBe(true);
  child.kill('SIGKILL');
  await done;
  const again = await cli(...args('cut'));
  expect(again.stdout).toContain('blocks 0 to 60, 4 files a table (parquet)');
  expect(manifest(join(folder, 'cut'))).toBe(manifest(join(folder, 'whole')));

  rmSync(join(folder, 'cut', 'export.lock'), { force: true });
  const other = await cli(...args('cut'), '--format', 'csv');
  expect(other.status).toBe(2);
  expect(other.stderr).toContain('USAGE_EXPORT');
  expect((await cli('export', '--db', db, '--to', folder, '--format', 'xml')).status).toBe(2);
});
