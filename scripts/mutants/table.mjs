// docs/mutants.md: its table is read and written here; the text around it is written by people.
import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- mutants: this table is written by scripts/mutants.mjs -->';
const END = '<!-- end of the table -->';
const HEAD = ['| mutant | file | what it breaks | killed by |', '| --- | --- | --- | --- |'];

const cell = (text) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The cells of a row; a `|` inside one is escaped. */
const cells = (row) => row.slice(2, -2).split(/(?<!\\) \| /);

/** Rows by mutant: `[id, file, breaks, by]` as they stand in the table. */
export function readTable(path) {
  const text = readFileSync(path, 'utf8');
  const [, table] = text.split(BEGIN);
  if (table === undefined || !table.includes(END)) throw new Error(`${path} has no table of mutants`);
  const rows = table.split(END)[0].trim().split('\n').slice(HEAD.length);
  return new Map(rows.filter((row) => row !== '').map((row) => [cells(row)[0], cells(row)]));
}

/** The first three cells of a mutant's row. */
export function rowOf({ id, file, breaks }) {
  return [`\`${id}\``, `\`${file.replace(/^src\//, '')}\``, cell(breaks)];
}

/** Writes the rows of all `mutants`, with what killed each: the new results, else what stood there. */
export function writeTable(path, mutants, results) {
  const text = readFileSync(path, 'utf8');
  const before = readTable(path);
  const rows = mutants.map((mutant) => {
    const row = rowOf(mutant);
    const by = results.get(mutant.id) ?? before.get(row[0])?.[3] ?? 'not run yet';
    return `| ${[...row, results.has(mutant.id) ? cell(by) : by].join(' | ')} |`;
  });
  const [head, rest] = text.split(BEGIN);
  writeFileSync(path, `${head}${BEGIN}\n${[...HEAD, ...rows].join('\n')}\n${END}${rest.split(END)[1]}`);
}
