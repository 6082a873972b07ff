// A file of programs that gives back other bytes than were written ends a run, never the index.
import { expect, it, onTestFinished, vi } from 'vitest';
import { EnvironmentError } from '../../src/errors/errors.js';
import type { Policy } from '../../src/lane/policy.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';

it.each(['sequential', 'cpu'] satisfies Policy[])(
  'a block is run again without the file, and that is told: %s',
  async (policy) => {
    const world = new World();
    const id = world.deploy();
    const block = makeBlock(Array.from({ length: 30 }, (_, i) => message(call(id, 4, i))));
    const expected = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
    const told: string[] = [];
    const engine = makeEngine({ policy, onProgramFileLost: (why) => told.push(why) });
    const run = ProgramRunner.prototype.runInPlace;
    let runs = 0;
    const broken = new EnvironmentError('ENV_PROGRAM_FILE', 'cannot be read', { facts: { reason: 'other bytes' } });
    const spy = vi.spyOn(ProgramRunner.prototype, 'runInPlace').mockImplementation(function (
      this: ProgramRunner,
      ...of
    ) {
      if (++runs === 20) throw broken;
      run.apply(this, of);
    });
    onTestFinished(() => spy.mockRestore());
    const result = await engine.processBlock(block, world.height, sourceOf(world));
    expect(sortedWrites(result)).toEqual(sortedWrites(expected));
    expect(result.receipts.map(comparable)).toEqual(expected.receipts.map(comparable));
    expect(told).toEqual(['other bytes']);
    expect(engine.health).toMatchObject({ programFileLosses: 1, lastProgramFileLoss: 'other bytes' });
  },
);

it('one that breaks again and again ends with its error', async () => {
  const world = new World();
  const block = makeBlock([message(call(world.deploy(), 4, 1))]);
  const engine = makeEngine({ policy: 'sequential' });
  const spy = vi.spyOn(ProgramRunner.prototype, 'runInPlace').mockImplementation(() => {
    throw new EnvironmentError('ENV_PROGRAM_FILE', 'cannot be read');
  });
  onTestFinished(() => spy.mockRestore());
  const code = 'ENV_PROGRAM_FILE';
  await expect(engine.processBlock(block, world.height, sourceOf(world))).rejects.toMatchObject({ code });
});
