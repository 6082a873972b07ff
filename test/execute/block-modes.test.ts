import { describe, expect, it } from 'vitest';
import type { BlockMode } from '../../src/execute/choose/block-mode.js';
import { BlockModes, MOST_KINDS } from '../../src/execute/choose/block-modes.js';
import type { BlockView } from '../../src/execute/choose/block-view.js';
import { KindCosts } from '../../src/execute/choose/kind-costs.js';
import { KindSight } from '../../src/execute/choose/sequential-watch.js';

/** How calls of a program behave; times in microseconds. */
interface Calls {
  /** One call, when they run one after the other. */
  readonly us: number;
  /** Shares, and how many of the stale ones may run at once. */
  readonly stale?: number;
  readonly steady?: number;
  readonly width?: number;
  /** A transaction's share of the engine's thread in parallel. */
  readonly row?: number;
}

const NAME = 'abcdef'.repeat(10);
const nameOf = (n: number): string => `${NAME}${n.toString(16).padStart(4, '0')}`;
const [A, B] = [nameOf(1), nameOf(2)];

const blockOf = (parts: Readonly<Record<string, number>>): BlockView => ({
  count: Object.values(parts).reduce((sum, rows) => sum + rows, 0),
  parts: new Map(Object.entries(parts)),
});

/** A machine on which everything takes exactly its time, and what `auto` chooses on it. */
class Machine {
  readonly modes: BlockModes;
  readonly chosen: BlockMode[] = [];
  /** Milliseconds that `auto`, one after the other and the better way of each block have taken. */
  auto = 0;
  sequential = 0;
  best = 0;
  /** What a block takes in parallel beside its transactions, in ms. */
  fixed = 0.5;

  /** `kernelUs`: a call in the kernel, if there is one. */
  constructor(
    readonly threads: number,
    readonly programs: Record<string, Calls>,
    readonly kernelUs?: number,
  ) {
    const kernelCall = kernelUs === undefined ? undefined : () => 2;
    this.modes = new BlockModes({ threads, predictReads: true, kernelCall });
  }

  run(parts: Readonly<Record<string, number>>, disturbed = 1): BlockMode {
    const block = blockOf(parts);
    const mode = this.modes.choose(block);
    const times = { sequential: 0, workers: this.fixed, kernel: this.fixed + 2 };
    const seen = new Map<string, KindSight>();
    for (const [name, rows] of block.parts) {
      const { us, stale = 0, steady = 0, width = 1, row = 8 } = this.programs[name];
      times.sequential += (rows * us) / 1_000;
      const again = (steady * us) / this.threads + (stale * us) / Math.min(width, this.threads);
      times.workers += (rows * (row + (us * 1.1) / this.threads + again)) / 1_000;
      const kernelUs = (this.kernelUs ?? 0) * (steady + stale);
      times.kernel += (rows * (row + 30 + (us * 1.1) / this.threads + kernelUs)) / 1_000;
      const [staleRows, timedMs] = [Math.round(stale * rows), (rows * us * disturbed) / 1_000];
      const depth = staleRows === 0 ? 0 : Math.ceil(staleRows / width) + 1;
      const found = { rows, timed: rows, timedMs, stale: staleRows, steady: Math.round(steady * rows), depth };
      seen.set(name, Object.assign(new KindSight(), found));
    }
    this.modes.took(block, mode, times[mode] * disturbed, mode === 'sequential' ? seen : undefined);
    this.chosen.push(mode);
    this.auto += times[mode];
    this.sequential += times.sequential;
    this.best += Math.min(times.sequential, times.workers, this.kernelUs === undefined ? Infinity : times.kernel);
    return mode;
  }

  runs(blocks: number, parts: Readonly<Record<string, number>>): BlockMode[] {
    return Array.from({ length: blocks }, () => this.run(parts));
  }
}

const HEAVY: Calls = { us: 150 };
const LIGHT: Calls = { us: 8 };
/** All on one key whose values nobody can foresee. */
const CHAIN: Calls = { us: 25, stale: 1 };
/** All on one counter. */
const COUNTER: Calls = { us: 60, steady: 1 };

describe('how auto runs a block', () => {
  it('a new program runs one transaction after the other, and in parallel by the third block if that pays', () => {
    for (const [calls, expected] of [
      [HEAVY, 'workers'],
      [COUNTER, 'workers'],
      [LIGHT, 'sequential'],
      [CHAIN, 'sequential'],
    ] as const) {
      const machine = new Machine(15, { [A]: calls });
      const [first, , ...later] = machine.runs(12, { [A]: 1_000 });
      expect([first, ...new Set(later)]).toEqual(['sequential', expected]);
    }
  });

  it('with one thread beside the engine nothing is tried, whatever it costs', () => {
    const machine = new Machine(1, { [A]: { us: 1_000 } });
    expect(new Set(machine.runs(2_000, { [A]: 1_000 }))).toEqual(new Set(['sequential']));
    expect(machine.modes.wantsWorkers).toBe(false);
    expect(machine.modes.watches(blockOf({ [A]: 1_000 }))).toBe(false);
  });

  const grid = [2, 3, 7, 15].flatMap((threads) =>
    [8, 50, 100, 1_000, 7_000, 50_000].map((count) => [threads, count] as const),
  );
  it.each(grid)(
    '%i threads, %i calls: never loses a twentieth to sequential, and finds what is much better',
    (...of) => {
      const [threads, count] = of;
      for (const us of [3, 12, 25, 60, 150, 1_000]) {
        for (const shape of [{}, { stale: 0.1 }, { stale: 1 }, { stale: 1, width: 50 }, { steady: 1 }]) {
          const machine = new Machine(threads, { [A]: { us, ...shape } });
          const about = `${us} us, ${JSON.stringify(shape)}`;
          machine.runs(2, { [A]: count });
          expect(machine.auto / machine.sequential, about).toBeLessThan(1.001);
          const { auto, best, sequential } = machine;
          machine.runs(100, { [A]: count });
          expect(machine.auto / machine.sequential, about).toBeLessThan(1.04);
          // Near the border a guess cannot tell, and the fixed cost decides about blocks of some milliseconds.
          const isClear = machine.best - best < 0.7 * (machine.sequential - sequential) && sequential > 2 * 4;
          if (isClear) expect((machine.auto - auto) / (machine.best - best), about).toBeLessThan(1 / 0.95);
        }
      }
    },
  );

  it('says up to which time of a run it pays on threads that still compile', () => {
    const machine = new Machine(15, { [A]: HEAVY, [B]: COUNTER });
    const [heavy, counter] = [blockOf({ [A]: 1_000 }), blockOf({ [B]: 1_000 })];
    expect(machine.modes.paysAt(heavy, 0)).toBe(false);
    for (const name of [A, B]) machine.runs(5, { [name]: 1_000 });
    // 150 ms one after the other, 20 in parallel; three quarters of that, divided by the runs of a thread.
    expect([machine.modes.paysAt(heavy, 1_300), machine.modes.paysAt(heavy, 1_500)]).toEqual([true, false]);
    // 60 and 17, and each call runs twice.
    expect([machine.modes.paysAt(counter, 190), machine.modes.paysAt(counter, 240)]).toEqual([true, false]);
  });

  it('small blocks are known from large ones', () => {
    const machine = new Machine(15, { [A]: HEAVY });
    machine.fixed = 4;
    machine.runs(6, { [A]: 1_000 });
    machine.runs(40, { [A]: 10 });
    expect(machine.run({ [A]: 1_000 })).toBe('workers');
    expect(machine.run({ [A]: 10 })).toBe('sequential');
  });

  it('the workers are wanted only where they promise something', () => {
    const light = new Machine(15, { [A]: LIGHT });
    light.runs(3, { [A]: 1_000 });
    expect(light.modes.wantsWorkers).toBe(false);
    const heavy = new Machine(15, { [A]: HEAVY });
    heavy.run({ [A]: 1_000 });
    expect(heavy.modes.wantsWorkers).toBe(true);
  });

  it('the kernel runs what it promises to run faster, and no longer where it does not', () => {
    const chain: Calls = { us: 300, stale: 1 };
    const good = new Machine(15, { [A]: chain, [B]: HEAVY }, 5);
    expect(good.runs(12, { [A]: 1_000 }).slice(2)).toEqual(new Array(10).fill('kernel'));
    expect(good.runs(12, { [B]: 1_000 }).slice(2)).toEqual(new Array(10).fill('workers'));
    const bad = new Machine(15, { [A]: chain }, 400);
    expect(bad.runs(10, { [A]: 1_000 }).filter((mode) => mode === 'kernel')).toHaveLength(1);
    expect(bad.chosen.at(-1)).toBe('sequential');
  });

  it('what was a little slower the first time is taken again at once, and seven times in all', () => {
    const machine = new Machine(15, { [A]: { us: 60, row: 60 } });
    const modes = machine.runs(100, { [A]: 1_000 });
    // In between it is made sure how long one after the other takes once its code is compiled.
    expect(modes.slice(0, 5)).toEqual(['sequential', 'workers', 'sequential', 'workers', 'workers']);
    expect(modes.filter((mode) => mode === 'workers')).toHaveLength(7);
    const better = new Machine(15, { [A]: { us: 60, row: 60 } });
    while (better.run({ [A]: 1_000 }) !== 'workers');
    better.programs[A] = { us: 60, row: 40 };
    expect(better.runs(20, { [A]: 1_000 }).filter((mode) => mode === 'sequential')).toHaveLength(1);
  });

  it('one after the other is looked at again while it is near: its first blocks may have compiled code', () => {
    const machine = new Machine(15, { [A]: { us: 19, row: 16 } });
    expect(machine.runs(12, { [A]: 1_000 }).at(-1)).toBe('workers');
    machine.programs[A] = { us: 15, row: 16 };
    const modes = machine.runs(40, { [A]: 1_000 });
    expect(new Set(modes.slice(12))).toEqual(new Set(['sequential']));
  });

  it('what a block took while others were at work is no more than what is known', () => {
    const costs = new KindCosts();
    const sight = Object.assign(new KindSight(), { rows: 100, timed: 100, timedMs: 1 });
    costs.sawSequential(sight, 10, false);
    for (let block = 0; block < 6; block++) costs.sawSequential(sight, 20, true);
    expect(costs.sequential).toBe(10);
  });

  it('a guess that was too good costs one block', () => {
    const machine = new Machine(15, { [A]: { us: 60, row: 200 } });
    expect(machine.runs(20, { [A]: 1_000 }).filter((mode) => mode === 'workers')).toHaveLength(1);
  });

  it('what is slower is tried again for a hundredth of the time, and then taken if it has become faster', () => {
    const machine = new Machine(15, { [A]: { us: 60, row: 200 } });
    const tried = machine.runs(8_000, { [A]: 1_000 }).filter((mode) => mode === 'workers').length;
    expect(tried).toBeGreaterThan(3);
    expect(machine.auto / machine.sequential).toBeLessThan(1.013);
    machine.programs[A] = { us: 60 };
    expect(machine.runs(4_000, { [A]: 1_000 }).at(-1)).toBe('workers');
  });

  it('the sequential way is measured again, too, and taken if it has become faster', () => {
    const machine = new Machine(15, { [A]: { us: 60 } });
    expect(machine.runs(20, { [A]: 1_000 }).at(-1)).toBe('workers');
    machine.programs[A] = { us: 5 };
    expect(machine.runs(6_000, { [A]: 1_000 }).at(-1)).toBe('sequential');
  });

  it('what was never tried is not tried on a large block first', () => {
    const machine = new Machine(15, { [A]: LIGHT });
    for (let n = 0; n < 3_000; n++) {
      const mode = machine.run(n % 10 === 0 ? { [A]: 50_000 } : { [A]: 500 });
      if (n % 10 === 0) expect(mode).toBe('sequential');
      if (mode === 'workers') return;
    }
    expect.unreachable('never tried');
  });

  it('a block that was disturbed changes nothing', () => {
    const machine = new Machine(15, { [A]: HEAVY, [B]: LIGHT });
    for (const name of [A, B]) machine.runs(10, { [name]: 1_000 });
    machine.run({ [A]: 1_000 }, 20);
    machine.run({ [B]: 1_000 }, 20);
    expect([machine.run({ [A]: 1_000 }), machine.run({ [B]: 1_000 })]).toEqual(['workers', 'sequential']);
  });

  it('hears of blocks without transactions, and of none that it has chosen for', () => {
    const modes = new BlockModes({ threads: 15, predictReads: true });
    expect(modes.choose(blockOf({}))).toBe('sequential');
    modes.took(blockOf({}), 'sequential', 1, new Map());
    modes.took(blockOf({ [A]: 100 }), 'workers', 5);
    expect(modes.choose(blockOf({ [A]: 100 }))).toBe('sequential');
  });
});

describe("one contract's traffic does not decide for the others", () => {
  it('blocks of a contract go the way that is best for it, whatever fills most other blocks', () => {
    const machine = new Machine(15, { [A]: { us: 30, stale: 1 }, [B]: HEAVY });
    const modes: BlockMode[] = [];
    for (let n = 0; n < 300; n++) modes.push(machine.run(n % 10 === 0 ? { [B]: 1_000 } : { [A]: 3_000 }));
    expect(new Set(modes.filter((_, n) => n % 10 === 0 && n >= 20))).toEqual(new Set(['workers']));
    expect(modes.filter((mode, n) => n % 10 !== 0 && mode === 'workers').length).toBeLessThan(9);
  });

  it('who shares nine of ten blocks with one that is bad in parallel still runs in parallel alone', () => {
    const machine = new Machine(15, { [A]: { us: 30, stale: 1 }, [B]: HEAVY });
    const alone: BlockMode[] = [];
    for (let n = 0; n < 300; n++) {
      const mode = machine.run(n % 10 === 0 ? { [B]: 1_000 } : { [A]: 2_000, [B]: 500 });
      if (n % 10 === 0 && n >= 20) alone.push(mode);
    }
    expect(new Set(alone)).toEqual(new Set(['workers']));
    expect(machine.auto / machine.best).toBeLessThan(1.06);
  });

  it('one that conflicts exactly when it is run in parallel costs a few blocks, and leaves the others alone', () => {
    const disjoint: Calls = { us: 40 };
    const machine = new Machine(15, { [A]: disjoint, [B]: HEAVY });
    const others: BlockMode[] = [];
    for (let n = 0; n < 5_000; n++) {
      const block = blockOf({ [A]: 2_000 });
      // It shows itself at its best one after the other, and at its worst in parallel.
      machine.programs[A] = machine.modes.choose(block) === 'workers' ? { us: 40, stale: 1, row: 60 } : disjoint;
      machine.run({ [A]: 2_000 });
      if (n % 50 === 49) others.push(machine.run({ [B]: 1_000 }));
    }
    expect(machine.auto / machine.sequential).toBeLessThan(1.03);
    // But for those in which the other way was tried.
    expect(others.slice(2).filter((mode) => mode === 'sequential').length).toBeLessThan(4);
  });

  it('thousands of programs that come and go drive out none that is busy', () => {
    const programs: Record<string, Calls> = { [A]: HEAVY };
    for (let n = 10; n < 3_010; n++) programs[nameOf(n)] = { us: 4_000 };
    const machine = new Machine(15, programs);
    machine.runs(50, { [A]: 1_000 });
    let sequential = 0;
    for (let n = 10; n < 3_010; n += 10) {
      machine.run(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [nameOf(n + i), 1])));
      if (machine.run({ [A]: 1_000 }) === 'sequential') sequential++;
    }
    expect(sequential).toBeLessThan(4);
    expect(machine.modes.figures().length).toBeLessThanOrEqual(MOST_KINDS);
  });

  it('a new program in a block is waited for: it runs one after the other until it is known', () => {
    const machine = new Machine(15, { [A]: HEAVY, [B]: { us: 30, stale: 1 } });
    machine.runs(5, { [A]: 1_000 });
    expect(machine.run({ [A]: 1_000, [B]: 1_000 })).toBe('sequential');
    expect(machine.run({ [A]: 1_000, [B]: 50 })).toBe('workers');
  });
});
