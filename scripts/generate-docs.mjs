/** Writes the tables of docs/ that are made from the sources, after `npm run build`. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as codes from '../dist/errors/codes/registry.js';
import * as env from '../dist/program/env.js';
import * as prices from '../dist/program/prices.js';
import * as option from '../dist/service/option.js';
import * as options from '../dist/service/options.js';
import * as rockshrew from '../dist/service/rockshrew-flags.js';
import { docsTables, withTable } from './docs-tables.mjs';

for (const [path, name, text] of docsTables({ ...codes, ...env, ...prices, ...option, ...options, ...rockshrew })) {
  const file = new URL(`../${path}`, import.meta.url);
  const page = readFileSync(file, 'utf8');
  const now = withTable(page, name, text);
  if (now === page) continue;
  writeFileSync(file, now);
  console.log(`${path}: ${name}`);
}
