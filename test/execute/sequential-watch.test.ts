import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { ModeChooser } from '../../src/execute/choose/block-mode.js';
import type { BlockView } from '../../src/execute/choose/block-view.js';
import type { KindSight } from '../../src/execute/choose/sequential-watch.js';
import { LaneEngine } from '../../src/execute/engine.js';
import type { LaneKey } from '../../src/lane/types.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { makeWorkload, type WorkloadName } from '../../src/selftest/bench/block-workloads.js';
import { builtPrograms, type ProgramName } from '../../src/util/built-wasm.js';

const COUNT = 200;
const hashOf = (name: ProgramName): string => prepareProgram(builtPrograms()[name]).hash;

/** Has every block run one transaction after the other, and keeps what it is told. */
class Listener implements ModeChooser {
  readonly wantsWorkers = false;
  parts: ReadonlyMap<string, number> = new Map();
  seen: ReadonlyMap<string, KindSight> = new Map();
  choose(block: BlockView): 'sequential' {
    this.parts = block.parts;
    return 'sequential';
  }
  paysAt(): boolean {
    return false;
  }
  watches(): boolean {
    return true;
  }
  took(_block: BlockView, _mode: string, _ms: number, seen?: ReadonlyMap<string, KindSight>): void {
    this.seen = seen ?? new Map();
  }
}

async function listen(name: WorkloadName): Promise<Listener> {
  const { raw, state } = makeWorkload(name, COUNT);
  const modes = new Listener();
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({ policy: 'auto', workers: 0, modes, ...rules });
  await engine.processBlock(BlockOffsets.read(raw), 1, { reader: { get: (key: LaneKey) => state.get(key) } });
  return modes;
}

describe('what a block that runs one after the other tells of its programs', () => {
  const cases: readonly (readonly [WorkloadName, ProgramName, Partial<KindSight>])[] = [
    ['counter', 'probe', { rows: COUNT, stale: 0, steady: 0, asked: 0, depth: 0 }],
    ['counter-hot', 'probe', { rows: COUNT, stale: 0, steady: 9, asked: 0, depth: 0 }],
    ['mint', 'mint', { rows: COUNT, stale: 0, steady: COUNT - 1, asked: 0, depth: 0 }],
    ['amm', 'amm', { rows: COUNT, asked: 0 }],
    // Six swaps give nothing, and write nothing.
    ['amm-one-pool', 'amm', { rows: COUNT, stale: COUNT - 1, steady: 0, asked: 0, depth: 194 }],
    // The others were claimed before, and stop earlier.
    ['claim', 'claim', { rows: COUNT, stale: 0, steady: 0, asked: 189 }],
  ];
  it.each(cases)(
    '%s: which of its calls read what others wrote, and by which steps',
    async (name, program, expected) => {
      const { parts, seen } = await listen(name);
      expect([...parts]).toEqual([[hashOf(program), COUNT]]);
      expect([...seen.keys()]).toEqual([hashOf(program)]);
      const sight = seen.get(hashOf(program)) as KindSight;
      expect(sight).toMatchObject(expected);
      expect(sight.timed).toBeGreaterThan(0);
      expect(sight.timed).toBeLessThan(COUNT);
      expect(sight.ms).toBeGreaterThan(0);
    },
  );

  it('mixed and general: every program by itself, and what only the generator runs apart', async () => {
    const mixed = await listen('mixed');
    expect(mixed.seen.get(hashOf('mint'))).toMatchObject({ rows: 180 });
    expect(mixed.seen.get('none+')).toMatchObject({ rows: 8, stale: 0 });
    expect([...mixed.parts.values()].reduce((sum, rows) => sum + rows)).toBeCloseTo(COUNT);
    const general = await listen('general');
    expect([...general.seen.keys()].sort()).toEqual([`${hashOf('mint')}+`, 'none+'].sort());
    expect([...general.parts.keys()].every((kind) => kind.endsWith('+'))).toBe(true);
  });
});
