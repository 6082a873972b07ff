import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TABLE_NAMES, TABLES } from '../../src/export/tables.js';
import { ROOT } from '../helpers/cli.js';

test('docs/data-out.md lists the columns of every table, in their order, with what they are', () => {
  const sections = readFileSync(join(ROOT, 'docs/data-out.md'), 'utf8').split(/^### /m);
  for (const table of TABLE_NAMES) {
    const section = sections.find((text) => text.startsWith(`\`${table}\``)) ?? '';
    const listed = [...section.matchAll(/^\| `(\w+)` \| (\w+) \|( yes)? \|/gm)];
    expect(listed.map(([, name, kind, nullable]) => ({ name, kind, nullable: nullable !== undefined }))).toEqual(
      TABLES[table].columns,
    );
  }
});
