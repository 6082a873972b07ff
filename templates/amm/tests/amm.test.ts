import assert from 'node:assert/strict';
import { type TestChain, test } from 'warpshrew/test';

/** Two coins that alice holds 1,000 of each, and a pool of them: 2:1, 2:2, 2:3. */
function world(chain: TestChain) {
  const coins = [0, 1].map(() => {
    const coin = chain.deploy('coin', [0, 10, 1000]);
    chain.ok(chain.call(coin, [77]));
    return coin.id;
  });
  const amm = chain.deploy('amm');
  const [a, b] = coins;
  chain.ok(chain.call(amm, [1, 1, a.block, a.tx, b.block, b.tx, 30]));
  return { amm };
}

test('swaps at the price of its reserves, less the fee', (chain) => {
  const { amm } = world(chain);
  chain.ok(chain.call(amm, [2, 1, 0, 0], { send: { '2:1': 500, '2:2': 500 } }));
  const swapped = chain.ok(chain.call(amm, [3, 1, 0], { send: { '2:1': 100 } }));
  // 100 less the fee of 30 / 10,000, rounded up, against 500 on each side.
  assert.deepEqual(swapped.transfers, [{ id: { block: 2n, tx: 2n }, amount: (500n * 99n) / 599n }]);
});

test('refuses less than is asked for', (chain) => {
  const { amm } = world(chain);
  chain.ok(chain.call(amm, [2, 1, 0, 0], { send: { '2:1': 500, '2:2': 500 } }));
  chain.reverts(chain.call(amm, [3, 1, 83], { send: { '2:1': 100 } }));
  assert.equal(chain.balance('2:1', chain.account('alice')), 500n);
});

test('swaps of different pools of a block do not wait for each other', (chain) => {
  const { amm } = world(chain);
  chain.ok(chain.call(amm, [1, 2, 2, 1, 2, 2, 30]));
  chain.ok(chain.call(amm, [2, 1, 0, 0], { send: { '2:1': 100, '2:2': 100 } }));
  chain.ok(chain.call(amm, [2, 2, 0, 0], { send: { '2:1': 100, '2:2': 100 } }));
  assert.notDeepEqual(chain.call(amm, [4, 1]).data, new Uint8Array(0));
  assert.notDeepEqual(chain.call(amm, [4, 2]).data, new Uint8Array(0));
});
