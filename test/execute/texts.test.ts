// What contracts say is the same under every policy; the kernel leaves a call that says something to the CPU.
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/lane/policy.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { place } from '../lane/calls/by-hand.js';
import { abortsWith, says } from '../lane/saying.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

describe('texts of __log and abort', () => {
  it('are in the receipts of every policy, and the kernel gives none', async () => {
    const world = new World();
    const probe = world.deploy();
    place(world, '2:8', says(['one', 'two']));
    place(world, '2:9', abortsWith({ logs: ['before'], message: 'broke', file: 'a.ts', line: 1, column: 2 }));
    const transactions = ['2:8', '2:9', probe].flatMap((id) =>
      Array.from({ length: 30 }, (_, i) => message(call(id, 2, i))),
    );
    // Not of the common kind.
    transactions.push(message(call('2:8', 0), call('2:9', 0)));
    const block = makeBlock(transactions);
    const receiptsOf = async (policy: Policy, workers: number, gpu?: FakeGpu) => {
      const engine = makeEngine({ policy, workers, gpu });
      return engine.processBlock(block, world.height, sourceOf(world));
    };
    const truth = await receiptsOf('sequential', 0);
    const said = truth.receipts.flatMap(({ messages }) => messages.map(({ logTotal, abort }) => [logTotal, abort]));
    expect(said.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => [2, undefined]));
    expect(said.slice(30, 60)).toEqual(Array.from({ length: 30 }, () => [1, 'broke (a.ts:1:2)']));
    expect(said.slice(-2)).toEqual([
      [2, undefined],
      [1, 'broke (a.ts:1:2)'],
    ]);
    const gpu = new FakeGpu();
    const results = [await receiptsOf('cpu', 0), await receiptsOf('cpu', 2), await receiptsOf('gpu', 1, gpu)];
    for (const { receipts } of results) expect(receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
    expect(results[2].statistics).toMatchObject({ punted: 60, executors: { gpu: 30 } });
  });
});
