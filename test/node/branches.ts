import { encodeEnvelope, gzipStored } from '../../src/protocol/encode.js';
import { KeyRing } from '../../src/testing/regtest/keys.js';
import { call, id, runestoneOf } from '../../src/testing/regtest/messages.js';
import { type BuiltBlock, RegtestChain } from '../../src/testing/regtest/regtest-chain.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { signTransaction } from '../../src/wallet/coins.js';

const FEE = 2_000n;
/** A block spends the reward of the block this far before it: mature by a few blocks. */
const AGE = 104;
const MINT = id(2, 1);
const PROBE = id(2, 2);
const keys = new KeyRing('node-suite');
const miner = keys.lock('p2wpkh');

/**
 * A chain with lane transactions in every block after the one with the contracts: a call that writes a key of its own
 * and one that mints from a shared counter, both of which depend on `salt`, so that branches from the same block differ
 * in every key and balance.
 */
export class Branch {
  private constructor(readonly chain: RegtestChain) {}

  /** The chain up to the block with the contracts. */
  static begin(): Branch {
    const chain = new RegtestChain();
    while (chain.tipHeight < AGE) chain.mine(miner);
    const { mint, probe } = builtPrograms();
    const leaves = [mint, probe].map((wasm) => keys.lockWithLeaf(encodeEnvelope(gzipStored(wasm))));
    const reward = rewardOf(chain, 1);
    const value = reward.value / 2n - FEE;
    const commit = signTransaction(
      [reward],
      leaves.map((lock) => ({ value, lock })),
    );
    chain.mine(miner, { transactions: [commit] });
    const reveals = [[0, 10 ** 9, 5], [0]].map((inputs, i) => {
      const coin = commit.coins[i];
      if (coin === undefined) throw new RangeError('a leaf that cannot be spent');
      const script = runestoneOf([call(id(1, 0), inputs)]);
      return signTransaction(
        [coin],
        [
          { value: coin.value - FEE, lock: miner },
          { value: 0n, script },
        ],
      );
    });
    chain.mine(miner, { transactions: reveals });
    return new Branch(chain);
  }

  get tipHeight(): number {
    return this.chain.tipHeight;
  }

  /** Blocks from height `from` on. */
  blocks(from = 0): readonly BuiltBlock[] {
    return this.chain.blocks.slice(from);
  }

  /** Another branch that has this one's blocks up to `height`. */
  fork(height: number): Branch {
    const chain = new RegtestChain();
    chain.blocks.push(...this.chain.blocks.slice(1, height + 1));
    return new Branch(chain);
  }

  /** Mines `count` blocks and gives them. */
  grow(count: number, salt: number): readonly BuiltBlock[] {
    const from = this.tipHeight + 1;
    for (let n = 0; n < count; n++) {
      const height = this.tipHeight + 1;
      const reward = rewardOf(this.chain, height - AGE);
      const writes = signTransaction(
        [reward],
        [
          { value: reward.value - FEE, lock: miner },
          { value: 0n, script: runestoneOf([call(PROBE, [4, salt * 1_000_000 + height])]) },
        ],
      );
      const [coin] = writes.coins;
      if (coin === undefined) throw new RangeError('no change');
      const mints = signTransaction(
        [coin],
        [
          { value: coin.value - FEE - BigInt(salt), lock: miner },
          { value: 0n, script: runestoneOf([call(MINT, [77])]) },
        ],
      );
      this.chain.mine(miner, { transactions: [writes, mints] });
    }
    return this.blocks(from);
  }
}

function rewardOf(chain: RegtestChain, height: number) {
  const reward = chain.blocks[height]?.reward;
  if (reward === undefined) throw new RangeError(`block ${height} has no reward`);
  return reward;
}
