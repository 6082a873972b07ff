import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docsTables, withTable } from '../../scripts/docs-tables.mjs';
import * as codes from '../../src/errors/codes/registry.js';
import * as env from '../../src/program/env.js';
import * as prices from '../../src/program/prices.js';
import * as option from '../../src/service/option.js';
import * as options from '../../src/service/options.js';
import * as rockshrew from '../../src/service/rockshrew-flags.js';
import { ROOT } from '../helpers/cli.js';

const sources = { ...codes, ...env, ...prices, ...option, ...options, ...rockshrew };
const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('docs/', () => {
  it('the generated tables are what the sources say (if not: npm run build && node scripts/generate-docs.mjs)', () => {
    const tables = docsTables(sources);
    for (const [path, name, text] of tables) expect(withTable(page(path), name, text), name).toBe(page(path));
    const marked = [...new Set(tables.map(([path]) => path))].map(
      (path) => page(path).split('<!-- generated: ').length - 1,
    );
    expect(marked.reduce((sum, count) => sum + count)).toBe(tables.length);
  });

  it('a price without words for its table is refused, not left out', () => {
    const bulk = { ...prices.BULK, tableDrop: 7 } as typeof prices.BULK;
    expect(() => docsTables({ ...sources, BULK: bulk })).toThrow('no words for BULK.tableDrop');
  });
});
