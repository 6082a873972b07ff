import { beforeEach, describe, expect, test } from 'vitest';
import { AirdropTree } from '../../src/selftest/inputs/merkle.js';
import { toHex, U128_MAX } from '../../src/util/bytes.js';
import { Contract, keyOf, SELF } from './contract.js';

const amounts = Array.from({ length: 16 }, (_, i) => (i === 15 ? U128_MAX : BigInt(1000 + i)));
const tree = new AirdropTree(amounts);

let claim: Contract;
beforeEach(() => {
  claim = new Contract('claim');
  expect(claim.call(tree.initialise()).status).toBe('OK');
});

describe('claim', () => {
  test('every leaf with its proof gets its amount once, and never again', () => {
    for (let i = 0; i < amounts.length; i++) {
      const first = claim.call(tree.claim(i));
      expect(first).toMatchObject({ status: 'OK', transfers: [{ ...SELF, amount: amounts[i] }] });
      expect([...first.writes]).toEqual([[keyOf('claimed/', i), Uint8Array.of(1)]]);
      expect(claim.call(tree.claim(i)).status).toBe('REVERT');
    }
  });

  test('a proof with any number changed by one reverts', () => {
    const good = tree.claim(6);
    for (let at = 1; at < good.length; at++) {
      const bad = good.map((n, k) => (k === at ? n ^ 1n : n));
      expect(claim.call(bad).status).toBe('REVERT');
    }
    expect(claim.call(good).status).toBe('OK');
  });

  test('an index outside the tree, an amount of 0 and a missing sibling revert', () => {
    const good = tree.claim(3);
    expect(claim.call([1n, 16n + 3n, ...good.slice(2)]).status).toBe('REVERT');
    expect(claim.call([1n, 2n ** 64n + 3n, ...good.slice(2)]).status).toBe('REVERT');
    expect(claim.call([1n, 3n, 0n, ...good.slice(3)]).status).toBe('REVERT');
    expect(claim.call(good.slice(0, -1)).status).toBe('REVERT');
  });

  test('padding zeros behind the proof change nothing', () => {
    expect(claim.call([...tree.claim(1), 0, 0, 0]).status).toBe('OK');
  });

  test('initialises once, with a depth of at most 32; claims before that revert', () => {
    expect(claim.call(tree.initialise()).status).toBe('REVERT');
    const fresh = new Contract('claim');
    expect(fresh.call(tree.claim(0)).status).toBe('REVERT');
    expect(fresh.call([0, 1, 2, 33]).status).toBe('REVERT');
    expect(fresh.call([0, 1, 2, 32]).status).toBe('OK');
  });

  test('a tree of one leaf needs no sibling', () => {
    const one = new AirdropTree([7n]);
    const fresh = new Contract('claim');
    expect(fresh.call(one.initialise()).status).toBe('OK');
    expect(fresh.call(one.claim(0)).status).toBe('OK');
  });

  test('the dry run skips the proof and touches the same keys as the run', () => {
    const dry = claim.call(tree.claim(5), { dryRun: true });
    const real = claim.call(tree.claim(5));
    expect(dry.reads).toEqual(real.reads);
    expect(dry.writes).toEqual(real.writes);
    // Two halves of a sibling per level; hashing a pair costs 120.
    const levels = (tree.claim(5).length - 3) / 2;
    expect(real.fuelUsed - dry.fuelUsed).toBeGreaterThan(levels * 120);
    const wrong = tree.claim(7).map((n, k) => (k === 3 ? n ^ 1n : n));
    expect(claim.call(wrong, { dryRun: true }).status).toBe('OK');
    expect(claim.call(wrong).status).toBe('REVERT');
  });

  test('a proof of depth 32 stays far below the fuel of a message', () => {
    const fresh = new Contract('claim');
    fresh.call([0, 0, 0, 32]);
    const { status, fuelUsed } = fresh.call([1, 0, 5, ...Array.from({ length: 64 }, () => 1)]);
    expect(status).toBe('REVERT');
    expect(fuelUsed).toBeLessThan(1_000_000);
  });

  test('incoming assets are returned, and the getters answer', () => {
    const asset = { block: 4n, tx: 77n, amount: 3n };
    expect(claim.call(tree.claim(2), { incoming: [asset] }).transfers).toEqual([asset, { ...SELF, amount: 1002n }]);
    expect(Buffer.from(claim.call([99]).data).toString()).toBe('claim');
    const [, low, high] = tree.initialise();
    expect(BigInt(`0x${toHex(claim.call([100]).data.slice(0, 32).reverse())}`)).toBe((high << 128n) | low);
    expect(claim.call([2]).status).toBe('REVERT');
    expect(claim.call([2n ** 32n]).status).toBe('REVERT');
    expect(claim.call([2n ** 64n + 99n]).status).toBe('REVERT');
  });

  test('a context that does not fit into the memory reverts', () => {
    expect(claim.call([99, ...Array.from({ length: 3000 }, () => 0)]).status).toBe('OK');
    expect(claim.call([99, ...Array.from({ length: 5000 }, () => 0)]).status).toBe('REVERT');
  });
});
