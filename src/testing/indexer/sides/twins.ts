/**
 * A regtest chain of twins: every step is one transaction for the parallel lane, its messages addressed 8:8, and one
 * for an Alkanes indexer, the same messages addressed plainly, in the same block. Each side has its own purse, a coin
 * that carries all its assets. Everything else of the two is alike: shapes, locks, values, bytes of calldata.
 */
import { REGTEST } from '../../../bitcoin/regtest.js';
import { encodeEnvelope, encodeVarints } from '../../../protocol/encode.js';
import type { AlkaneId, ProtostoneEdict } from '../../../protocol/types.js';
import { concatBytes } from '../../../util/bytes.js';
import { type Coin, type SignedTransaction, signTransaction } from '../../../wallet/coins.js';
import type { Lock } from '../../../wallet/locks.js';
import { KeyRing } from '../../regtest/keys.js';
import { edict, laneMessage, runestoneOf, type Stone } from '../../regtest/messages.js';
import { type BuiltBlock, RegtestChain } from '../../regtest/regtest-chain.js';

const SIDES = ['lane', 'indexer'] as const;
export type Side = (typeof SIDES)[number];

export interface StepMessage {
  readonly target: AlkaneId;
  readonly inputs: readonly (bigint | number)[];
  /** What the purse gives it. */
  readonly give?: readonly (readonly [asset: AlkaneId, amount: bigint])[];
}

/** A transaction of one ordinary output, the purse. */
export interface TwinSpec {
  readonly messages: readonly StepMessage[];
  /** Body of the envelope in the witness. */
  readonly body?: Uint8Array;
}

export interface Twins {
  readonly block: BuiltBlock;
  /** The purse's new outpoint (output 0) of each side. */
  readonly purses: Readonly<Record<Side, Coin>>;
}

/** Ordinary outputs, the purse alone, and the runestone. */
const OUTPUTS = 2;
const COIN = 10_000_000n;
const FEE = 1_000n;
const FUNDING = 200;
/** The first protostone hands out what the messages behind it are given. */
const FIRST_SHADOW = OUTPUTS + 1;

/** Shadow output of message `at`. */
export function shadowOf(at: number): number {
  return FIRST_SHADOW + 1 + at;
}

export class TwinChain {
  readonly #chain = new RegtestChain();
  readonly #keys: KeyRing;
  readonly #lock: Lock;
  readonly #funding: Coin[] = [];
  #purses: Record<Side, Coin>;

  /** The chain up to the height at which coins can be spent, and a block that makes them. */
  constructor(seed: string) {
    this.#keys = new KeyRing(seed);
    this.#lock = this.#keys.lock('p2wpkh');
    while (this.#chain.tipHeight < REGTEST.coinbaseMaturity) this.#chain.mine(this.#lock);
    const reward = this.#chain.blocks[1].reward as Coin;
    const funding = signTransaction(
      [reward],
      Array.from({ length: FUNDING }, () => ({ value: COIN, lock: this.#lock })),
    );
    this.#funding.push(...funding.coins.map(defined));
    this.#chain.mine(this.#lock, { transactions: [{ ...funding }] });
    this.#purses = { lane: this.#take(), indexer: this.#take() };
  }

  /** All blocks, genesis first. */
  get blocks(): readonly BuiltBlock[] {
    return this.#chain.blocks;
  }

  /** Script of the outputs of every step. */
  get script(): Uint8Array {
    return this.#lock.script;
  }

  /** Mines a block with a step's twins. */
  step(spec: TwinSpec): Twins {
    const transactions: SignedTransaction[] = [];
    for (const side of SIDES) {
      const inputs = [this.#purses[side]];
      if (spec.body !== undefined) {
        // The envelope's coin comes first: readers of some versions look at the first input alone.
        const { tx, coin } = this.#commit(encodeEnvelope(spec.body));
        transactions.push(tx);
        inputs.unshift(coin);
      }
      const value = inputs.reduce((sum, coin) => sum + coin.value, 0n) - FEE;
      const script = runestoneOf(stonesOf(spec, side));
      const tx = signTransaction(inputs, [
        { value, lock: this.#lock },
        { value: 0n, script },
      ]);
      this.#purses = { ...this.#purses, [side]: defined(tx.coins[0]) };
      transactions.push(tx);
    }
    const block = this.#chain.mine(this.#lock, { transactions });
    return { block, purses: this.#purses };
  }

  #take(): Coin {
    return defined(this.#funding.shift());
  }

  #commit(envelope: Uint8Array): { tx: SignedTransaction; coin: Coin } {
    const tx = signTransaction([this.#take()], [{ value: COIN - FEE, lock: this.#keys.lockWithLeaf(envelope) }]);
    return { tx, coin: defined(tx.coins[0]) };
  }
}

function defined(coin: Coin | undefined): Coin {
  if (coin === undefined) throw new RangeError('no coin is left');
  return coin;
}

function stonesOf({ messages }: TwinSpec, side: Side): Stone[] {
  const edicts: ProtostoneEdict[] = messages.flatMap(({ give = [] }, at) =>
    give.map(([asset, amount]) => edict(asset, amount, shadowOf(at))),
  );
  const bytes = side === 'lane' ? laneMessage : plainMessage;
  return [
    { pointer: 0, edicts },
    ...messages.map(({ target, inputs }) => ({ pointer: 0, refund: 0, message: bytes(target, inputs) })),
  ];
}

/**
 * The message without the two bytes of 8:8. Two bytes without value make it as long, so that both are padded with as
 * many zeros, which are inputs.
 */
function plainMessage(target: AlkaneId, inputs: readonly (bigint | number)[]): Uint8Array {
  const block = encodeVarints([target.block]);
  const last = block.length - 1;
  block[last] |= 0x80;
  return concatBytes(block, Uint8Array.of(0x80, 0x00), encodeVarints([target.tx, ...inputs]));
}
