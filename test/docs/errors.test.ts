import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CODE_CLASSES } from '../../src/errors/codes/registry.js';
import { ROOT } from '../helpers/cli.js';

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.ts') ? [path] : [];
  });
}

const registered = CODE_CLASSES.flatMap(({ codes }) => Object.keys(codes));
const families = [...new Set(registered.filter((code) => code.includes('_')).map((code) => code.split('_')[0]))];
/** Codes are written as literals. */
const CODE = new RegExp(`'((?:${families.join('|')})_[A-Z0-9_]+|INTERNAL|CONTRADICTION)'`, 'g');
/** Codes that the shared parser makes of what it reads and an ending. */
const COMPOSED = ['BLOCK', 'TX'].flatMap((subject) => [`${subject}_TRUNCATED`, `${subject}_MALFORMED`]);

test('every registered error code is used, every one used is registered, and none belongs to two classes', () => {
  const used = new Set(
    sources(join(ROOT, 'src'))
      .filter((path) => !path.includes('errors/codes'))
      .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(CODE)].map((m) => m[1])),
  );
  for (const code of COMPOSED) used.add(code);
  expect(registered.length).toBeGreaterThan(150);
  expect([...registered].sort()).toEqual([...used].sort());
});

test('docs/errors.md has a row for every code, and no text breaks it', () => {
  const page = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
  for (const code of registered) expect(page).toContain(`| \`${code}\` |`);
  for (const [, texts] of CODE_CLASSES.flatMap(({ codes }) => Object.entries(codes))) {
    expect(texts.slice(0, 2).join('')).not.toMatch(/[|\n]/);
  }
});
