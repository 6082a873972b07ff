import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Codes are written as literals of the families that src/errors.ts names. */
const CODE = /'((?:BLOCK|TX|FIXTURE|WASM|MODULE|STORE|ENV|GPU|USAGE|FILE|RPC|VIEW|NODE)_[A-Z0-9_]+)'/g;

/** Codes that a shared parser builds from its family and an ending. */
const COMPOSED = ['BLOCK_TRUNCATED', 'BLOCK_MALFORMED', 'TX_TRUNCATED', 'TX_MALFORMED'];

test('docs/errors.md lists every error code of the sources, and no other', () => {
  const used = new Set(
    sources(join(ROOT, 'src')).flatMap((path) => [...readFileSync(path, 'utf8').matchAll(CODE)].map((m) => m[1])),
  );
  for (const code of COMPOSED) used.add(code);
  const page = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
  const documented = new Set([...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((m) => m[1]));
  documented.delete('INTERNAL');
  expect([...documented].sort()).toEqual([...used].sort());
});
