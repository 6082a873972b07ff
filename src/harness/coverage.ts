/** Which lines of contracts the tests have run: as text for people, and as lcov for editors and services. */
import type { CoverSite } from './cover-source.js';

/** A file with its lines. */
export interface FileCoverage {
  readonly file: string;
  /** By line that a statement begins on: how often its first one ran, and whether all of them ran. */
  readonly lines: ReadonlyMap<number, { readonly hits: number; readonly isWhole: boolean }>;
  readonly functions: readonly { readonly name: string; readonly line: number; readonly hits: number }[];
}

/** `hits`: by number of the site. Files and lines ascend. */
export function coverageOf(sites: readonly CoverSite[], hits: ReadonlyMap<number, number>): FileCoverage[] {
  const files = [...new Set(sites.map(({ file }) => file))].sort();
  return files.map((file) => {
    const own = sites.map((site, at) => ({ ...site, hits: hits.get(at) ?? 0 })).filter((site) => site.file === file);
    const lines = new Map<number, { hits: number; isWhole: boolean }>();
    for (const { line, name, hits: count } of own.sort((a, b) => a.line - b.line)) {
      if (name !== undefined) continue;
      const known = lines.get(line);
      if (known === undefined) lines.set(line, { hits: count, isWhole: count > 0 });
      else known.isWhole &&= count > 0;
    }
    const functions = own.flatMap(({ name, line, hits: count }) =>
      name === undefined ? [] : [{ name, line, hits: count }],
    );
    return { file, lines, functions };
  });
}

/** A table: the share of lines and functions that ran, and the lines that did not; `~`: a part of the line did. */
export function coverageText(files: readonly FileCoverage[]): string {
  const rows = files.map(({ file, lines, functions }) => {
    const missed = [...lines].filter(([, { isWhole }]) => !isWhole);
    const names = missed.map(([line, { hits }]) => ({ line, isPart: hits > 0 }));
    return [
      file,
      percent([...lines.values()].filter(({ hits }) => hits > 0).length, lines.size),
      percent(functions.filter(({ hits }) => hits > 0).length, functions.length),
      ranges(names, [...lines.keys()]),
    ];
  });
  const table = [['file', 'lines', 'functions', 'lines that did not run'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The format of geninfo. `folder`: what paths begin with. */
export function lcovText(files: readonly FileCoverage[], folder: string): string {
  return files
    .map(({ file, lines, functions }) =>
      [
        'TN:',
        `SF:${folder}/${file}`,
        ...functions.map(({ name, line }) => `FN:${line},${name}`),
        ...functions.map(({ name, hits }) => `FNDA:${hits},${name}`),
        `FNF:${functions.length}`,
        `FNH:${functions.filter(({ hits }) => hits > 0).length}`,
        ...[...lines].map(([line, { hits }]) => `DA:${line},${hits}`),
        `LF:${lines.size}`,
        `LH:${[...lines.values()].filter(({ hits }) => hits > 0).length}`,
        'end_of_record\n',
      ].join('\n'),
    )
    .join('');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${Math.floor((100 * part) / whole)} %`;
}

/** `3-5, 8, ~9`: lines that follow each other among `all` are one range. */
function ranges(
  missed: readonly { readonly line: number; readonly isPart: boolean }[],
  all: readonly number[],
): string {
  const out: { first: number; last: number; isPart: boolean }[] = [];
  for (const { line, isPart } of missed) {
    const open = out.at(-1);
    const follows = open !== undefined && all[all.indexOf(open.last) + 1] === line && !open.isPart && !isPart;
    if (follows) open.last = line;
    else out.push({ first: line, last: line, isPart });
  }
  return out
    .map(({ first, last, isPart }) => `${isPart ? '~' : ''}${first}${last > first ? `-${last}` : ''}`)
    .join(', ');
}
