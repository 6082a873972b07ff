// Mutation run: changes one small thing of the sources at a time and runs the quick tests that concern it.
//   node scripts/mutants.mjs                  all mutants (build first); survivors end it with status 1
//   node scripts/mutants.mjs --only PATTERN   those whose name or file contains PATTERN (a regular expression)
//   node scripts/mutants.mjs --check          only whether the list fits the sources and the table in docs/mutants.md
//   --docs FILE, --root FOLDER                another table, another project: for the tests of --check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkSources, checkTable } from './mutants/check.mjs';
import { MUTANTS } from './mutants/list.mjs';
import { ProjectCopy } from './mutants/project.mjs';
import { endTests, runTests } from './mutants/run-tests.mjs';
import { writeTable } from './mutants/table.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    check: { type: 'boolean', default: false },
    docs: { type: 'string' },
    root: { type: 'string' },
  },
});
const root = values.root ?? fileURLToPath(new URL('..', import.meta.url));
const docs = values.docs ?? join(root, 'docs/mutants.md');

function fail(lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}

if (values.check) {
  const complaints = [...checkSources(root, MUTANTS), ...checkTable(docs, MUTANTS)];
  if (complaints.length > 0) fail(complaints);
  console.log(`${MUTANTS.length} mutants fit the sources and the table`);
  process.exit(0);
}
const pattern = new RegExp(values.only ?? '');
const chosen = MUTANTS.filter(({ id, file }) => pattern.test(id) || pattern.test(file));
if (chosen.length === 0) fail([`no mutant matches ${values.only}`]);
const stale = checkSources(root, chosen);
if (stale.length > 0) fail(stale);

const copy = new ProjectCopy(root);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    endTests();
    process.exit(130);
  });
}
process.on('exit', () => copy.remove());

const results = new Map();
const survivors = [];
const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
console.log(`${chosen.length} mutants over ${tests.length} test files`);
// A test that fails without a mutant would kill all of them.
const clean = await runTests(copy.folder, tests);
if (!clean.passed) fail([`without a mutant a test fails: ${clean.by}`]);
for (const mutant of chosen) {
  const started = performance.now();
  const restore = await copy.apply(mutant);
  const { passed, by } = await runTests(copy.folder, mutant.tests);
  restore();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (passed) survivors.push(mutant);
  results.set(mutant.id, passed ? `**survives**${mutant.why ? `: ${mutant.why}` : ''}` : by);
  console.log(`${passed ? 'SURVIVES' : 'killed  '} ${seconds.padStart(6)} s  ${mutant.id}  ${by ?? ''}`);
  writeTable(docs, MUTANTS, results);
}
const open = survivors.filter(({ why }) => why === undefined);
console.log(`${chosen.length - survivors.length} killed, ${survivors.length} survive`);
for (const { id } of open)
  console.error(`${id} survives: a test is missing, or the mutant is equivalent and must say why`);
process.exitCode = open.length > 0 ? 1 : 0;
