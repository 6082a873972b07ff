import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CHUNKS, ENTRIES } from '../../scripts/build/bundles.mjs';
import { ROOT } from '../helpers/cli.js';
import { sourceFiles } from '../tidy/sources.js';

const DIST = join(ROOT, 'dist');
const bundles = [
  ...ENTRIES.map((name) => `${name}.js`),
  ...readdirSync(join(DIST, CHUNKS)).map((name) => `${CHUNKS}${name}`),
];

test('whatever file a thread is started with is a bundle', () => {
  const texts = sourceFiles(['src']).filter(({ path }) => !path.startsWith('src/testing/'));
  const started = texts.flatMap(({ text }) => [
    ...[...text.matchAll(/new Worker\(shipped\('([^']+)\.js'\)/g)].map(([, name]) => name),
    ...[...text.matchAll(/^ +file: '([^']+)\.js',$/gm)].map(([, name]) => name),
  ]);
  expect(started.length).toBeGreaterThan(9);
  // Tests of contracts import the one beside it, which must be the same module as that of their thread.
  expect([...started, 'cli/main', 'harness/index'].sort()).toEqual([...ENTRIES].sort());
});

test('a bundle loads packages and chunks, and no module that may be in another bundle, too', () => {
  const loaded = bundles.flatMap((file) => {
    const text = readFileSync(join(DIST, file), 'utf8');
    const relative = [...text.matchAll(/^(?:import|export)?[^\n]*(?:from |import\(|^import )"(\.[^"]+)"/gm)];
    return relative.map(([, path]) => join(dirname(file), path));
  });
  expect(loaded.length).toBeGreaterThan(100);
  expect(loaded.filter((path) => !bundles.includes(path))).toEqual([]);
  expect(loaded.filter((path) => !path.startsWith(CHUNKS))).toEqual([]);
});

test('an error in a bundle has the name of its class, and its place can be found', () => {
  const texts = bundles.map((file) => readFileSync(join(DIST, file), 'utf8'));
  const holders = texts.filter((text) => /^\/\/ src\/errors\/errors\.ts$/m.test(text));
  expect(holders).toHaveLength(1);
  expect(holders[0].includes('__name(this, "StoreError")')).toBe(true);
  expect(texts.filter((text) => text.includes('sourceMappingURL'))).toEqual([]);
});
