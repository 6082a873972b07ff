// Blocks that compile too much one transaction after the other are run in batches.
import { expect, it } from 'vitest';
import type { LaneEngineOptions } from '../../src/execute/engine.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine as engine } from './engines.js';

const whole = (result: LaneBlockResult) => [result.receipts.map(comparable), [...result.writes].sort()];

/** Any code is more. */
const NO_CODE = 0;

it.each<[string, Partial<LaneEngineOptions>]>([
  ['here', { workers: 0 }],
  ['on workers', { workers: 2 }],
])('auto gives up a block that compiles too much, and its batches end as sequential does: %s', async (_, options) => {
  const world = new World();
  const id = world.deploy();
  const messages = Array.from({ length: 40 }, (_, i) => call(id, 4, i % 3 === 0 ? 0 : i));
  const txs = messages.map((message) => makeTx({ protostones: [{ pointer: 0, refund: 0, message }] }));
  const block = makeBlock(txs);
  const state = () => ({ reader: { get: (key: LaneKey) => world.state.get(key) }, snapshot: new Map(world.state) });
  const truth = await engine({ policy: 'sequential' }).processBlock(block, world.height, state());
  for (const mostCompiledBytes of [NO_CODE, undefined]) {
    const own = engine({ policy: 'auto', modes: undefined, ...options, mostCompiledBytes });
    const result = await own.processBlock(block, world.height, state());
    const { tooMuchCode, executors } = result.statistics;
    expect(whole(result)).toEqual(whole(truth));
    expect([tooMuchCode, executors.sequential === 40]).toEqual(
      mostCompiledBytes === undefined ? [0, true] : [1, false],
    );
  }
});

it('a block whose batches take too much memory as well runs one transaction after the other', async () => {
  const world = new World();
  const id = world.deploy();
  const txs = Array.from({ length: 40 }, (_, i) =>
    makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, i) }] }),
  );
  const block = makeBlock(txs);
  const state = () => ({ reader: { get: (key: LaneKey) => world.state.get(key) }, snapshot: new Map(world.state) });
  const truth = await engine({ policy: 'sequential' }).processBlock(block, world.height, state());
  const own = engine({ policy: 'auto', modes: undefined, workers: 0, mostCompiledBytes: NO_CODE, mostBlockBytes: 0 });
  const result = await own.processBlock(block, world.height, state());
  expect(whole(result)).toEqual(whole(truth));
  expect(result.statistics).toMatchObject({ tooLarge: 1, executors: { sequential: 40 } });
});
