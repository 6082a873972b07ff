import { concatBytes } from '../util/bytes.js';
import type { ColumnName, Database, Range, Row } from './database.js';

const FIRST_ROWS = 8;
const MOST_ROWS = 256;

/** Rows of a range, few at first: most listings need few. */
export function* rowPortions(database: Database, column: ColumnName, range: Range): Generator<Row, void, void> {
  let rest = range;
  for (let most = FIRST_ROWS; ; most = Math.min(MOST_ROWS, 2 * most)) {
    const rows = [...database.scan(column, { ...rest, limit: most })];
    yield* rows;
    if (rows.length < most) return;
    const last = new Uint8Array(rows[rows.length - 1][0]);
    rest = range.reverse ? { ...range, lt: last } : { ...range, gte: concatBytes(last, Uint8Array.of(0)) };
  }
}
