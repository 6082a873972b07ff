import { Transaction } from 'bitcoinjs-lib';
import { compactSize } from '../../bitcoin/compact-size.js';
import { REGTEST, regtestGenesis, regtestSubsidy } from '../../bitcoin/regtest.js';
import { concatBytes, fromHex, u32Bytes, writeU32 } from '../../util/bytes.js';
import { type Coin, hash256, type Output, type SignedTransaction } from '../../wallet/coins.js';
import type { Lock } from '../../wallet/locks.js';

const BLOCK_VERSION = 0x20000000;
const SECONDS_PER_BLOCK = 600;
/** Regtest's target, big-endian: 7fffff followed by zeros. A hash meets it in about every second try. */
const TARGET_TOP = 0x7fffff;
const WITNESS_RESERVED = new Uint8Array(32);
const WITNESS_COMMITMENT_PREFIX = fromHex('6a24aa21a9ed');

export interface BuiltBlock {
  readonly height: number;
  readonly raw: Uint8Array;
  /** Wire order. */
  readonly hash: Uint8Array;
  /** The coinbase's output with the reward. */
  readonly reward: Coin | undefined;
}

/** Contents of a block besides the reward. */
export interface BlockContent {
  readonly transactions?: readonly SignedTransaction[];
  /** Extra outputs of the coinbase (value 0), after the reward and before the witness commitment. */
  readonly coinbaseScripts?: readonly Uint8Array[];
}

/** A growing regtest chain: every block valid under the consensus rules when the given transactions are. */
export class RegtestChain {
  readonly blocks: BuiltBlock[] = [];

  constructor() {
    this.blocks.push({ height: 0, ...regtestGenesis(), reward: undefined });
  }

  get tipHeight(): number {
    return this.blocks.length - 1;
  }

  /**
   * Mines the next block; its reward (subsidy and fees) goes to `lock`. Throws RangeError if it is heavier than
   * consensus allows.
   */
  mine(lock: Lock, content: BlockContent = {}): BuiltBlock {
    const transactions = content.transactions ?? [];
    const height = this.blocks.length;
    const fees = transactions.reduce((total, tx) => total + tx.fee, 0n);
    const witnessRoot = merkleRoot([
      new Uint8Array(32),
      ...transactions.map((tx) => Uint8Array.from(tx.transaction.getHash(true))),
    ]);
    const outputs: Output[] = [
      { value: regtestSubsidy(height) + fees, lock },
      ...(content.coinbaseScripts ?? []).map((script) => ({ value: 0n, script })),
      {
        value: 0n,
        script: concatBytes(WITNESS_COMMITMENT_PREFIX, hash256(concatBytes(witnessRoot, WITNESS_RESERVED))),
      },
    ];
    const coinbase = makeCoinbase(height, outputs);
    const coinbaseId = Uint8Array.from(coinbase.getHash());
    const previous = this.blocks[height - 1];
    const root = merkleRoot([coinbaseId, ...transactions.map((tx) => tx.txid)]);
    const header = makeHeader(BLOCK_VERSION, previous.hash, root, REGTEST.genesisTime + height * SECONDS_PER_BLOCK);
    const hash = grind(header);
    const weight =
      4 * (80 + 3) + coinbase.weight() + transactions.reduce((total, tx) => total + tx.transaction.weight(), 0);
    if (weight > REGTEST.maximumWeight) throw new RangeError(`block ${height} weighs ${weight}`);
    const raw = concatBytes(
      header,
      compactSize(transactions.length + 1),
      Uint8Array.from(coinbase.toBuffer()),
      ...transactions.map((tx) => tx.raw),
    );
    const block = { height, raw, hash, reward: { txid: coinbaseId, vout: 0, value: outputs[0].value, lock } };
    this.blocks.push(block);
    return block;
  }
}

function makeCoinbase(height: number, outputs: readonly Output[]): Transaction {
  const tx = new Transaction();
  tx.version = 2;
  tx.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, heightScript(height));
  tx.setWitness(0, [WITNESS_RESERVED]);
  for (const out of outputs) tx.addOutput('lock' in out ? out.lock.script : out.script, out.value);
  return tx;
}

/** BIP34: the height as a minimal script push, then a zero push since a coinbase script has at least two bytes. */
function heightScript(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(0x50 + height, 0x00);
  const digits: number[] = [];
  for (let rest = height; rest > 0; rest >>>= 8) digits.push(rest & 0xff);
  if (digits[digits.length - 1] & 0x80) digits.push(0);
  return Uint8Array.of(digits.length, ...digits, 0x00);
}

function makeHeader(version: number, previous: Uint8Array, root: Uint8Array, time: number): Uint8Array {
  return concatBytes(u32Bytes(version), previous, root, u32Bytes(time), u32Bytes(REGTEST.bits), u32Bytes(0));
}

/** Increments the nonce until the hash meets the target; returns the hash. */
function grind(header: Uint8Array): Uint8Array {
  for (let nonce = 0; ; nonce++) {
    writeU32(header, 76, nonce);
    const hash = hash256(header);
    const top = (hash[31] << 16) | (hash[30] << 8) | hash[29];
    if (top < TARGET_TOP) return hash;
  }
}

function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) next.push(hash256(concatBytes(level[i], level[i + 1] ?? level[i])));
    level = next;
  }
  return level[0];
}
