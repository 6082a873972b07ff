import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestChain, test } from 'warpshrew/test';

const AMOUNTS = [10n, 20n, 30n, 40n];
const DEPTH = 2;

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Index (8 bytes) and amount (16 bytes), little-endian. */
function leaf(index: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(BigInt(index), 0);
  bytes.writeBigUInt64LE(AMOUNTS[index], 8);
  return sha256(bytes);
}

/** 32 bytes as two inputs. */
function inputs(hash: Buffer): bigint[] {
  const number = (at: number): bigint => hash.readBigUInt64LE(at) | (hash.readBigUInt64LE(at + 8) << 64n);
  return [number(0), number(16)];
}

const LEAVES = AMOUNTS.map((_, index) => leaf(index));
const PAIRS = [sha256(LEAVES[0], LEAVES[1]), sha256(LEAVES[2], LEAVES[3])];
const ROOT = sha256(PAIRS[0], PAIRS[1]);

const deploy = (chain: TestChain) => chain.deploy('claim', [0, ...inputs(ROOT), DEPTH]);
const claim = (index: number, amount = AMOUNTS[index]): bigint[] => [
  ...[1n, BigInt(index), amount],
  ...inputs(LEAVES[index ^ 1]),
  ...inputs(PAIRS[(index >> 1) ^ 1]),
];

test('pays each leaf once', (chain) => {
  const drop = deploy(chain);
  for (let i = 0; i < AMOUNTS.length; i++) chain.ok(chain.call(drop, claim(i)));
  assert.equal(chain.balance(drop, chain.account('alice')), 100n);
  chain.reverts(chain.call(drop, claim(2)));
});

test('pays nothing without a proof', (chain) => {
  const drop = deploy(chain);
  chain.reverts(chain.call(drop, claim(1, 21n)));
  assert.equal(chain.balance(drop, chain.account('alice')), 0n);
});

test('claims of one block are independent', (chain) => {
  const drop = deploy(chain);
  const { results } = chain.block((send) => {
    for (let i = 0; i < AMOUNTS.length; i++) send({ target: drop, inputs: claim(i) });
  });
  assert.ok(results.every(({ status }) => status === 'OK'));
});
