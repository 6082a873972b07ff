import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheFolder } from '../../src/util/cache-folder.js';
import { temporaryFolder } from '../helpers/cli.js';

const NAMES = ['XDG_CACHE_HOME', 'HOME', 'TMPDIR'] as const;
const before = new Map<string, string | undefined>();

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

beforeEach(() => {
  for (const name of NAMES) before.set(name, process.env[name]);
});
afterEach(() => {
  for (const name of NAMES) set(name, before.get(name));
});

test('the cache lies in XDG_CACHE_HOME, or in the home folder where that is missing or no absolute path', () => {
  const folder = temporaryFolder();
  set('XDG_CACHE_HOME', folder);
  expect(cacheFolder()).toBe(join(folder, 'warpshrew'));
  expect(statSync(join(folder, 'warpshrew')).mode & 0o777).toBe(0o700);
  set('HOME', folder);
  for (const missing of [undefined, '', 'relative']) {
    set('XDG_CACHE_HOME', missing);
    expect(cacheFolder()).toBe(join(homedir(), '.cache', 'warpshrew'));
  }
});

test('a cache that cannot be made is a temporary folder; where that fails too, ENV_NO_CACHE is thrown', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  set('XDG_CACHE_HOME', file);
  set('TMPDIR', folder);
  expect(cacheFolder()).toBe(join(folder, `warpshrew-cache-${process.getuid?.() ?? 'user'}`));
  set('TMPDIR', join(file, 'none'));
  expect(() => cacheFolder()).toThrow(expect.objectContaining({ code: 'ENV_NO_CACHE' }));
});

test.skipIf(process.getuid?.() !== 0)('a cache folder that belongs to another user is not used', () => {
  const folder = temporaryFolder();
  set('XDG_CACHE_HOME', folder);
  set('TMPDIR', folder);
  mkdirSync(join(folder, 'warpshrew'));
  chownSync(join(folder, 'warpshrew'), 12345, 12345);
  expect(cacheFolder()).toBe(join(folder, 'warpshrew-cache-0'));
  chownSync(join(folder, 'warpshrew-cache-0'), 12345, 12345);
  expect(() => cacheFolder()).toThrow(expect.objectContaining({ code: 'ENV_NO_CACHE' }));
});
