// What keeps the list from rotting: cheap, so it is part of the test suite.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable, rowOf } from './table.mjs';

/** Complaints about mutants that no longer fit the project: texts that are not found exactly once, missing tests. */
export function checkSources(root, mutants) {
  const complaints = [];
  const ids = new Set();
  for (const mutant of mutants) {
    const { id, file, find, replace, tests } = mutant;
    if (ids.has(id)) complaints.push(`${id}: two mutants have this name`);
    ids.add(id);
    const path = join(root, file);
    const found = existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0;
    if (found !== 1) complaints.push(`${id}: its text stands ${found} times in ${file}, not once: ${find}`);
    if (find === replace) complaints.push(`${id}: it changes nothing`);
    if (tests.length === 0) complaints.push(`${id}: no tests are named`);
    for (const test of tests) if (!existsSync(join(root, test))) complaints.push(`${id}: there is no ${test}`);
  }
  return complaints;
}

/** Complaints about a table that lists other mutants than these, or says nothing of some. */
export function checkTable(docs, mutants) {
  const complaints = [];
  const rows = readTable(docs);
  for (const mutant of mutants) {
    const row = rowOf(mutant);
    const there = rows.get(row[0]);
    if (there === undefined) complaints.push(`${mutant.id}: it has no row in the table`);
    else if (row.some((cell, i) => cell !== there[i])) complaints.push(`${mutant.id}: its row says something else`);
    else if (there[3] === 'not run yet') complaints.push(`${mutant.id}: the table does not say what kills it`);
    rows.delete(row[0]);
  }
  for (const name of rows.keys()) complaints.push(`${name}: the table has it, the list has not`);
  return complaints;
}
