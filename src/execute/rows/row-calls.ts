/**
 * Which rows make the same call: of the same contract, with the same first input, which by convention names the method.
 * What such a row did in its dry run is the best guess at what one will do that cannot be dry-run, because it spends
 * outputs of other lane transactions of the block.
 */
import { KeyTable } from '../../lane/columns/key-table.js';
import { isCommon, type LaneColumns, transactionAt } from '../../lane/columns/lane-columns.js';
import type { DependentRule } from '../../lane/policy.js';
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { u128Bytes } from '../../util/bytes.js';
import { calledBy } from '../tasks/grouped.js';
import type { RowRange } from './part-sizes.js';

/** Calls no contract. */
export const NO_CALL = -1;
const INTEGER = 16;
/** Integers of a context before the inputs: contract, caller, output, number of assets. */
const INPUTS_AT = 2 * ID_LENGTH + 2 * INTEGER;
/** A contract and the first input; one without inputs counts as one of 0. */
const CALL = ID_LENGTH + INTEGER;

export class RowCalls {
  /** By row: the number of its call, or {@link NO_CALL}. */
  readonly #callOf: Int32Array;
  /** By call: how many rows were dry-run, and which ones were not, ascending. */
  readonly #callers: number[] = [];
  readonly #children: number[][] = [];

  /**
   * `range`: the rows that are looked at; `dryRun`: those of them that were dry-run, ascending. Takes a few operations
   * per row; uncommon ones are decoded.
   */
  constructor(columns: LaneColumns, { from, to }: RowRange, dryRun: Uint32Array) {
    this.#callOf = new Int32Array(to).fill(NO_CALL);
    const calls = new KeyTable();
    const kept = new Uint8Array(CALL * (to - from));
    let next = 0;
    for (let row = from; row < to; row++) {
      const isDryRun = next < dryRun.length && dryRun[next] === row;
      if (isDryRun) next++;
      const at = CALL * calls.count;
      if (!writeCall(columns, row, kept, at)) continue;
      let call = calls.find(kept, at, at + CALL, kept);
      if (call < 0) call = calls.add(kept, at, at + CALL);
      this.#callOf[row] = call;
      if (call === this.#callers.length) {
        this.#callers.push(0);
        this.#children.push([]);
      }
      if (isDryRun) this.#callers[call]++;
      else this.#children[call].push(row);
    }
  }

  callOf(row: number): number {
    return this.#callOf[row];
  }

  /** Rows that make `call` and were dry-run. */
  callers(call: number): number {
    return this.#callers[call];
  }

  /** Rows that make `call` and were not, ascending. */
  children(call: number): readonly number[] {
    return this.#children[call];
  }
}

/**
 * The calls of rows, made when they are first asked for. `range` and `dryRun` as for {@link RowCalls}; undefined where
 * nothing is to be assumed of the others: there are none, or their messages fail under the rule `reject`.
 */
export function callsOf(
  columns: LaneColumns,
  range: RowRange,
  dryRun: Uint32Array,
  rule: DependentRule,
): (() => RowCalls) | undefined {
  if (rule === 'reject' || dryRun.length === range.to - range.from) return undefined;
  let calls: RowCalls | undefined;
  return () => {
    calls ??= new RowCalls(columns, range, dryRun);
    return calls;
  };
}

/** Writes what `row` calls to `to` at `at`; false if it calls nothing. */
function writeCall(columns: LaneColumns, row: number, to: Uint8Array, at: number): boolean {
  to.fill(0, at, at + CALL);
  if (isCommon(columns, row)) {
    const { contexts, contextStart, contextEnd } = columns;
    const start = contextStart[row];
    to.set(contexts.subarray(start, start + ID_LENGTH), at);
    const input = start + INPUTS_AT;
    if (input < contextEnd[row]) to.set(contexts.subarray(input, input + INTEGER), at + ID_LENGTH);
    return true;
  }
  const inputs = calledBy(transactionAt(columns, row));
  if (inputs === undefined) return false;
  for (let i = 0; i < inputs.length && i < CALL / INTEGER; i++) to.set(u128Bytes(inputs[i]), at + INTEGER * i);
  return true;
}
