import { expect, test } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { ChangingChain } from '../../src/testing/chains/changing-chain.js';
import { differingRows } from '../../src/testing/chains/database-rows.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { CHAIN } from '../helpers/cli.js';

const TO = 130;
const KEEP = 24;

test('a changing chain has valid blocks only, forks within the undo data at every depth, and reaches its end', () => {
  const trunk = [...openSource(CHAIN).blocks(0, TO)].map(({ height, raw }) => ({
    height,
    raw,
    hash: BlockOffsets.read(raw).hash,
  }));
  const chain = new ChangingChain({ seed: 'test', trunk, start: 104, first: 90, keepUndo: KEEP });
  const valid = new Set(trunk.map(({ hash }) => toDisplayHash(hash)));
  let highest = 104;
  let dead = 0;
  let deadTransactions = 0;
  let ends = 0;
  const depths = new Set<number>();
  for (let n = 0; n < 150; n++) {
    const before = chain.best;
    chain.move(n % 4 === 0);
    const { best } = chain;
    const fork = best.findIndex((block, at) => before[at] !== block) - 1;
    const undone = fork < 0 ? 0 : before.length - 1 - fork;
    if (n % 4 === 0) expect(undone).toBeGreaterThan(0);
    if (undone > 0) depths.add(undone);
    if (undone > 0) expect(fork).toBeGreaterThanOrEqual(highest - KEEP);
    highest = Math.max(highest, best.length - 1);
    for (const [height, block] of best.entries()) {
      expect(block.height).toBe(height);
      const name = toDisplayHash(block.hash);
      expect(chain.heightOf(name)).toBe(height);
      if (valid.has(name)) continue;
      const offsets = BlockOffsets.read(block.raw);
      verifyBlock(offsets, { previousHash: best[height - 1].hash });
      expect(offsets.hash).toEqual(block.hash);
      valid.add(name);
      dead++;
      deadTransactions += offsets.count - 1;
    }
    if (best.at(-1) === trunk[TO]) ends++;
  }
  expect(dead).toBeGreaterThan(100);
  expect(deadTransactions).toBeGreaterThan(dead);
  expect(depths.size).toBeGreaterThan(10);
  expect(Math.max(...depths)).toBeGreaterThanOrEqual(20);
  expect(ends).toBeGreaterThan(1);
  chain.end();
  expect(chain.best).toEqual(trunk);
});

test('a row that differs, is missing or too much is found; undo data may be missing at the lower end alone', () => {
  const fresh = new Map([
    ['latest 01', 'a'],
    ['undo 00000005', 'a'],
    ['undo 00000006', 'b'],
    ['undo 00000007', 'c'],
  ]);
  const without = (...names: string[]) => new Map([...fresh].filter(([name]) => !names.includes(name)));
  expect(differingRows(fresh, fresh)).toEqual([]);
  expect(differingRows(without('undo 00000005'), fresh)).toEqual([]);
  expect(differingRows(without('undo 00000006'), fresh)).toEqual(['undo 00000006']);
  expect(differingRows(without('latest 01'), fresh)).toEqual(['latest 01']);
  expect(differingRows(new Map([...fresh, ['latest 02', 'a']]), fresh)).toEqual(['latest 02']);
  expect(differingRows(new Map([...fresh, ['undo 00000004', 'a']]), fresh)).toEqual(['undo 00000004']);
  expect(differingRows(new Map([...fresh, ['undo 00000007', 'd']]), fresh)).toEqual(['undo 00000007']);
});
