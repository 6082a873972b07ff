// Contracts of the project's own that call each other (wasm/calls/).
import { describe, expect, it } from 'vitest';
import { parseId } from '../../../src/protocol/alkane-id.js';
import { call, makeTx, World } from '../world.js';
import { callsProgram, numbers } from './actor.js';

const A = '9:1';
const B = '9:2';
const C = '9:3';
const ids = (...all: string[]): bigint[] => all.flatMap((id) => [parseId(id).block, parseId(id).tx]);

/** A message with assets; gives its receipt and what lies on output 0 afterwards. */
function send(world: World, message: Uint8Array, assets: Record<string, bigint> = {}) {
  const spend = Object.keys(assets).length > 0 ? [world.give(assets)] : undefined;
  const tx = makeTx({ ...(spend && { spend }), protostones: [{ pointer: 0, refund: 1, message }] });
  const [outcome] = world.run(tx);
  return { receipt: outcome.messages[0], sheet: world.sheet(tx, 0), refund: world.sheet(tx, 1), outcome };
}

describe('a factory and pools that call each other', () => {
  const setUp = () => {
    const world = new World();
    const code = world.deploy(callsProgram('pool'), 0);
    const factory = world.deploy(callsProgram('factory'), 0, Number(parseId(code).tx), 3);
    const pools = [
      [A, B],
      [B, C],
    ].map(([a, b]) => {
      const { receipt } = send(world, call(factory, 1, ...ids(a, b)));
      expect(receipt.status).toBe('OK');
      return `2:${numbers(receipt.data)[0]}`;
    });
    for (const [i, [a, b]] of [[A, B] as const, [B, C] as const].entries()) {
      const { receipt, sheet } = send(world, call(pools[i], 1), { [a]: 1_000_000n, [b]: 2_000_000n });
      expect(receipt.status).toBe('OK');
      expect(sheet).toEqual({ [pools[i]]: 1_000_000n });
    }
    return { world, factory, pools };
  };

  it('creates pools by clones, each with the assets it was asked for', () => {
    const { world, pools } = setUp();
    expect(pools).toEqual(['2:3', '2:4']);
    expect(numbers(send(world, call(pools[1], 3)).receipt.data)).toEqual([1_000_000n, 2_000_000n]);
  });

  it('trades over two pools in one message, each asking the factory for its fee', () => {
    const { world, factory, pools } = setUp();
    const { receipt, sheet } = send(world, call(factory, 2, 2, ...ids(...pools)), { [A]: 10_000n });
    const swap = (input: bigint, mine: bigint, other: bigint): bigint => {
      const paid = (input * 997n) / 1_000n;
      return (other * paid) / (mine + paid);
    };
    const first = swap(10_000n, 1_000_000n, 2_000_000n);
    const second = swap(first, 1_000_000n, 2_000_000n);
    expect(receipt.status).toBe('OK');
    expect(sheet).toEqual({ [C]: second });
    expect(receipt.calls.map(({ depth, kind, target }) => [depth, kind, target])).toEqual([
      [1, 'call', pools[0]],
      [2, 'staticcall', factory],
      [1, 'call', pools[1]],
      [2, 'staticcall', factory],
    ]);
    expect([world.balance(A, pools[0]), world.balance(B, pools[0])]).toEqual([1_010_000n, 2_000_000n - first]);
    expect(world.balance(B, factory)).toBe(0n);
  });

  it('refunds a trade through a pool that does not have the asset', () => {
    const { world, factory, pools } = setUp();
    const { receipt, refund } = send(world, call(factory, 2, 2, ...ids(pools[0], pools[0])), { [C]: 10_000n });
    expect(receipt).toMatchObject({ status: 'REVERT', error: 'abort', calls: [{ status: 'REVERT' }] });
    expect(refund).toEqual({ [C]: 10_000n });
  });
});

describe('a proxy', () => {
  it('runs the code of another contract on its own storage and balances, and takes other code', () => {
    const world = new World();
    const pool = world.deploy(callsProgram('pool'), 0);
    const factory = world.deploy(callsProgram('factory'), 0, Number(parseId(pool).tx), 3);
    const proxy = world.deploy(callsProgram('proxy'), 0, ...ids(factory).map(Number));
    // The factory's own configuration is not the proxy's.
    expect(send(world, call(proxy, 3)).receipt).toMatchObject({ status: 'REVERT', error: 'abort' });
    const recursion = world.deploy(callsProgram('recursion'));
    expect(send(world, call(proxy, 36_863, ...ids(recursion))).receipt.status).toBe('OK');
    const { receipt, sheet, outcome } = send(world, call(proxy, 1, 3), { [A]: 5n });
    expect(receipt.status).toBe('OK');
    expect(numbers(receipt.data)).toEqual([3n]);
    expect(sheet).toEqual({ [A]: 5n });
    // "Itself" is the proxy, which delegates each time.
    expect(receipt.calls.map(({ kind }) => kind)).toEqual([
      ...['delegatecall', 'call', 'delegatecall', 'call', 'delegatecall', 'call', 'delegatecall'],
    ]);
    const written = [...outcome.writes.keys()].filter((key) => key.startsWith('store/'));
    expect(written).toHaveLength(1);
    expect(world.storage(proxy, 'calls')?.[0]).toBe(3);
    expect(world.storage(recursion, 'calls')).toBeUndefined();
  });
});

describe('a re-entrant pair', () => {
  const rob = (safe: number) => {
    const world = new World();
    const bank = world.deploy(callsProgram('bank'), 0);
    const thief = world.deploy(callsProgram('thief'), 0, ...ids(bank).map(Number), 2);
    world.setBalance(A, bank, 100n);
    expect(send(world, call(thief, 1), { [A]: 10n }).receipt.status).toBe('OK');
    const { receipt } = send(world, call(thief, 2, ...ids(A), safe));
    return { world, bank, thief, receipt };
  };

  it('robs a bank that writes only at its end: what it returns comes too late for the calls inside', () => {
    const { world, bank, thief, receipt } = rob(0);
    expect(receipt).toMatchObject({ status: 'OK', callTotal: 4 });
    expect([world.balance(A, bank), world.balance(A, thief)]).toEqual([90n, 20n]);
  });

  it('cannot rob one whose checkpoint takes the deposit away before it pays', () => {
    const { world, bank, thief, receipt } = rob(1);
    expect(receipt).toMatchObject({ status: 'REVERT', error: 'abort' });
    expect([world.balance(A, bank), world.balance(A, thief)]).toEqual([110n, 0n]);
  });
});

describe('a gas burner', () => {
  it('burns the rest in a call: OUT_OF_FUEL, all of it gone', () => {
    const world = new World();
    const id = world.deploy(callsProgram('burner'));
    const { receipt, refund } = send(world, call(id, 3, 1_000), { [A]: 1n });
    expect(receipt).toMatchObject({ status: 'OUT_OF_FUEL', fuelUsed: 3_500_000, calls: [{ status: 'OUT_OF_FUEL' }] });
    expect(refund).toEqual({ [A]: 1n });
  });

  it('calls as often as its fuel allows', () => {
    const world = new World();
    const id = world.deploy(callsProgram('burner'));
    const { receipt } = send(world, call(id, 4, 100));
    expect(receipt).toMatchObject({ status: 'OK', callTotal: 100 });
    const each = receipt.fuelUsed / 100;
    expect(send(world, call(id, 4, Math.ceil(3_500_000 / each) + 5)).receipt.status).toBe('OUT_OF_FUEL');
  });
});
