import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fuzz, property, type TestChain, test } from 'warpshrew/test';

const CAP = 3;
const EACH = 5;
const MINT = 77;

const deploy = (chain: TestChain) => chain.deploy('token', [0, CAP, EACH]);
const supply = (chain: TestChain): bigint => chain.number(chain.ok(chain.call('2:1', [101])));

test('mints up to the cap', (chain) => {
  const token = deploy(chain);
  for (let i = 0; i < CAP; i++) chain.ok(chain.call(token, [MINT]));
  chain.reverts(chain.call(token, [MINT]), 'all is minted');
  assert.equal(chain.balance(token, chain.account('alice')), BigInt(CAP * EACH));
  assert.equal(supply(chain), BigInt(CAP * EACH));
});

test('is initialised once', (chain) => {
  chain.reverts(chain.call(deploy(chain), [0, 1, 1]), 'it is initialised');
});

test('says its name', (chain) => {
  assert.equal(chain.text(chain.call(deploy(chain), [99])), 'token');
});

test('moves between accounts', (chain) => {
  const token = deploy(chain);
  const bob = chain.account('bob');
  chain.ok(chain.call(token, [MINT]));
  // Whatever comes in with a message goes on to its pointer.
  chain.ok(chain.call(token, [99], { to: bob, send: { '2:1': 2 } }));
  assert.equal(chain.balance(token, bob), 2n);
  assert.equal(chain.balance(token, chain.account('alice')), 3n);
});

test('several mints of one block count one by one', (chain) => {
  const token = deploy(chain);
  const { results } = chain.block((send) => {
    for (let i = 0; i < CAP + 1; i++) send({ target: token, inputs: [MINT] });
  });
  assert.deepEqual(
    results.map(({ status }) => status),
    ['OK', 'OK', 'OK', 'REVERT'],
  );
});

test('a reorg takes mints back', (chain) => {
  const token = deploy(chain);
  chain.ok(chain.call(token, [MINT]));
  chain.reorg(1);
  assert.equal(supply(chain), 0n);
});

property(
  'the supply is what was minted',
  fc.integer({ min: 0, max: 2 * CAP }),
  (chain, calls) => {
    const token = deploy(chain);
    for (let i = 0; i < calls; i++) chain.call(token, [MINT]);
    assert.equal(supply(chain), BigInt(Math.min(calls, CAP) * EACH));
  },
  { runs: 10 },
);

fuzz('never more than the cap', {
  setup: (chain) => chain.deploy('token', [0, 1000, EACH]),
  call: (random, token) => ({ target: token, inputs: [random.pick([MINT, MINT, 99, 101])] }),
  invariant: (chain, token) => assert.ok(chain.balance(token, chain.account('alice')) <= BigInt(1000 * EACH)),
});
