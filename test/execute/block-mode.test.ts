import { describe, expect, it } from 'vitest';
import { type BlockMode, BlockModes } from '../../src/execute/choose/block-mode.js';
import type { LaneTransaction } from '../../src/lane/scan.js';
import type { Protostone } from '../../src/protocol/types.js';

/** `count` transactions with a message to contract 2:`contract`; only what names the message matters here. */
function block(count: number, contract: number): LaneTransaction[] {
  const message = Uint8Array.of(8, 8, 2, contract, 1, 7, 9);
  return Array.from({ length: count }, (_, index) => ({
    index,
    parents: [],
    protostones: [{ message } as unknown as Protostone],
    tx: { txid: new Uint8Array(32), raw: new Uint8Array(0), inputs: [], outputs: [] },
  }));
}

/** Runs blocks of `transactions`, each transaction taking so many microseconds either way; what was chosen. */
function runs(
  modes: BlockModes,
  transactions: readonly LaneTransaction[],
  blocks: number,
  us: Record<BlockMode, number>,
): BlockMode[] {
  return Array.from({ length: blocks }, () => {
    const mode = modes.choose(transactions);
    modes.took(transactions, mode, (us[mode] * transactions.length) / 1000);
    return mode;
  });
}

describe('how auto runs a block', () => {
  it('tries both ways, then stays with the faster one, for each contract by itself', () => {
    const modes = new BlockModes();
    const light = runs(modes, block(1_000, 1), 20, { parallel: 40, sequential: 20 });
    const heavy = runs(modes, block(1_000, 2), 20, { parallel: 40, sequential: 90 });
    expect(new Set(light.slice(0, 6))).toEqual(new Set(['parallel', 'sequential']));
    expect(new Set(light.slice(6))).toEqual(new Set(['sequential']));
    expect(new Set(heavy.slice(6))).toEqual(new Set(['parallel']));
  });

  it('knows small blocks from large ones', () => {
    const modes = new BlockModes();
    runs(modes, block(1_000, 1), 6, { parallel: 40, sequential: 90 });
    runs(modes, block(10, 1), 6, { parallel: 140, sequential: 90 });
    expect(modes.choose(block(1_000, 1))).toBe('parallel');
    expect(modes.choose(block(10, 1))).toBe('sequential');
  });

  it('is not put off by first runs that start threads and compile code', () => {
    const modes = new BlockModes();
    const transactions = block(500, 1);
    modes.took(transactions, 'parallel', 9_000);
    runs(modes, transactions, 5, { parallel: 30, sequential: 60 });
    expect(modes.choose(transactions)).toBe('parallel');
  });

  it('tries the slower way again some day, and changes its mind', () => {
    const modes = new BlockModes();
    const transactions = block(500, 1);
    runs(modes, transactions, 6, { parallel: 60, sequential: 30 });
    const later = runs(modes, transactions, 3_000, { parallel: 10, sequential: 30 });
    expect(later.filter((mode) => mode === 'sequential').length).toBeGreaterThan(250);
    expect(later.at(-1)).toBe('parallel');
    const stays = runs(new BlockModes(), transactions, 3_000, { parallel: 60, sequential: 30 });
    expect(stays.filter((mode) => mode === 'parallel').length).toBeLessThan(20);
  });

  it('takes blocks without messages, and thousands of kinds', () => {
    const modes = new BlockModes();
    expect(modes.choose([])).toBe('sequential');
    modes.took([], 'sequential', 1);
    const bare = block(100, 1).map((transaction) => ({ ...transaction, protostones: [] }));
    runs(modes, bare, 6, { parallel: 10, sequential: 30 });
    expect(modes.choose(bare)).toBe('parallel');
    for (let n = 0; n < 3_000; n++) runs(modes, block(1, n & 0xff), 1, { parallel: 1, sequential: 2 });
  });
});
