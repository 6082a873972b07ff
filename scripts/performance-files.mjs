/** The reports in bench/results, from which docs/performance.md is made. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportFile, slimmed, withoutTasks } from './performance-page.mjs';

export const RESULTS = fileURLToPath(new URL('../bench/results', import.meta.url));

/** The reports by name of their file, in the order of the names. */
export function readReports(folder = RESULTS) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))]);
}

/**
 * Puts the report in the file `path` in the place of the one of its kind and machine; gives the name of its file. One
 * of some tasks takes their place alone.
 */
export function addReport(path, folder = RESULTS) {
  const report = slimmed(JSON.parse(readFileSync(path, 'utf8')));
  mkdirSync(folder, { recursive: true });
  const write = (one) => {
    const name = reportFile(one);
    writeFileSync(join(folder, name), `${JSON.stringify(one, undefined, 1)}\n`);
    return name;
  };
  for (const [name, other] of readReports(folder)) {
    const rest = withoutTasks(other, report);
    if (rest === undefined) continue;
    rmSync(join(folder, name));
    if (rest.rows.length > 0) write(rest);
  }
  return write(report);
}
