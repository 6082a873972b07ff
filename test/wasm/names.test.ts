import { beforeEach, describe, expect, test } from 'vitest';
import {
  asInputs,
  nameBytes,
  nameRegistration,
  nameTransfer,
  nameUpdate,
  Signer,
} from '../../src/selftest/inputs/signed-calls.js';
import { concatBytes, u64Bytes } from '../../src/util/bytes.js';
import { Contract, SELF } from './contract.js';

const [alice, bob] = [1, 2].map((n) => new Signer('names', n));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const DATA = text('https://example.org');
const entry = (owner: Signer, nonce: bigint, data: Uint8Array): Uint8Array =>
  concatBytes(owner.key, u64Bytes(nonce), data);
const altered = (inputs: readonly bigint[], at: number): bigint[] => inputs.map((n, i) => (i === at ? n ^ 1n : n));

let names: Contract;
beforeEach(() => {
  names = new Contract('names');
  expect(names.call([0]).status).toBe('OK');
});
const register = (name: string, owner = alice, data = DATA) => names.call(nameRegistration(name, owner.key, data));
const resolve = (name: string): Uint8Array => names.call([4n, ...asInputs(nameBytes(name))]).data;

describe('names: registration', () => {
  test('is for who comes first, and touches one key', () => {
    const result = register('satoshi');
    expect(result).toMatchObject({ status: 'OK', keysRead: ['name/satoshi'], transfers: [] });
    expect([...result.writes]).toEqual([['name/satoshi', entry(alice, 0n, DATA)]]);
    expect(result.fuelUsed).toBeLessThan(15_000);
    expect(resolve('satoshi')).toEqual(entry(alice, 0n, DATA));
    expect(register('satoshi', bob).status).toBe('REVERT');
    expect(resolve('finney')).toHaveLength(0);
  });

  test('takes 1 to 32 of a-z, 0-9 and hyphen, and nothing behind the first zero', () => {
    for (const good of ['a', '0', '-', 'a-b-9', 'z'.repeat(32), '0123456789-abcdefghijklmnopqrstu']) {
      expect(register(good).status).toBe('OK');
    }
    for (const bad of ['', 'A', 'a b', 'a.b', 'a_b', '`', '{', '/', ':', 'ä', 'a\u0000b', '\u0000a']) {
      expect(register(bad).status).toBe('REVERT');
    }
    expect([...names.storage.keys()].every((key) => /^name\/[a-z0-9-]{1,32}$/.test(key))).toBe(true);
  });

  test('takes 0 to 128 bytes of data', () => {
    for (const length of [0, 1, 16, 17, 128]) {
      const data = Uint8Array.from({ length }, (_, i) => i + 1);
      expect(register(`n${length}`, alice, data).status).toBe('OK');
      expect(resolve(`n${length}`)).toEqual(entry(alice, 0n, data));
    }
    expect(register('long', alice, new Uint8Array(129)).status).toBe('REVERT');
    const inputs = nameRegistration('long', alice.key, DATA);
    expect(names.call(inputs.map((n, i) => (i === 5 ? n | (1n << 64n) : n))).status).toBe('REVERT');
  });
});

describe.each([
  [
    'update',
    (signer: Signer, name: string, nonce: bigint) => nameUpdate(SELF, signer, name, nonce, text('new')),
    entry(alice, 1n, text('new')),
  ],
  [
    'transfer',
    (signer: Signer, name: string, nonce: bigint) => nameTransfer(SELF, signer, name, nonce, bob.key),
    entry(bob, 1n, DATA),
  ],
] as const)('names: %s', (_, change, after) => {
  beforeEach(() => void register('satoshi'));

  test('by the owner, once', () => {
    const inputs = change(alice, 'satoshi', 0n);
    const result = names.call(inputs);
    expect(result).toMatchObject({ status: 'OK', keysRead: ['name/satoshi'] });
    expect([...result.writes]).toEqual([['name/satoshi', after]]);
    expect(result.fuelUsed).toBeGreaterThan(100_000);
    expect(names.call(inputs).status).toBe('REVERT');
  });

  test('with any field changed, by another, of an unknown name or under another nonce reverts', () => {
    const good = change(alice, 'satoshi', 0n);
    for (let at = 1; at < good.length; at++) expect(names.call(altered(good, at)).status).toBe('REVERT');
    expect(names.call(change(bob, 'satoshi', 0n)).status).toBe('REVERT');
    expect(names.call(change(alice, 'finney', 0n)).status).toBe('REVERT');
    expect(names.call(change(alice, 'satoshi', 1n)).status).toBe('REVERT');
    register('finney');
    const other = change(alice, 'finney', 0n);
    expect(names.call([...good.slice(0, 4), ...other.slice(4)]).status).toBe('REVERT');
    expect(names.call(good).status).toBe('OK');
  });

  test('the dry run skips the signature and declares the name, whether it is there or not', () => {
    const good = change(alice, 'satoshi', 0n);
    const dry = names.call(altered(good, 5), { dryRun: true });
    expect(dry).toMatchObject({ status: 'OK', keysRead: ['name/satoshi'], declared: ['put name/satoshi'] });
    expect(dry.fuelUsed).toBeLessThan(15_000);
    const absent = names.call(change(alice, 'finney', 0n), { dryRun: true });
    expect(absent).toMatchObject({ status: 'REVERT', keysRead: ['name/finney'], declared: ['put name/finney'] });
  });
});

test('names: the new owner goes on where the old one stopped, and no signature serves twice', () => {
  register('satoshi');
  expect(names.call(nameTransfer(SELF, alice, 'satoshi', 0n, bob.key)).status).toBe('OK');
  expect(names.call(nameUpdate(SELF, alice, 'satoshi', 1n, DATA)).status).toBe('REVERT');
  expect(names.call(nameUpdate(SELF, bob, 'satoshi', 1n, text('bob'))).status).toBe('OK');
  expect(names.call(nameTransfer(SELF, bob, 'satoshi', 2n, alice.key)).status).toBe('OK');
  expect(resolve('satoshi')).toEqual(entry(alice, 3n, text('bob')));
  expect(names.call(nameTransfer(SELF, alice, 'satoshi', 0n, bob.key)).status).toBe('REVERT');
  expect(names.call(nameUpdate({ block: 2n, tx: 6n }, alice, 'satoshi', 3n, DATA)).status).toBe('REVERT');
});

test('names answers its name and returns incoming assets', () => {
  const incoming = [{ block: 2n, tx: 1n, amount: 9n }];
  expect(Buffer.from(names.call([99]).data).toString()).toBe('names');
  for (const inputs of [[0n], [99n], nameRegistration('satoshi', alice.key, DATA)]) {
    expect(names.call(inputs, { incoming })).toMatchObject({ status: 'OK', transfers: incoming });
  }
  expect(names.call([5]).status).toBe('REVERT');
});
