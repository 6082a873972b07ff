import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { conflictText } from '../../src/harness/conflict-text.js';
import { type ConflictReport, conflictReport } from '../../src/harness/conflicts.js';
import { patternOf } from '../../src/harness/key-pattern.js';
import { pairCounts, parallelShare } from '../../src/harness/pairs.js';
import { balanceKey, codeKey, storagePrefix } from '../../src/lane/keys.js';
import { makeWorkload, type WorkloadName } from '../../src/selftest/bench/block-workloads.js';

const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;
const CALLS = 300;
const id = { block: 2n, tx: 1n };

async function reportOf(name: WorkloadName): Promise<ConflictReport> {
  const { raw, state } = makeWorkload(name, CALLS);
  const block = BlockOffsets.read(raw, raw.length);
  return conflictReport(block, { height: 1, block: raw, ...RULES }, { get: (key) => state.get(key) });
}

/** Share of the transactions of the block that ran in the first batch, and whose outcome held. */
async function measured(name: WorkloadName): Promise<number> {
  const { raw, state } = makeWorkload(name, CALLS);
  // Reads are predicted where threads run the rows.
  const engine = new LaneEngine({ policy: 'cpu', workers: 1, modes: ALWAYS_PARALLEL, ...RULES });
  const reader = { get: (key: string) => state.get(key) };
  const { receipts } = await engine.processBlock(BlockOffsets.read(raw, raw.length), 1, { reader, snapshot: state });
  await engine.close();
  return (
    receipts.filter(({ colour, repaired, mispredicted }) => colour === 1 && !repaired && !mispredicted).length / CALLS
  );
}

describe('the report of a block', () => {
  it.each(['claim', 'ledger', 'names', 'amm', 'amm-one-pool', 'mint', 'counter', 'counter-hot'] as const)(
    'of %s expects the share that the engine runs at once, within 5 points',
    async (name) => {
      const { parallel } = await reportOf(name);
      expect(Math.abs(parallel - (await measured(name)))).toBeLessThanOrEqual(0.05);
    },
  );

  it('names the keys by pattern, the one that serialises, and whether it is predicted', async () => {
    const swaps = await reportOf('amm-one-pool');
    const [method] = swaps.methods;
    expect(method).toMatchObject({ target: '2:1', opcode: '3', calls: CALLS, undeclared: 0 });
    expect(method.conflicts).toBeGreaterThan(0.99);
    expect(method.serialises?.pattern).toBe('storage of 2:1: pool/ and 16 bytes');
    const pool = { pattern: 'storage of 2:1: pool/ and 16 bytes', keys: 1 };
    expect(method.keys).toContainEqual(expect.objectContaining(pool));
    expect(method.kernel).toMatchObject({ takes: true });
    expect(conflictText(swaps)).toMatch(/the key of 100 % of its waits: storage of 2:1: .*; it is not predicted/);

    const mints = await reportOf('mint');
    expect(mints.methods[0].waits).toBeLessThan(0.01);
    expect(mints.methods[0].predicted).toBeGreaterThan(0.9);
    expect(conflictText(mints)).toMatch(/"minted"; its reads are predicted for (9\d|100) % of calls/);

    const claims = await reportOf('claim');
    expect(claims.methods[0].keys).toContainEqual(
      expect.objectContaining({ pattern: 'storage of 2:1: claimed/ and 16 bytes', keys: CALLS }),
    );
    expect(claims).toMatchObject({ calls: CALLS, demoted: 0, parallel: 1 });
    expect(claims.methods[0].serialises).toBeUndefined();
  });

  it('says what __record_put would help with', async () => {
    const method = { ...(await reportOf('mint')).methods[0], undeclared: 0.25, undeclaredKeys: ['storage of 2:1: x'] };
    const report = { calls: 4, demoted: 0, parallel: 1, expected: [], methods: [method] };
    expect(conflictText(report)).toMatch(/25 % touch keys in their turn that a dry run does not: storage of 2:1: x\n/);
  });
});

describe('pairs of calls', () => {
  const of = (reads: string, writes: string) => ({ reads: [...reads], writes: [...writes] });

  it('conflict where one writes what the other touches, each pair once', () => {
    const { conflicts } = pairCounts([of('ab', 'ab'), of('a', ''), of('ab', 'b'), of('z', ''), of('z', '')]);
    expect([...conflicts]).toEqual([2, 1, 1, 0, 0]);
  });

  it('make some calls wait, as many as in random order', () => {
    const hot = pairCounts(Array.from({ length: 10 }, () => of('', 'k')));
    expect(parallelShare(hot, 10)).toBeCloseTo(0.1);
    expect(parallelShare(hot, 2)).toBeCloseTo(0.5);
    const free = pairCounts(Array.from({ length: 10 }, (_, i) => of('', String(i))));
    expect(parallelShare(free, 10)).toBe(1);
    // Of two pools of two calls each, the first one of each pool waits for nobody.
    const pools = pairCounts([of('', 'a'), of('', 'a'), of('', 'b'), of('', 'b')]);
    expect(parallelShare(pools, 4)).toBeCloseTo(0.5);
    expect(parallelShare(pairCounts([]), 5)).toBe(1);
  });

  it('are told by the patterns of their keys', () => {
    expect(patternOf(`${storagePrefix(id)}claimed/${'\0'.repeat(16)}`)).toBe('storage of 2:1: claimed/ and 16 bytes');
    expect(patternOf(`${storagePrefix(id)}minted`)).toBe('storage of 2:1: minted');
    expect(patternOf(storagePrefix(id))).toBe('storage of 2:1: the empty key');
    expect(patternOf(`${storagePrefix(id)}\x01\x02`)).toBe('storage of 2:1: 2 bytes');
    expect(patternOf(balanceKey({ block: 2n, tx: 7n }, id))).toBe('balance of 2:1 in 2:7');
    expect([codeKey(id), 'sequence', 'sheet/x'].map(patternOf)).toEqual(['code 2:1', 'sequence', 'sheet']);
  });
});
