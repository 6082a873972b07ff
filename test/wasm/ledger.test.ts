import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  asInputs,
  ledgerDeposit,
  ledgerTransfer,
  ledgerWithdrawal,
  Signer,
} from '../../src/selftest/inputs/signed-calls.js';
import {
  concatBytes,
  fromHex,
  readU128,
  toBinaryString,
  U128_MAX,
  u32Bytes,
  u64Bytes,
  u128Bytes,
} from '../../src/util/bytes.js';
import { type Asset, type CallOptions, Contract, SELF } from './contract.js';

const ASSET = { block: 2n, tx: 77n };
const OTHER = { block: 2n, tx: 78n };
const [alice, bob, carol] = [1, 2, 3].map((n) => new Signer('ledger', n));
const OUTPOINT = Uint8Array.from({ length: 36 }, (_, i) => i + 1);
/** A transaction that spends OUTPOINT first, without and with witnesses. */
const TRANSACTION = concatBytes(u32Bytes(2), Uint8Array.of(1), OUTPOINT, new Uint8Array(40));
const WITNESSED = concatBytes(u32Bytes(2), Uint8Array.of(0, 1, 1), OUTPOINT, new Uint8Array(40));

const accountKey = (key: Uint8Array): string => `account/${toBinaryString(key)}`;
const account = (ledger: Contract, { key }: Signer): { balance: bigint; nonce: bigint } | undefined => {
  const value = ledger.storage.get(accountKey(key));
  if (value === undefined) return undefined;
  expect(value.length).toBe(24);
  return { balance: readU128(value, 0), nonce: new DataView(value.buffer, value.byteOffset).getBigUint64(16, true) };
};
const of = (amount: bigint, asset = ASSET): CallOptions => ({ incoming: [{ ...asset, amount }] });
/** The inputs with number `at` changed by one. */
const altered = (inputs: readonly bigint[], at: number): bigint[] => inputs.map((n, i) => (i === at ? n ^ 1n : n));

let ledger: Contract;
beforeEach(() => {
  ledger = new Contract('ledger');
  expect(ledger.call([0n, ASSET.block, ASSET.tx]).status).toBe('OK');
});
const deposit = (to: Signer, amount: bigint) => ledger.call(ledgerDeposit(to.key), of(amount));
const transfer = (from: Signer, to: Signer, amount: bigint, nonce: bigint) =>
  ledger.call(ledgerTransfer(SELF, from, to.key, amount, nonce));

describe('ledger: deposits', () => {
  test('credit the key and keep the asset', () => {
    const first = deposit(alice, 100n);
    expect(first).toMatchObject({ status: 'OK', transfers: [] });
    expect(first.keysRead).toEqual(['asset', accountKey(alice.key)]);
    expect([...first.writes.keys()]).toEqual([accountKey(alice.key)]);
    deposit(alice, 5n);
    expect(account(ledger, alice)).toEqual({ balance: 105n, nonce: 0n });
  });

  test('want exactly the one asset, an initialised ledger and a sum within u128', () => {
    const inputs = ledgerDeposit(alice.key);
    const both: Asset[] = [
      { ...ASSET, amount: 1n },
      { ...OTHER, amount: 1n },
    ];
    expect(ledger.call(inputs).status).toBe('REVERT');
    expect(ledger.call(inputs, of(1n, OTHER)).status).toBe('REVERT');
    expect(ledger.call(inputs, { incoming: both }).status).toBe('REVERT');
    expect(new Contract('ledger').call(inputs, of(1n)).status).toBe('REVERT');
    expect(ledger.call([0n, 2n, 1n]).status).toBe('REVERT');
    expect(deposit(alice, U128_MAX).status).toBe('OK');
    expect(deposit(alice, 1n).status).toBe('REVERT');
  });
});

describe('ledger: transfers', () => {
  test('move the amount, count the nonce and touch the two accounts and nothing else', () => {
    deposit(alice, 100n);
    const result = transfer(alice, bob, 30n, 0n);
    expect(result).toMatchObject({ status: 'OK', transfers: [] });
    const keys = [accountKey(alice.key), accountKey(bob.key)];
    expect(result.keysRead).toEqual(keys);
    expect([...result.writes.keys()]).toEqual(keys);
    expect(account(ledger, alice)).toEqual({ balance: 70n, nonce: 1n });
    expect(account(ledger, bob)).toEqual({ balance: 30n, nonce: 0n });
    expect(result.fuelUsed).toBeGreaterThan(150_000);
    expect(result.fuelUsed).toBeLessThan(170_000);
  });

  test('want the nonce, the amount and a signature over every field', () => {
    deposit(alice, 100n);
    const good = ledgerTransfer(SELF, alice, bob.key, 30n, 0n);
    for (let at = 1; at < good.length; at++) expect(ledger.call(altered(good, at)).status).toBe('REVERT');
    expect(ledger.call(good.slice(0, -1)).status).toBe('REVERT');
    expect(transfer(alice, bob, 101n, 0n).status).toBe('REVERT');
    expect(transfer(alice, bob, 0n, 0n).status).toBe('REVERT');
    expect(transfer(alice, bob, 1n, 1n).status).toBe('REVERT');
    expect(transfer(carol, bob, 1n, 0n).status).toBe('REVERT');
    // Bob signs for Alice's account.
    const forged = ledgerTransfer(SELF, bob, carol.key, 1n, 0n);
    expect(ledger.call([2n, ...asInputs(alice.key), ...forged.slice(3)]).status).toBe('REVERT');
    expect(ledger.call(good).status).toBe('OK');
    expect(ledger.call(good).status).toBe('REVERT');
  });

  test('a signature is worth nothing to another contract, and a withdrawal no transfer', () => {
    deposit(alice, 100n);
    expect(ledger.call(ledgerTransfer({ block: 2n, tx: 6n }, alice, bob.key, 1n, 0n)).status).toBe('REVERT');
    const signature = ledgerWithdrawal(SELF, alice, 1n, 0n, OUTPOINT).slice(-4);
    const inputs = [...ledgerTransfer(SELF, alice, bob.key, 1n, 0n).slice(0, -4), ...signature];
    expect(ledger.call(inputs).status).toBe('REVERT');
  });

  test('to oneself changes the nonce only', () => {
    deposit(alice, 100n);
    const result = transfer(alice, alice, 100n, 0n);
    expect(result.status).toBe('OK');
    expect([...result.writes.keys()]).toEqual([accountKey(alice.key)]);
    expect(account(ledger, alice)).toEqual({ balance: 100n, nonce: 1n });
  });

  test('an account that is emptied keeps its nonce; a receiver over u128 reverts; the last nonce is never used', () => {
    deposit(alice, 7n);
    transfer(alice, bob, 7n, 0n);
    expect(account(ledger, alice)).toEqual({ balance: 0n, nonce: 1n });
    const value = (balance: bigint, nonce: bigint) => concatBytes(u128Bytes(balance), u64Bytes(nonce));
    ledger.storage.set(accountKey(carol.key), value(U128_MAX, 0n));
    expect(transfer(bob, carol, 1n, 0n).status).toBe('REVERT');
    const last = 2n ** 64n - 1n;
    ledger.storage.set(accountKey(alice.key), value(5n, last - 1n));
    expect(transfer(alice, bob, 1n, last - 1n).status).toBe('OK');
    expect(transfer(alice, bob, 1n, last).status).toBe('REVERT');
    expect(ledger.call(altered(ledgerTransfer(SELF, bob, alice.key, 1n, 0n), 6)).status).toBe('REVERT');
  });

  test('a key that is on no curve can receive, but not send', () => {
    const nowhere = fromHex('eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34');
    expect(ledger.call(ledgerDeposit(nowhere), of(9n)).status).toBe('OK');
    const inputs = ledgerTransfer(SELF, alice, bob.key, 1n, 0n);
    expect(ledger.call([2n, ...asInputs(nowhere), ...inputs.slice(3)]).status).toBe('REVERT');
  });

  test('the dry run skips the signature and declares both accounts, whatever it finds there', () => {
    deposit(alice, 10n);
    const declared = [accountKey(alice.key), accountKey(bob.key)].map((key) => `put ${key}`);
    for (const [amount, nonce, status] of [
      [5n, 0n, 'OK'],
      [11n, 0n, 'REVERT'],
      [5n, 1n, 'REVERT'],
    ] as const) {
      const inputs = ledgerTransfer(SELF, alice, bob.key, amount, nonce);
      const dry = ledger.call(altered(inputs, 8), { dryRun: true });
      expect(dry).toMatchObject({ status, declared });
      expect(dry.keysRead).toEqual([accountKey(alice.key), accountKey(bob.key)]);
      expect(dry.fuelUsed).toBeLessThan(20_000);
    }
    const inputs = ledgerTransfer(SELF, alice, bob.key, 5n, 0n);
    const dry = ledger.call(inputs, { dryRun: true });
    const real = ledger.call(inputs);
    expect(dry.keysRead).toEqual(real.keysRead);
    expect(dry.writes).toEqual(real.writes);
    expect(real.declared).toEqual([]);
  });

  test('random deposits, transfers and withdrawals keep the sum, in every account and over all', () => {
    const signers = [alice, bob, carol];
    const who = fc.nat(2);
    const step = fc.record({
      kind: fc.constantFrom('deposit' as const, 'transfer' as const, 'transfer' as const, 'withdraw' as const),
      from: who,
      to: who,
      amount: fc.bigInt(0n, 60n),
      // Mostly the right nonce and signature.
      nonceOff: fc.constantFrom(0n, 0n, 0n, 0n, 1n),
      broken: fc.constantFrom(false, false, false, false, true),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        ledger = new Contract('ledger');
        ledger.call([0n, ASSET.block, ASSET.tx]);
        const balances = [0n, 0n, 0n];
        const nonces = [0n, 0n, 0n];
        for (const { kind, from, to, amount, nonceOff, broken } of steps) {
          if (kind === 'deposit') {
            expect(deposit(signers[to], amount + 1n).status).toBe('OK');
            balances[to] += amount + 1n;
            continue;
          }
          const nonce = nonces[from] + nonceOff;
          const inputs =
            kind === 'transfer'
              ? ledgerTransfer(SELF, signers[from], signers[to].key, amount, nonce)
              : ledgerWithdrawal(SELF, signers[from], amount, nonce, OUTPOINT);
          const holds = !broken && nonceOff === 0n && amount > 0n && amount <= balances[from];
          const result = ledger.call(broken ? altered(inputs, inputs.length - 2) : inputs, {
            transaction: TRANSACTION,
          });
          expect(result.status).toBe(holds ? 'OK' : 'REVERT');
          if (!holds) continue;
          balances[from] -= amount;
          nonces[from] += 1n;
          if (kind === 'transfer') balances[to] += amount;
          else expect(result.transfers).toEqual([{ ...ASSET, amount }]);
        }
        signers.forEach((signer, i) => {
          expect(account(ledger, signer) ?? { balance: 0n, nonce: 0n }).toEqual({
            balance: balances[i],
            nonce: nonces[i],
          });
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('ledger: withdrawals', () => {
  test('pay out, whatever form the transaction has', () => {
    deposit(alice, 50n);
    for (const [nonce, transaction] of [
      [0n, TRANSACTION],
      [1n, WITNESSED],
      [2n, concatBytes(u32Bytes(2), Uint8Array.of(0, 1, 0xfd, 0, 1), OUTPOINT, new Uint8Array(40))],
      [3n, concatBytes(u32Bytes(2), Uint8Array.of(0xfe, 0, 0, 1, 0), OUTPOINT, new Uint8Array(40))],
    ] as const) {
      const result = ledger.call(ledgerWithdrawal(SELF, alice, 10n, nonce, OUTPOINT), { transaction });
      expect(result).toMatchObject({ status: 'OK', transfers: [{ ...ASSET, amount: 10n }] });
      expect([...result.writes.keys()]).toEqual([accountKey(alice.key)]);
    }
    expect(account(ledger, alice)).toEqual({ balance: 10n, nonce: 4n });
  });

  test('in a transaction of someone else revert: the signature binds the first outpoint', () => {
    deposit(alice, 50n);
    const inputs = ledgerWithdrawal(SELF, alice, 10n, 0n, OUTPOINT);
    for (let at = 5; at < 41; at++) {
      const stolen = TRANSACTION.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(ledger.call(inputs, { transaction: stolen }).status).toBe('REVERT');
    }
    expect(ledger.call(inputs).status).toBe('REVERT');
    expect(ledger.call(inputs, { transaction: new Uint8Array(70_000) }).status).toBe('REVERT');
    for (let at = 1; at < inputs.length; at++) {
      expect(ledger.call(altered(inputs, at), { transaction: TRANSACTION }).status).toBe('REVERT');
    }
    expect(ledger.call(inputs, { transaction: TRANSACTION }).status).toBe('OK');
  });

  test('the dry run declares the account and asks for no transaction', () => {
    deposit(alice, 50n);
    const declared = [`put ${accountKey(alice.key)}`];
    expect(ledger.call(ledgerWithdrawal(SELF, alice, 10n, 0n, OUTPOINT), { dryRun: true })).toMatchObject({
      status: 'OK',
      declared,
    });
    expect(ledger.call(ledgerWithdrawal(SELF, alice, 60n, 0n, OUTPOINT), { dryRun: true })).toMatchObject({
      status: 'REVERT',
      declared,
    });
  });
});

test('ledger answers its name, its asset and accounts, and returns incoming assets', () => {
  deposit(alice, 4n);
  const incoming = [{ ...OTHER, amount: 3n }];
  for (const inputs of [[99n], [100n], ledgerTransfer(SELF, alice, bob.key, 1n, 0n)]) {
    expect(ledger.call(inputs, { incoming })).toMatchObject({ status: 'OK', transfers: incoming });
  }
  expect(Buffer.from(ledger.call([99]).data).toString()).toBe('ledger');
  expect(ledger.call([100]).data).toEqual(concatBytes(u128Bytes(ASSET.block), u128Bytes(ASSET.tx)));
  expect(ledger.call([101n, ...asInputs(alice.key)]).data).toEqual(ledger.storage.get(accountKey(alice.key)));
  expect(ledger.call([101n, ...asInputs(carol.key)]).data).toHaveLength(0);
  expect(new Contract('ledger').call([100]).data).toHaveLength(0);
  expect(ledger.call([4]).status).toBe('REVERT');
});
