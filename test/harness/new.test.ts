import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cli, ROOT, temporaryFolder } from '../helpers/cli.js';

it.each(['token', 'empty', 'amm', 'claim'])('a new project from the template %s passes its tests', async (template) => {
  const folder = join(temporaryFolder(), 'my-token');
  expect(await cli('new', folder, '--template', template)).toMatchObject({ status: 0, stderr: '' });
  const { devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  expect(Object.keys(devDependencies)).toEqual(['assemblyscript', 'esbuild', 'fast-check', 'warpshrew']);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { stdout, stderr, status } = await cli('test', folder, '--no-kernel', '--jobs', '1', '--fuzz', '600');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/\d passed, 0 failed; one by one, in batches/);
  expect(status).toBe(0);
  const contract = { token: 'token', empty: 'counter', amm: 'amm', claim: 'claim' }[template] ?? '';
  const inspected = await cli('inspect', join(folder, 'build', `${contract}.wasm`), '--json');
  const { meta } = JSON.parse(inspected.stdout) as { meta: { json: { contract: string; methods: unknown[] } } };
  expect(meta.json.contract.toLowerCase()).toBe(contract);
  expect(meta.json.methods.length).toBeGreaterThan(1);
});

it('refuses a bad name, a folder with something in it, and what there is not in Rust', async () => {
  const folder = temporaryFolder();
  expect((await cli('new', join(folder, 'Bad Name'))).stderr).toContain('USAGE_NEW_NAME');
  expect((await cli('new', join(folder, 'amm'), '--template', 'amm', '--rust')).stderr).toContain('USAGE_NEW_RUST');
  expect((await cli('new', join(folder, 'a'))).status).toBe(0);
  expect((await cli('new', join(folder, 'a'))).stderr).toContain('USAGE_NEW_FOLDER');
});
