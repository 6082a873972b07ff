// Rows go through a block program by program, and nothing but the time tells.
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { RowGroups } from '../../src/execute/rows/row-groups.js';
import { targetOf } from '../../src/execute/tasks/grouped.js';
import { transactionsOf } from '../../src/lane/columns/lane-columns.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import { call, makeBlock, makeTx } from '../lane/world.js';

const IDS = ['2:1', '2:2', '4:1'];

/** Calls of three contracts in turns; every fourth row has two messages. */
function inTurns(rounds: number) {
  const txs = Array.from({ length: 3 * rounds }, (_, i) => {
    const message = { pointer: 0, refund: 0, message: call(IDS[i % 3], 4, i) };
    return makeTx({ protostones: i % 4 === 0 ? [message, message] : [message] });
  });
  const { raw } = makeBlock(txs);
  return scanColumns(BlockOffsets.read(raw), { get: () => undefined });
}

describe('transactions by what they call', () => {
  it('name the contract of their first message', () => {
    const transactions = transactionsOf(inTurns(2));
    expect(transactions.map(targetOf)).toEqual([...IDS, ...IDS]);
    expect(targetOf({ index: 0, tx: transactions[0].tx, protostones: [], parents: [] })).toBeUndefined();
  });

  it('run those of one contract after each other, in the order of the block', () => {
    const columns = inTurns(8);
    const rows = Uint32Array.from({ length: columns.count }, (_, row) => row);
    const groups = new RowGroups(columns);
    const order = groups.inOrder(rows);
    expect([...order].sort((a, b) => a - b)).toEqual([...rows]);
    const changes = order.filter((row, i) => i > 0 && groups.of(row) !== groups.of(order[i - 1]));
    expect(changes.length + 1).toBe(6);
    for (let i = 1; i < order.length; i++) {
      if (groups.of(order[i]) === groups.of(order[i - 1])) expect(order[i]).toBeGreaterThan(order[i - 1]);
    }
    expect(new Set([...rows].map((row) => `${row % 3} ${row % 4 === 0} ${groups.of(row)}`)).size).toBe(6);
  });
});
