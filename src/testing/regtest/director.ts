import { REGTEST } from '../../bitcoin/regtest.js';
import type { MessageStatus } from '../../lane/types.js';
import type { AlkaneId } from '../../protocol/types.js';
import { Prng } from '../../selftest/inputs/prng.js';
import { toDisplayHash } from '../../util/bytes.js';
import { type Coin, type Output, type SignedTransaction, signTransaction } from '../../wallet/coins.js';
import type { Lock } from '../../wallet/locks.js';
import { KeyRing, type LockKind } from './keys.js';
import { id, runestoneOf, type Stone } from './messages.js';
import { RegtestChain } from './regtest-chain.js';

/** What the builder knows about a transaction that it made for the parallel lane. */
export interface LaneNote {
  /** The purpose of the transaction. */
  readonly kind: string;
  readonly height: number;
  /** Position in the block. */
  readonly index: number;
  /** Display order. */
  readonly txid: string;
  /** Expected statuses of its tag-1 messages; undefined if the builder cannot know them. */
  readonly expect: readonly MessageStatus[] | undefined;
  /** Whether the whole transaction must be undone. */
  readonly undone: boolean;
}

/** A transaction for the lane: `stones` in a runestone as the last output, or a script of its own there, or none. */
export interface LaneSpec {
  readonly kind: string;
  readonly stones?: readonly Stone[];
  /** Script of the last output instead of `stones`. */
  readonly script?: Uint8Array;
  /** Coins to spend; a fresh funding coin if there are none. */
  readonly spend?: readonly Coin[];
  /** Number of ordinary outputs, which come first; 1 if not given. */
  readonly outputs?: number;
  readonly expect?: readonly MessageStatus[];
  readonly undone?: boolean;
}

/** A coin that carries (as far as the builder knows) an asset of the lane. */
export interface Holding {
  readonly coin: Coin;
  readonly asset: AlkaneId;
}

const FUNDING_VALUE = 1_000_000n;
const FEE = 1_000n;
/** A smaller holding is not used: chains that halve it at every hop must still pay their fees. */
const SPENDABLE_VALUE = 600n * FEE;
/** Used in turn; taproot less often, because a Schnorr signature takes four times as long. */
const LOCK_KINDS: readonly LockKind[] = ['taproot-key', 'p2wpkh', 'p2wpkh', 'p2wpkh'];

/**
 * Collects transactions, mines them into blocks, and keeps the books: funding coins, holdings, the lane's next id,
 * notes.
 */
export class Director {
  readonly chain = new RegtestChain();
  readonly notes: LaneNote[] = [];
  readonly holdings: Holding[] = [];
  readonly random: Prng;
  readonly keys: KeyRing;
  /** Next number of the lane's sequence: the builder's own count of successful creations. */
  nextSequence = 1n;
  readonly #miner: Lock;
  readonly #funding: Coin[] = [];
  #nextReward = 1;
  #pending: { tx: SignedTransaction; note: Omit<LaneNote, 'height' | 'index' | 'txid'> | undefined }[] = [];
  #locks = 0;

  constructor(seed: string) {
    this.random = new Prng(seed, 'director');
    this.keys = new KeyRing(seed);
    this.#miner = this.keys.lock('p2wpkh');
  }

  /** Mines empty blocks until `height` is the tip. */
  mineTo(height: number): void {
    while (this.chain.tipHeight < height) this.chain.mine(this.#miner);
  }

  /** Adds a transaction that turns the oldest mature reward into `count` funding coins. */
  fund(count: number): void {
    const block = this.chain.blocks[this.#nextReward];
    if (block?.reward === undefined || this.chain.tipHeight + 1 < block.height + REGTEST.coinbaseMaturity) {
      throw new RangeError(`the reward of block ${this.#nextReward} is not mature`);
    }
    this.#nextReward++;
    const outputs: Output[] = Array.from({ length: count }, () => ({ value: FUNDING_VALUE, lock: this.lock() }));
    const change = block.reward.value - BigInt(count) * FUNDING_VALUE - 50n * BigInt(count);
    const tx = signTransaction([block.reward], [...outputs, { value: change, lock: this.#miner }]);
    this.#funding.push(...tx.coins.slice(0, count).map(definedCoin));
    this.#pending.push({ tx, note: undefined });
  }

  /** A lock of ours; the kinds take turns. */
  lock(): Lock {
    return this.keys.lock(LOCK_KINDS[this.#locks++ % LOCK_KINDS.length]);
  }

  takeFunding(): Coin {
    const coin = this.#funding.shift();
    if (coin === undefined) throw new RangeError('no funding coin is left');
    return coin;
  }

  /** Adds a transaction that pays to a taproot leaf with this envelope; spending the coin reveals it. */
  commit(envelope: Uint8Array): Coin {
    const tx = signTransaction(
      [this.takeFunding()],
      [{ value: FUNDING_VALUE - FEE, lock: this.keys.lockWithLeaf(envelope) }],
    );
    this.#pending.push({ tx, note: undefined });
    return definedCoin(tx.coins[0]);
  }

  /** Adds a transaction for the lane to the next block. */
  send(spec: LaneSpec): SignedTransaction {
    const inputs = spec.spend === undefined || spec.spend.length === 0 ? [this.takeFunding()] : spec.spend;
    const count = spec.outputs ?? 1;
    const total = inputs.reduce((sum, coin) => sum + coin.value, 0n) - FEE;
    const outputs: Output[] = Array.from({ length: count }, () => ({
      value: total / BigInt(count),
      lock: this.lock(),
    }));
    const script = spec.script ?? (spec.stones ? runestoneOf(spec.stones) : undefined);
    const tx = signTransaction(inputs, script ? [...outputs, { value: 0n, script }] : outputs);
    this.#pending.push({ tx, note: { kind: spec.kind, expect: spec.expect, undone: spec.undone ?? false } });
    return tx;
  }

  /** Adds a successful creation, and returns its id: 2:next, or 4:n for a target 3:n. */
  create(target: AlkaneId, spec: LaneSpec): AlkaneId {
    this.send({ expect: ['OK'], ...spec });
    return target.block === 3n ? id(4, target.tx) : id(2, this.nextSequence++);
  }

  /** Records that output `vout` of `tx` carries `asset`. */
  hold(tx: SignedTransaction, vout: number, asset: AlkaneId): void {
    this.holdings.push({ coin: definedCoin(tx.coins[vout]), asset });
  }

  /** Takes a random coin with `asset` (any if not given) out of the books; undefined if there is none. */
  takeHolding(asset?: AlkaneId): Holding | undefined {
    const places: number[] = [];
    this.holdings.forEach((holding, i) => {
      const fits = asset === undefined || (holding.asset.block === asset.block && holding.asset.tx === asset.tx);
      if (fits && holding.coin.value > SPENDABLE_VALUE) places.push(i);
    });
    return places.length === 0 ? undefined : this.holdings.splice(this.random.pick(places), 1)[0];
  }

  /** The coin of {@link takeHolding}; throws RangeError if there is none. */
  spendHolding(asset: AlkaneId): Coin {
    const held = this.takeHolding(asset);
    if (held === undefined) throw new RangeError(`no coin with ${asset.block}:${asset.tx} is left`);
    return held.coin;
  }

  /**
   * Mines the added transactions; `coinbase` puts protostones into the coinbase (output 1; the reward is output 0, the
   * commitment 2).
   */
  seal(coinbase?: {
    readonly kind: string;
    readonly stones: readonly Stone[];
    readonly expect?: readonly MessageStatus[];
  }): void {
    const block = this.chain.mine(this.#miner, {
      transactions: this.#pending.map((entry) => entry.tx),
      coinbaseScripts: coinbase ? [runestoneOf(coinbase.stones)] : [],
    });
    const { height } = block;
    if (coinbase && block.reward) {
      const { kind, expect } = coinbase;
      this.notes.push({ kind, height, index: 0, txid: toDisplayHash(block.reward.txid), expect, undone: false });
    }
    this.#pending.forEach(({ tx, note }, i) => {
      if (note) this.notes.push({ ...note, height, index: i + 1, txid: toDisplayHash(tx.txid) });
    });
    this.#pending = [];
  }
}

function definedCoin(coin: Coin | undefined): Coin {
  if (coin === undefined) throw new RangeError('the output cannot be spent');
  return coin;
}
