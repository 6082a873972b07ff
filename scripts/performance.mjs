// Makes docs/performance.md from the reports in bench/results/, and takes new ones:
//   node scripts/performance.mjs                  the page from what is there
//   node scripts/performance.mjs --add FILE…      reports of runs take the places of those of their kind and machine
// On a machine whose figures are to be there (with a GPU some ten minutes; `npm run build` before):
//   for bench in load blocks contention threshold; do
//     node dist/cli.js bench $bench --out out --policies sequential,cpu,auto,balance,gpu
//   done
//   node dist/cli.js bench load --out out/paced --policies cpu,auto,balance,gpu --rate 2000
//   node bench/tasks.mjs --json out/tasks.json
//   node scripts/performance.mjs --add out/*.json out/paced/*.json
// `--sizes`, `--rounds` and `--only` make each of them shorter (docs/gpu-executor.md, "Measuring").
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addReport, readReports } from './performance-files.mjs';
import { performancePage } from './performance-page.mjs';

const { values, positionals } = parseArgs({
  options: { add: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (values.add !== positionals.length > 0) throw new Error('node scripts/performance.mjs [--add FILE…]');
for (const path of positionals) console.log(addReport(path));
writeFileSync(new URL('../docs/performance.md', import.meta.url), performancePage(readReports()));
