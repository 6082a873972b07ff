import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { variableOf } from '../../src/service/option.js';
import { OPTIONS } from '../../src/service/options.js';
import { VERSION } from '../../src/util/version.js';
import { ROOT } from '../helpers/cli.js';
import { idleMetrics } from './idle-metrics.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('Dockerfile and compose.yaml set no variable that is no setting', () => {
  const known = new Set(Object.keys(OPTIONS).map(variableOf));
  for (const path of ['Dockerfile', 'compose.yaml', 'docs/operations.md']) {
    for (const [variable] of read(path).matchAll(/WARPSHREW_[A-Z_]*[A-Z]/g)) {
      if (!['WARPSHREW_CONFIG', 'WARPSHREW_IMAGE'].includes(variable))
        expect(known, `${path}: ${variable}`).toContain(variable);
    }
  }
});

test('every metric in docs/operations.md is one that is told, and the other way round', async () => {
  const text = await idleMetrics();
  const told = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]));
  const documented = new Set(
    [...read('docs/operations.md').matchAll(/^\| `((?:warpshrew|process)_[a-z0-9_]+)`/gm)].map((m) => m[1]),
  );
  // Node.js and prom-client say what they tell of a process: it is not the same everywhere.
  for (const name of told) if (/^(process|nodejs)_/.test(name) && !documented.has(name)) told.delete(name);
  expect([...documented].sort()).toEqual([...told].sort());
});

test('the version is that of package.json', () => {
  expect(VERSION).toBe((JSON.parse(read('package.json')) as { version: string }).version);
});
