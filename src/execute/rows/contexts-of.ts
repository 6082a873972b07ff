import { isCommon, type LaneColumns } from '../../lane/columns/lane-columns.js';

/** Where the contexts of `rows`, ascending, lie in those of the columns, with what lies between; equal: nowhere. */
export function contextsOf(columns: LaneColumns, rows: Uint32Array): [start: number, end: number] {
  const { contextStart, contextEnd } = columns;
  const first = rows.find((row) => isCommon(columns, row));
  const last = rows.findLast((row) => isCommon(columns, row));
  return first === undefined || last === undefined ? [0, 0] : [contextStart[first], contextEnd[last]];
}
