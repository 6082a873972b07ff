import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { whole } from '../data/format.js';

export interface Column<T> {
  readonly name: string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  readonly cell: (row: T) => ComponentChildren;
  /** What rows are sorted by; without it the column cannot be sorted. */
  readonly by?: (row: T) => number | string;
}

interface TableProps<T> {
  /** What it lists, for those who do not see it. */
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string | number;
  /** Shown instead of no rows. */
  readonly empty?: string;
  readonly isMarked?: (row: T) => boolean;
  /** Rows that are drawn at once. */
  readonly most?: number;
}

const ROWS = 100;

interface Order {
  readonly column: number;
  readonly isDown: boolean;
}

/** A table whose columns can be sorted, 100 rows at a time if no other number is given. */
export function Table<T>({ label, rows, columns, keyOf, empty, isMarked, most = ROWS }: TableProps<T>): JSX.Element {
  const [order, setOrder] = useState<Order>();
  const [from, setFrom] = useState(0);
  if (rows.length === 0) return <p class="empty">{empty ?? 'Nothing to list.'}</p>;
  const sorted = order === undefined ? rows : sort(rows, columns[order.column], order.isDown);
  const first = from < sorted.length ? from : 0;
  const shown = sorted.slice(first, first + most);
  const sortBy = (column: number): void => {
    setFrom(0);
    setOrder((before) => (before?.column === column ? { column, isDown: !before.isDown } : { column, isDown: false }));
  };
  const sortOf = (column: number): 'ascending' | 'descending' | undefined =>
    order?.column === column ? (order.isDown ? 'descending' : 'ascending') : undefined;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="scroll" aria-label={label} tabIndex={0}>
        <table>
          <caption class="unseen">{label}</caption>
          <thead>
            <tr>
              {columns.map(({ name, isNumber, by }, column) => (
                <th key={name} scope="col" class={isNumber ? 'number' : undefined} aria-sort={sortOf(column)}>
                  {by === undefined ? (
                    name
                  ) : (
                    <button type="button" class="sort" onClick={() => sortBy(column)}>
                      {name}
                      <span aria-hidden="true">
                        {{ ascending: ' ↑', descending: ' ↓', none: '' }[sortOf(column) ?? 'none']}
                      </span>
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)} class={isMarked?.(row) ? 'marked' : undefined}>
                {columns.map(({ name, isNumber, cell }) => (
                  <td key={name} class={isNumber ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {sorted.length > most && (
        <nav class="pager" aria-label={`Pages of ${label}`}>
          <button type="button" disabled={first === 0} onClick={() => setFrom(first - most)}>
            Previous
          </button>
          <span>
            {whole(first + 1)} to {whole(Math.min(first + most, sorted.length))} of {whole(sorted.length)}
          </span>
          <button type="button" disabled={first + most >= sorted.length} onClick={() => setFrom(first + most)}>
            Next
          </button>
        </nav>
      )}
    </>
  );
}

function sort<T>(rows: readonly T[], { by }: Column<T>, isDown: boolean): readonly T[] {
  if (by === undefined) return rows;
  const sign = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return left === right ? 0 : left < right ? -sign : sign;
  });
}
