import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fuzz, property, type TestChain, test } from 'warpshrew/test';

const value = (chain: TestChain): bigint => chain.number(chain.ok(chain.call('2:1', [2])));

test('adds', (chain) => {
  const counter = chain.deploy('counter');
  chain.ok(chain.call(counter, [1, 5]));
  chain.ok(chain.call(counter, [1, 7]));
  assert.equal(value(chain), 12n);
});

test('stays within 128 bits', (chain) => {
  const counter = chain.deploy('counter');
  chain.ok(chain.call(counter, [1, 2n ** 128n - 1n]));
  chain.reverts(chain.call(counter, [1, 1]), 'over 128 bits');
  assert.equal(value(chain), 2n ** 128n - 1n);
});

test('has no other opcodes', (chain) => {
  chain.reverts(chain.call(chain.deploy('counter'), [9]), 'no such opcode');
});

property(
  'is the sum of what was added',
  fc.array(fc.bigInt({ min: 0n, max: 1_000n }), { maxLength: 5 }),
  (chain, adds) => {
    const counter = chain.deploy('counter');
    for (const amount of adds) chain.ok(chain.call(counter, [1, amount]));
    assert.equal(
      value(chain),
      adds.reduce((sum, amount) => sum + amount, 0n),
    );
  },
  { runs: 10 },
);

let sum = 0n;
fuzz('counts every call', {
  setup: (chain) => {
    sum = 0n;
    return chain.deploy('counter');
  },
  call: (random, counter) => {
    const amount = random.bigint(64);
    sum += amount;
    return { target: counter, inputs: [1, amount] };
  },
  invariant: (chain) => {
    const stored = chain.storage('2:1', 'counter') ?? new Uint8Array(16);
    assert.equal(Buffer.from(stored).readBigUInt64LE(0) + (Buffer.from(stored).readBigUInt64LE(8) << 64n), sum);
  },
});
