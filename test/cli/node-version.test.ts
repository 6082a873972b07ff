import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tooOld } from '../../src/cli/node-version.js';
import { ROOT, temporaryFolder } from '../helpers/cli.js';

test('versions from that of package.json on are new enough', () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
  const least = engines.node.replace('>=', '');
  for (const version of [`${least}.0`, '20.20.2', '21.0.0', '100.1.0']) expect(tooOld(version)).toBeUndefined();
  for (const version of ['20.10.9', '18.20.8', '16.0.0', '9.99.0']) {
    expect(tooOld(version)).toBe(`warpshrew needs Node.js ${least} or newer: this is ${version}`);
  }
});

test('with an older one every command is one line', () => {
  const preload = join(temporaryFolder(), 'old.cjs');
  const versions = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });";
  writeFileSync(preload, versions);
  for (const args of [['--version'], ['decode', 'abcd']]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['-r', preload, join(ROOT, 'dist', 'cli.js'), ...args],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('warpshrew needs Node.js 20.11 or newer: this is 18.20.8\n');
    expect([status, stdout]).toEqual([5, '']);
  }
  expect(execFileSync(process.execPath, [join(ROOT, 'dist', 'cli.js'), '--version'], { encoding: 'utf8' })).toMatch(
    /^\d/,
  );
});
