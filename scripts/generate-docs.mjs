/** Writes the parts of docs/ that are made from the sources, and the client's types, after `npm run build`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as codes from '../dist/errors/codes/registry.js';
import * as env from '../dist/program/env.js';
import * as prices from '../dist/program/prices.js';
import { openRpcDocument } from '../dist/rpc/openrpc/document.js';
import * as option from '../dist/service/option.js';
import * as options from '../dist/service/options.js';
import * as rockshrew from '../dist/service/rockshrew-flags.js';
import { VERSION } from '../dist/util/version.js';
import { clientSources } from './client-source.mjs';
import { docsTables, withTable } from './docs-tables.mjs';
import { readReports } from './performance-files.mjs';
import { performancePage } from './performance-page.mjs';

function write(path, text) {
  const file = new URL(`../${path}`, import.meta.url);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(file, text);
  console.log(path);
}

for (const [path, name, text] of docsTables({ ...codes, ...env, ...prices, ...option, ...options, ...rockshrew })) {
  const file = new URL(`../${path}`, import.meta.url);
  const page = readFileSync(file, 'utf8');
  const now = withTable(page, name, text);
  if (now === page) continue;
  writeFileSync(file, now);
  console.log(`${path}: ${name}`);
}

const document = openRpcDocument(VERSION);
write('docs/openrpc.json', `${JSON.stringify(document, null, 1)}\n`);
for (const [path, text] of Object.entries(clientSources(document))) write(path, text);
write('docs/performance.md', performancePage(readReports()));
