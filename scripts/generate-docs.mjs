/** Writes the tables of docs/ that are made from the sources, after `npm run build`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { CODE_CLASSES, EXIT } from '../dist/errors/codes/registry.js';
import { errorTables, withTable } from './docs-tables.mjs';

/** Page, name of the table, its text. */
const TABLES = [['docs/errors.md', 'error codes', errorTables(CODE_CLASSES, EXIT)]];

for (const [path, name, text] of TABLES) {
  const file = new URL(`../${path}`, import.meta.url);
  const page = readFileSync(file, 'utf8');
  const now = withTable(page, name, text);
  if (now === page) continue;
  writeFileSync(file, now);
  console.log(`${path}: ${name}`);
}
