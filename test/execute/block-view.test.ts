// What `auto` learns of a block before it runs: from columns, without an object for each transaction.
import { expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { ContractPrograms, kindOf, type LaneRows, LaneView } from '../../src/execute/choose/block-view.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import type { LaneTransaction } from '../../src/lane/scan.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { builtProgram, call, makeBlock, makeTx, World } from '../lane/world.js';
import { message } from './engines.js';

it('a block is looked at in its columns: kinds by program and by who runs them, no object per transaction', () => {
  const world = new World();
  const mint = world.deploy(builtProgram('mint'), 0, 1_000, 7);
  const probe = world.deploy();
  // Of eight transactions four mint, two count, one counts behind edicts, one only moves assets.
  const edicts = { pointer: 0, refund: 0, edicts: [{ id: { block: 2n, tx: 9n }, amount: 1n, output: 0n }] };
  const txs = Array.from({ length: 8 * 256 }, (_, i) => {
    if (i % 8 < 4) return message(call(mint, 77));
    if (i % 8 < 6) return message(call(probe, 4, i));
    if (i % 8 === 6) return makeTx({ protostones: [edicts, { pointer: 0, refund: 0, message: call(probe, 4, i) }] });
    return makeTx({ protostones: [edicts] });
  });
  const before = { get: (key: string) => world.state.get(key) };
  const columns = scanColumns(BlockOffsets.read(makeBlock(txs).raw), before);
  const lane: LaneRows = {
    columns,
    count: columns.count,
    get transactions(): LaneTransaction[] {
      throw new Error('the transactions of the block were made');
    },
  };
  const { parts } = new LaneView(lane, before, new ContractPrograms());
  const hashOf = (name: 'mint' | 'probe') => prepareProgram(builtProgram(name)).hash;
  expect(new Set(parts.keys())).toEqual(
    new Set([hashOf('mint'), hashOf('probe'), kindOf(hashOf('probe'), false), kindOf(undefined, false)]),
  );
  expect([...parts.values()].reduce((sum, rows) => sum + rows)).toBeCloseTo(8 * 256, 6);
  // One in sixteen is looked at: about half of the block is of the first kind.
  expect(parts.get(hashOf('mint'))).toBeGreaterThan(256 * 2);
});
