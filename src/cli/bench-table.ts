/** Tables of figures. */
import type { Spread } from '../selftest/bench/spread.js';

export type Columns<Row> = readonly (readonly [title: string, cell: (row: Row) => string])[];

/** The lines of a table; columns whose titles are among `words` are not numbers. */
export function markdown<Row>(columns: Columns<Row>, rows: readonly Row[], words: readonly string[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(([title]) => (words.includes(title) ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  ];
}

export const spread = ({ median, least, most }: Spread): string => `${median} (${least}–${most})`;
