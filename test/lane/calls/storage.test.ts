// What frames see and leave of storage (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import { storagePrefix } from '../../../src/lane/keys.js';
import { toBinaryString } from '../../../src/util/bytes.js';
import { call, makeTx, World } from '../world.js';
import { ABORT, ACTOR, actorKey, makeCall, numbers, put, RETURNED, read, type Script, stored } from './actor.js';

function act(world: World, target: string, ...steps: Script[]) {
  return world.message(call(target, ...steps.flat()));
}

const keyOf = (tx: bigint, key: number): string => storagePrefix({ block: 2n, tx }) + toBinaryString(actorKey(key));

describe('storage of frames', () => {
  it('a contract that calls itself', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const inner = makeCall('call', id, [put(2, 22), read(1)]);
    const { messages } = act(world, id, put(1, 11), inner, read(2));
    expect(messages[0]).toMatchObject({ status: 'OK', callTotal: 1 });
    // The caller's own write waits for its end; what the call has written is there at once.
    expect(numbers(messages[0].data)).toEqual([16n, 0n, 22n]);
    expect([stored(world, id, 1), stored(world, id, 2)]).toEqual([11n, 22n]);
  });

  it('re-entrancy that reads the checkpoint', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const other = world.deploy(ACTOR);
    const back = makeCall('call', id, [read(1)]);
    const { messages } = act(world, id, makeCall('call', other, [back], { checkpoint: [[1, 7]] }));
    expect(numbers(messages[0].data)).toEqual([32n, 16n, 7n]);
    expect(stored(world, id, 1)).toBe(7n);
    expect(stored(world, other, 1)).toBe(0n);
  });

  it("a checkpoint that the caller's result later overrides", () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const checked = makeCall('call', id, [read(1), read(3)], {
      checkpoint: [
        [1, 5],
        [3, 4],
        [1, 7],
      ],
    });
    const { messages } = act(world, id, checked, put(1, 9));
    expect(numbers(messages[0].data)).toEqual([32n, 7n, 4n]);
    expect([stored(world, id, 1), stored(world, id, 3)]).toEqual([9n, 4n]);
    // An empty value removes.
    act(world, id, makeCall('call', id, [], { checkpoint: [[3, 0]] }));
    expect(world.storage(id, actorKey(3))).toBeUndefined();
  });

  it('after a static call everything since the call is taken back, checkpoint included; its keys count as read', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const other = world.deploy(ACTOR);
    act(world, id, put(1, 1));
    const inner = makeCall('staticcall', other, [put(5, 50), makeCall('call', id, [read(1), put(2, 2)])], {
      checkpoint: [[1, 100]],
    });
    const outcome = act(world, id, inner, read(1), RETURNED);
    // What came back stays: the transfers' count and 32 bytes of data.
    expect(numbers(outcome.messages[0].data)).toEqual([32n, 16n, 100n, 1n, 48n]);
    expect([stored(world, id, 1), stored(world, id, 2), stored(world, other, 5)]).toEqual([1n, 0n, 0n]);
    expect(outcome.writes.size).toBe(0);
    const [taken, seen] = [keyOf(2n, 5), keyOf(1n, 2)];
    expect([outcome.reads.has(taken), outcome.reads.get(taken)]).toEqual([true, undefined]);
    expect(outcome.reads.has(seen)).toBe(true);
  });

  it('a key that a static call wrote and the message keeps is written, not read', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const outcome = act(world, id, makeCall('staticcall', id, [put(1, 5)]), put(1, 6));
    expect(outcome.writes.has(keyOf(1n, 1))).toBe(true);
    expect(outcome.reads.has(keyOf(1n, 1))).toBe(false);
  });

  it('a static call sees what the message has written before it', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const { messages } = act(world, id, makeCall('call', id, [put(1, 5)]), makeCall('staticcall', id, [read(1)]));
    expect(numbers(messages[0].data)).toEqual([0n, 16n, 5n]);
  });

  it('static calls in static calls are taken back one after the other', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const innermost = makeCall('staticcall', id, [read(1)], { checkpoint: [[1, 3]] });
    const middle = makeCall('staticcall', id, [innermost, read(1)], { checkpoint: [[1, 2]] });
    const { messages } = act(world, id, makeCall('call', id, [middle, read(1)], { checkpoint: [[1, 1]] }), read(1));
    expect(numbers(messages[0].data)).toEqual([80n, 48n, 16n, 3n, 2n, 1n, 1n]);
    expect(stored(world, id, 1)).toBe(1n);
  });

  it("a delegate call works on the caller's storage and leaves the target's alone", () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const code = world.deploy(ACTOR);
    act(world, code, put(1, 99));
    const { messages } = act(world, id, put(1, 1), makeCall('delegatecall', code, [read(1), put(2, 2)]), read(2));
    expect(numbers(messages[0].data)).toEqual([16n, 0n, 2n]);
    expect([stored(world, id, 1), stored(world, id, 2), stored(world, code, 2)]).toEqual([1n, 2n, 0n]);
  });

  it('a message that fails leaves nothing of its frames; keys that only they wrote count as read', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const message = (...steps: Script[]) => ({ pointer: 0, refund: 0, message: call(id, ...steps.flat()) });
    const failing = message(makeCall('call', id, [put(1, 1), put(4, 4)]), ABORT);
    const [outcome] = world.run(makeTx({ protostones: [failing, message(put(4, 5), read(1))] }));
    expect(outcome.messages.map(({ status }) => status)).toEqual(['REVERT', 'OK']);
    expect([stored(world, id, 1), stored(world, id, 4)]).toEqual([0n, 5n]);
    expect([outcome.reads.has(keyOf(1n, 1)), outcome.reads.has(keyOf(1n, 4))]).toEqual([true, false]);
  });
});
