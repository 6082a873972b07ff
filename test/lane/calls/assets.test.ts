// What calls move between balances (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import { U128_MAX } from '../../../src/util/bytes.js';
import { call, makeTx, World } from '../world.js';
import { ACTOR, type Asset, balance, makeCall, numbers, put, type Script, stored, transfer } from './actor.js';

const A = '2:1';
const B = '2:2';
/** An asset that no contract of the tests mints. */
const COIN = '9:9';

function worldOfTwo(): World {
  const world = new World();
  world.deploy(ACTOR);
  world.deploy(ACTOR);
  world.setBalance(COIN, A, 10n);
  return world;
}

function act(world: World, ...steps: Script[]) {
  return world.message(call(A, ...steps.flat())).messages[0];
}

const pay = (...parcel: Asset[]): Script => makeCall('call', B, [], { parcel });

describe('a parcel', () => {
  it('moves from the caller to the target before it runs', () => {
    const world = worldOfTwo();
    const inner = [balance(B, COIN), balance(A, COIN)];
    const message = act(world, makeCall('call', B, inner, { parcel: [[COIN, 4n]] }));
    expect(message.status).toBe('OK');
    expect(numbers(message.data)).toEqual([32n, 4n, 6n]);
    expect([world.balance(COIN, A), world.balance(COIN, B)]).toEqual([6n, 4n]);
  });

  it('a parcel whose own-id part is minted', () => {
    const world = worldOfTwo();
    world.setBalance(A, A, 3n);
    expect(act(world, pay([A, 5n])).status).toBe('OK');
    expect([world.balance(A, A), world.balance(A, B)]).toEqual([0n, 5n]);
  });

  it('beyond the balance: REJECTED, and the message is refunded', () => {
    const world = worldOfTwo();
    const tx = makeTx({
      spend: [world.give({ [COIN]: 7n })],
      protostones: [{ pointer: 0, refund: 1, message: call(A, ...put(1, 1), ...pay([COIN, 18n])) }],
    });
    const [{ messages }] = world.run(tx);
    expect(messages[0]).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance', target: A });
    // Refused before its frame began.
    expect(messages[0].callTotal).toBe(0);
    expect(world.sheet(tx, 1)).toEqual({ [COIN]: 7n });
    expect(world.balance(COIN, A)).toBe(10n);
  });

  it('over u128 on the balance of the target: REJECTED', () => {
    const world = worldOfTwo();
    world.setBalance(COIN, B, U128_MAX);
    expect(act(world, pay([COIN, 1n]))).toMatchObject({ status: 'REJECTED', error: 'sum over u128 on a balance' });
  });

  it('its triples move one after the other, amounts of 0 whatever the id, and reach the target as they came', () => {
    const world = worldOfTwo();
    const parcel: Asset[] = [
      [COIN, 6n],
      ['7:7', 0n],
      [COIN, 4n],
    ];
    const message = act(world, makeCall('call', B, [balance(B, COIN)], { parcel }));
    expect(numbers(message.data)).toEqual([16n, 10n]);
    expect(message.calls[0]).toMatchObject({ parcel: 3, transfers: 0 });
    // One unit more is not there when the last triple moves.
    world.setBalance(COIN, A, 9n);
    expect(act(world, makeCall('call', B, [], { parcel })).status).toBe('REJECTED');
  });

  it('in a call of oneself nothing changes but what is minted', () => {
    const world = worldOfTwo();
    world.setBalance(A, A, 2n);
    const parcel: Asset[] = [
      [COIN, 10n],
      [COIN, 10n],
      [A, 5n],
    ];
    expect(act(world, makeCall('call', A, [], { parcel })).status).toBe('OK');
    expect([world.balance(COIN, A), world.balance(A, A)]).toEqual([10n, 5n]);
    expect(act(world, makeCall('call', A, [], { parcel: [[COIN, 11n]] })).status).toBe('REJECTED');
  });
});

describe('transfers of a child', () => {
  it('go to the caller, its own id minted beyond its balance', () => {
    const world = worldOfTwo();
    world.setBalance(COIN, B, 5n);
    world.setBalance(B, B, 1n);
    const message = act(world, makeCall('call', B, [transfer(COIN, 5n), transfer(B, 3n), transfer('7:7', 0n)]));
    expect(message).toMatchObject({ status: 'OK', calls: [{ transfers: 3, status: 'OK' }] });
    expect([world.balance(COIN, A), world.balance(B, A), world.balance(B, B)]).toEqual([15n, 3n, 0n]);
  });

  it('a child that transfers more than it has', () => {
    const world = worldOfTwo();
    const message = act(world, makeCall('call', B, [put(1, 1), transfer(COIN, 1n)]));
    expect(message).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance' });
    expect(message.calls).toMatchObject([{ status: 'REJECTED', transfers: 0 }]);
    expect(stored(world, B, 1)).toBe(0n);
  });

  it('over u128 on the balance of the caller: REJECTED', () => {
    const world = worldOfTwo();
    world.setBalance(B, A, U128_MAX);
    const message = act(world, makeCall('call', B, [transfer(B, 1n)]));
    expect(message).toMatchObject({ status: 'REJECTED', error: 'sum over u128 on a balance' });
  });

  it('can be paid out by the caller', () => {
    const world = worldOfTwo();
    const tx = makeTx({
      protostones: [
        { pointer: 0, refund: 1, message: call(A, ...makeCall('call', B, [transfer(B, 8n)]), ...transfer(B, 8n)) },
      ],
    });
    world.run(tx);
    expect(world.sheet(tx)).toEqual({ [B]: 8n });
    expect(world.balance(B, A)).toBe(0n);
  });
});

describe('delegated and static', () => {
  it("a delegate call that mints the caller's id", () => {
    const world = worldOfTwo();
    // Delegated, the parcel of a call of the code's own comes from the caller, whose own id is minted.
    const minting = makeCall('call', B, [], { parcel: [[A, 4n]] });
    expect(act(world, makeCall('delegatecall', B, [minting])).status).toBe('OK');
    expect([world.balance(A, B), world.balance(A, A)]).toEqual([4n, 0n]);
    // It is not the id of the code that is its own.
    const foreign = makeCall('call', B, [], { parcel: [[B, 4n]] });
    expect(act(world, makeCall('delegatecall', B, [foreign])).status).toBe('REJECTED');
  });

  it('in a delegate call parcel and transfers are only data: nothing is checked or moved', () => {
    const world = worldOfTwo();
    const inner = [balance(A, COIN), transfer(COIN, U128_MAX), transfer('7:7', 1n)];
    const message = act(world, makeCall('delegatecall', B, inner, { parcel: [['8:1', U128_MAX]] }));
    expect(message).toMatchObject({ status: 'OK', calls: [{ parcel: 1, transfers: 2 }] });
    expect(numbers(message.data)).toEqual([16n, 10n]);
    expect([world.balance(COIN, A), world.balance('8:1', B)]).toEqual([10n, 0n]);
  });

  it('a static call that writes, creates, mints, and is taken back', () => {
    const world = worldOfTwo();
    const inner = [put(1, 1), makeCall('call', '5:2', [transfer('2:3', 9n)]), transfer(COIN, 2n), transfer(B, 9n)];
    const parcel: Asset[] = [
      [COIN, 10n],
      [A, 7n],
    ];
    const outcome = world.message(call(A, ...makeCall('staticcall', B, inner, { parcel }), ...balance(A, COIN)));
    const [message] = outcome.messages;
    expect(message).toMatchObject({ status: 'OK', callTotal: 2 });
    expect(message.calls).toMatchObject([
      { kind: 'staticcall', target: B, parcel: 2, transfers: 2 },
      { kind: 'call', target: '2:3', depth: 2, transfers: 1 },
    ]);
    expect(numbers(message.data).at(-1)).toBe(10n);
    expect(outcome.writes.size).toBe(0);
    expect(world.code('2:3')).toBeUndefined();
    expect(world.sequence).toBe(3n);
  });

  it('a failure at depth 3 refunds the message’s incoming', () => {
    const world = worldOfTwo();
    const deepest = makeCall('call', B, [put(9, 9), transfer('7:7', 1n)]);
    const steps = makeCall('call', B, [put(1, 1), makeCall('staticcall', A, [put(2, 2), deepest])], {
      parcel: [[COIN, 3n]],
      checkpoint: [[5, 5]],
    });
    const tx = makeTx({
      spend: [world.give({ [COIN]: 7n })],
      protostones: [{ pointer: 0, refund: 1, message: call(A, ...steps) }],
    });
    const [outcome] = world.run(tx);
    expect(outcome.messages[0]).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance' });
    expect(outcome.messages[0].calls.map(({ depth, status }) => [depth, status])).toEqual([
      [1, 'REJECTED'],
      [2, 'REJECTED'],
      [3, 'REJECTED'],
    ]);
    expect(world.sheet(tx, 1)).toEqual({ [COIN]: 7n });
    expect([...outcome.writes.keys()].every((key) => key.startsWith('sheet/'))).toBe(true);
  });
});
