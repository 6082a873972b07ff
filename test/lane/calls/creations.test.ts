// Creations in inner calls (docs/lane-rules.md, sections 3 and 9).
import { describe, expect, it } from 'vitest';
import { call, envelope, makeTx, PROBE, World } from '../world.js';
import { ABORT, ACTOR, makeCall, numbers, put, type Script, SEQUENCE, stored } from './actor.js';

const A = '2:1';
const WITH_CODE = { witnesses: [envelope(ACTOR)] };

function worldOfOne(): World {
  const world = new World();
  world.deploy(ACTOR);
  return world;
}

const steps = (...all: Script[]): Uint8Array => call(A, ...all.flat());

describe('creations in inner calls', () => {
  it('take the envelope of the transaction, and run with the inputs behind the target', () => {
    const world = worldOfOne();
    const create = makeCall('call', '1:0', [put(1, 5), SEQUENCE]);
    const { messages } = world.message(steps(SEQUENCE, create, SEQUENCE), WITH_CODE);
    expect(messages[0]).toMatchObject({ status: 'OK', calls: [{ target: '2:2', opcode: '1' }] });
    expect(numbers(messages[0].data)).toEqual([2n, 16n, 3n, 3n]);
    expect(stored(world, '2:2', 1)).toBe(5n);
    expect(world.code('2:2')).toEqual(world.code(A));
  });

  it('3:n reserves 4:n, which must be free', () => {
    const world = worldOfOne();
    expect(world.message(steps(makeCall('call', '3:7', [put(1, 5)])), WITH_CODE).messages[0].status).toBe('OK');
    expect(stored(world, '4:7', 1)).toBe(5n);
    expect(world.message(steps(makeCall('call', '3:7', [])), WITH_CODE).messages[0]).toMatchObject({
      status: 'REJECTED',
      error: 'the reserved id has code already',
    });
  });

  it('two clones in one message', () => {
    const world = worldOfOne();
    const { messages } = world.message(
      steps(makeCall('call', '5:1', [put(1, 1)]), makeCall('call', '5:1', [put(1, 2)])),
    );
    expect(messages[0]).toMatchObject({ status: 'OK', calls: [{ target: '2:2' }, { target: '2:3' }] });
    expect([stored(world, '2:2', 1), stored(world, '2:3', 1)]).toEqual([1n, 2n]);
    expect(world.sequence).toBe(4n);
  });

  it('a second creation by 1:0 in one transaction, in another message and in an inner call', () => {
    const used = { status: 'REJECTED', error: 'the envelope is used' };
    const create = makeCall('call', '1:0', []);
    const world = worldOfOne();
    expect(world.message(steps(create, create), WITH_CODE).messages[0]).toMatchObject(used);
    expect(world.code('2:2')).toBeUndefined();
    const message = (bytes: Uint8Array) => ({ pointer: 0, refund: 0, message: bytes });
    const [outer] = world.run(makeTx({ ...WITH_CODE, protostones: [message(call('1:0', 0)), message(steps(create))] }));
    expect(outer.messages).toMatchObject([{ status: 'OK', target: '2:2' }, used]);
    const [inner] = world.run(makeTx({ ...WITH_CODE, protostones: [message(steps(create)), message(call('1:0', 0))] }));
    expect(inner.messages).toMatchObject([{ status: 'OK', callTotal: 1 }, used]);
  });

  it('creation in a static call', () => {
    const world = worldOfOne();
    const create = makeCall('staticcall', '1:0', [put(1, 5), SEQUENCE]);
    const taken = world.message(steps(create, SEQUENCE), WITH_CODE);
    expect(taken.messages[0]).toMatchObject({ status: 'OK', calls: [{ target: '2:2' }] });
    expect(numbers(taken.messages[0].data)).toEqual([16n, 3n, 2n]);
    expect([world.code('2:2'), world.sequence]).toEqual([undefined, 2n]);
    // The envelope stays used.
    const again = world.message(steps(create, makeCall('call', '1:0', [])), WITH_CODE);
    expect(again.messages[0]).toMatchObject({ status: 'REJECTED', error: 'the envelope is used' });
  });

  it('a failed message uses the envelope up and leaves no code', () => {
    const world = worldOfOne();
    const message = (bytes: Uint8Array) => ({ pointer: 0, refund: 0, message: bytes });
    const failing = steps(makeCall('call', '1:0', [ABORT]));
    const [{ messages }] = world.run(
      makeTx({ ...WITH_CODE, protostones: [message(failing), message(call('1:0', 0))] }),
    );
    expect(messages).toMatchObject([
      { status: 'REVERT', error: 'abort', calls: [{ target: '2:2', status: 'REVERT' }] },
      { status: 'REJECTED', error: 'the envelope is used' },
    ]);
    expect([world.code('2:2'), world.sequence]).toEqual([undefined, 2n]);
  });

  it('no envelope, no code to clone, bad code: REJECTED, with no entry in the call tree', () => {
    const world = worldOfOne();
    const version = Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0);
    const cases: [string, object, RegExp][] = [
      ['1:0', {}, /^no envelope$/],
      ['5:9', {}, /^no code to clone$/],
      ['6:9', {}, /^no code to clone$/],
      ['1:0', { witnesses: [envelope(version)] }, /^invalid code: WASM_/],
    ];
    for (const [target, spec, error] of cases) {
      const [message] = world.message(steps(makeCall('call', target, [])), spec).messages;
      expect(message).toMatchObject({ status: 'REJECTED', callTotal: 0 });
      expect(message.error).toMatch(error);
    }
  });

  it.each(['2:0', '2:9', '4:1', '1:5', '7:1', '8:8', '0:0', '32:0'])('%s has no code: REJECTED', (target) => {
    const world = worldOfOne();
    expect(world.message(steps(makeCall('call', target, []))).messages[0]).toMatchObject({
      status: 'REJECTED',
      error: 'no code at the target',
    });
  });

  it('a created contract that calls no other is run all the same', () => {
    const world = worldOfOne();
    const { messages } = world.message(steps(makeCall('call', '1:0', [[4n, 3n]])), { witnesses: [envelope(PROBE)] });
    expect(messages[0]).toMatchObject({ status: 'OK', calls: [{ target: '2:2', opcode: '4' }] });
    expect(world.counter('2:2', 3n)).toBe(1n);
  });

  it('a delegate call of a creation makes the contract, whose first run is on the storage of the caller', () => {
    const world = worldOfOne();
    world.message(steps(makeCall('delegatecall', '1:0', [put(1, 5)])), WITH_CODE);
    expect(world.code('2:2')).toEqual(world.code(A));
    expect([stored(world, '2:2', 1), stored(world, A, 1)]).toEqual([0n, 5n]);
  });
});
