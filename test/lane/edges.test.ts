import { describe, expect, it } from 'vitest';
import { balanceKey } from '../../src/lane/keys.js';
import { countOutcomes, IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { encodeCellpack } from '../../src/protocol/encode.js';
import { call, makeTx, World } from './world.js';

describe('the edges of a message', () => {
  it('the lane starts at its start height, not one block later', () => {
    const world = new World();
    world.laneStartHeight = world.height + 1;
    const early = world.message(call('2:1', 15));
    expect(early.messages[0]).toMatchObject({ status: 'REJECTED', error: 'below the lane start height' });
    // This one stands at the start height exactly: it is looked up.
    expect(world.message(call('2:1', 15)).messages[0]).toMatchObject({ error: 'no code at the target' });
  });

  it.each([
    [8n, 9n],
    [9n, 8n],
  ])('%i:%i is another target than 8:8, in either half of the id', (block, tx) => {
    const world = new World();
    world.deploy();
    const { messages, writes } = world.message(encodeCellpack({ block, tx }, [2, 1, 15]));
    expect(messages[0]).toMatchObject({ status: 'STANDARD', fuelUsed: 0 });
    expect(writes.size).toBe(0);
  });

  it('a transfer of amount 0 is ignored, whatever the id: not even its balance is looked at', () => {
    const world = new World();
    const id = world.deploy();
    const key = balanceKey(parseId('9:9'), parseId(id));
    const { messages, reads } = world.message(call(id, 9, 9, 9, 0));
    expect(messages[0].status).toBe('OK');
    expect(reads.has(key)).toBe(false);
    expect(world.message(call(id, 9, 9, 9, 1)).reads.has(key)).toBe(true);
  });
});

it('a protostone of another tag passes on what lies on its shadow output, beside one for the lane', () => {
  const world = new World();
  const id = world.deploy();
  const tx = makeTx({
    spend: [world.give({ '2:1': 10n })],
    protostones: [
      { pointer: 5, refund: 0, message: call(id, 11) },
      { protocolTag: 2n, pointer: 1, edicts: [{ id: parseId('2:1'), amount: 3n, output: 0n }] },
    ],
  });
  // Three outputs with the runestone: the shadow output of the second protostone is 5.
  world.run(tx);
  expect([world.sheet(tx, 0), world.sheet(tx, 1)]).toEqual([{ '2:1': 3n }, { '2:1': 7n }]);
});

describe('receipts and counters', () => {
  it('the fuel of a transaction is that of all its messages; each end is counted once, standard ones never', () => {
    const world = new World();
    const id = world.deploy();
    const calls = [call(id, 4, 0), call(id, 1), call(id, 2), call(id, 3), call('2:9', 0)];
    const protostones = [...calls, encodeCellpack({ block: 2n, tx: 1n }, [0])].map((message) => ({
      pointer: 0,
      refund: 0,
      message,
    }));
    const [outcome] = world.run(makeTx({ protostones }));
    const statuses = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED', 'STANDARD'];
    expect(outcome.messages.map(({ status }) => status)).toEqual(statuses);
    const { fuel } = makeReceipt(1, outcome, IN_TURN);
    let sum = 0;
    for (const { fuelUsed } of outcome.messages) sum += fuelUsed;
    expect(fuel).toBe(sum);
    expect(fuel).toBeGreaterThan(outcome.messages[3].fuelUsed);
    const counters = { txs: 1, ok: 1, revert: 1, trap: 1, outOfFuel: 1, malformed: 1 };
    expect(countOutcomes([outcome])).toEqual(counters);
  });
});
