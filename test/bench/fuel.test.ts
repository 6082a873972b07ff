import { describe, expect, it } from 'vitest';
import { ENV, type EnvName } from '../../src/program/env.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { benchFuel, tooExpensive } from '../../src/selftest/bench/fuel.js';
import { fuelClasses } from '../../src/selftest/bench/fuel-classes.js';
import { fuelWasm } from '../../src/selftest/bench/fuel-modules.js';
import { testHost } from '../program/support.js';

const classes = fuelClasses();
const INNER: readonly EnvName[] = ['abort', '__call', '__delegatecall', '__staticcall'];

describe('bench fuel', () => {
  it('knows every host function but those that end the run', () => {
    const named = new Set(classes.flatMap(({ module }) => module.imports ?? []));
    const all = Object.keys(ENV) as EnvName[];
    expect([...named].sort()).toEqual(all.filter((name) => !INNER.includes(name)).sort());
  });

  it('measures programs that end out of fuel, or in time where they run once, and never trap', () => {
    const runner = new ProgramRunner();
    for (const { name, module } of classes) {
      const program = prepareProgram(fuelWasm(module, 0));
      // Little fuel: what is paid for is done all the same.
      const fuel = program.entryFuel + (module.once ? 3_500_000 : 100_000);
      const { status } = runner.run(program, testHost().host, fuel);
      const allowed = module.once ? ['OK', 'OUT_OF_FUEL'] : ['OUT_OF_FUEL'];
      expect(allowed, name).toContain(status);
    }
  });

  it('gives a figure for each class, and names those above its bound', async () => {
    const report = await benchFuel({
      rounds: 1,
      only: ['i32.add', 'entry: 1 pages'],
      gpu: undefined,
      onProgress: () => {},
    });
    expect(report.rows.map(({ name, fuel }) => [name, fuel])).toEqual([
      ['i32.add', 3_500_000],
      ['entry: 1 pages', 5_001],
      // 5,000, 3 constants, the instruction, the result pointer, 1 per 16 bytes.
      ['entry: 1 pages, each touched', 9_101],
    ]);
    const figure = (median: number) => ({ median, least: median, most: median });
    const rows = [2.9, 3, 3.1].map((warm) => ({ ...report.rows[0], cold: figure(1), warm: figure(warm) }));
    expect(tooExpensive({ ...report, rows })).toEqual([rows[2]]);
  });
});
