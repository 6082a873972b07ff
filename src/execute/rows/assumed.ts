import type { KeyAccesses } from '../predict/steps.js';
import { NO_CALL, type RowCalls } from './row-calls.js';

/** The accesses of a key with those that are assumed. */
interface Assumed {
  readonly accesses: KeyAccesses;
  /** By row that was dry-run: its access. */
  readonly places: Uint32Array;
}

/**
 * `accesses` of `rows` (ascending) to a key, with what the rows of `calls` that were not dry-run are assumed to do to
 * it: the step of the last row before each that makes the same call, or else of the first. That is assumed of calls of
 * which at least half of the dry runs touch the key, and not of more rows than these dry runs.
 */
export function assumeChildren(rows: Uint32Array, accesses: KeyAccesses, calls: RowCalls | undefined): Assumed {
  const own = Uint32Array.from(rows.keys());
  if (calls === undefined) return { accesses, places: own };
  const firsts = firstsOf(rows, calls);
  const children = [...firsts.keys()].flatMap((call) => calls.children(call)).sort((a, b) => a - b);
  if (children.length === 0) return { accesses, places: own };
  const places = new Uint32Array(rows.length);
  // What stands at each access: the place of a row, or of the one whose step is assumed.
  const sources = new Uint32Array(rows.length + children.length);
  const isAssumed = new Uint8Array(sources.length);
  let [access, child] = [0, 0];
  const assumeBefore = (row: number): void => {
    for (; child < children.length && children[child] < row; child++) {
      isAssumed[access] = 1;
      sources[access++] = firsts.get(calls.callOf(children[child])) ?? 0;
    }
  };
  for (let i = 0; i < rows.length; i++) {
    assumeBefore(rows[i]);
    const call = calls.callOf(rows[i]);
    if (firsts.has(call)) firsts.set(call, i);
    places[i] = access;
    sources[access++] = i;
  }
  assumeBefore(Number.POSITIVE_INFINITY);
  const { isRead, isWrite, starts, ends } = accesses;
  const assumed: KeyAccesses = {
    ...accesses,
    isRead: Uint8Array.from(sources, (i) => isRead[i]),
    isWrite: Uint8Array.from(sources, (i) => isWrite[i]),
    starts: Uint32Array.from(sources, (i) => starts[i]),
    ends: Uint32Array.from(sources, (i) => ends[i]),
    isAssumed,
  };
  return { accesses: assumed, places };
}

/** By call that something is assumed of: the place of the first of `rows` that makes it. */
function firstsOf(rows: Uint32Array, calls: RowCalls): Map<number, number> {
  const counts = new Map<number, number>();
  const firsts = new Map<number, number>();
  for (let i = 0; i < rows.length; i++) {
    const call = calls.callOf(rows[i]);
    if (call === NO_CALL) continue;
    counts.set(call, (counts.get(call) ?? 0) + 1);
    if (!firsts.has(call)) firsts.set(call, i);
  }
  for (const [call, count] of counts) {
    if (2 * count < calls.callers(call) || calls.children(call).length > count) firsts.delete(call);
  }
  return firsts;
}
