import type { BuildReport } from './check-build.js';

const HEAD = ['build', 'bytes', 'admitted', 'prepare ms', 'compile ms', 'calls', 'OK', 'longest ms', 'kernel'];

/** A line per build; numbers to the right. */
export function tableOf(reports: readonly BuildReport[]): string {
  return aligned([HEAD, ...reports.map(row)]);
}

function row(report: BuildReport): string[] {
  const { name, bytes, refused, prepareMs, compileMs, calls, untranslated } = report;
  const head = [name, String(bytes)];
  if (refused !== undefined) return [...head, `no: ${refused}`];
  const internal = calls.filter(({ status }) => status === 'INTERNAL').length;
  return [
    ...head,
    'yes',
    prepareMs.toFixed(1),
    compileMs.toFixed(1),
    internal > 0 ? `${calls.length} (${internal} INTERNAL)` : String(calls.length),
    String(calls.filter(({ status }) => status === 'OK').length),
    Math.max(0, ...calls.map(({ ms }) => ms)).toFixed(1),
    untranslated === undefined ? 'yes' : `no: ${untranslated}`,
  ];
}

/** Rows as text columns; a row may be shorter than the others. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) =>
    Math.max(...rows.filter((cells) => cells.length > column + 1).map((cells) => cells[column].length), 0),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return rows.map(line).join('\n');
}
