/** A plausible transaction and a plausible block for what is simulated without them (docs/json-rpc.md). */
import { compactSize } from '../bitcoin/compact-size.js';
import { merkleRoot, sha256d } from '../bitcoin/hash.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import { heightScript, writeTransaction } from '../bitcoin/serialise.js';
import type { Transaction } from '../bitcoin/types.js';
import { encodeRunestone } from '../protocol/encode.js';
import { concatBytes, u32Bytes } from '../util/bytes.js';

/** Satoshi that a wallet gives an output which only carries assets. */
const CARRIER = 546n;
/** A Taproot output: OP_1 and a push of 32 bytes. */
const TAPROOT = concatBytes(Uint8Array.of(0x51, 32), new Uint8Array(32).fill(2));
/** A key spend has one witness item: the signature. */
const SIGNATURE = new Uint8Array(64);

const BLOCK_VERSION = u32Bytes(0x20000000);
const BLOCK_SECONDS = 600;
const COIN = 100_000_000n;
const FIRST_SUBSIDY = 50n * COIN;
const HALVING = 210_000;
const REGTEST_HALVING = 150;
const TIME_AT = 68;
const BITS_AT = 72;
/** OP_RETURN, a push of 36 bytes, and the mark of a commitment (BIP 141). */
const COMMITMENT = Uint8Array.of(0x6a, 36, 0xaa, 0x21, 0xa9, 0xed);

/**
 * A transaction with `message` (calldata behind no padding) as its only protostone, pointer and refund on output 0: one
 * Taproot input, that output, and the OP_RETURN. It is signed with zeros.
 */
export function plausibleTransaction(message: Uint8Array): Transaction {
  const runestone = encodeRunestone({ protostones: [{ message, pointer: 0, refund: 0 }] });
  return parseTransaction(
    writeTransaction(
      [{ prevTxid: new Uint8Array(32), prevVout: 0, witness: [SIGNATURE] }],
      [
        { value: CARRIER, script: TAPROOT },
        { value: 0n, script: runestone },
      ],
    ).raw,
  );
}

/** What is known of the block before a plausible one. */
export interface Previous {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  /** 80 bytes. */
  readonly header: Uint8Array;
  readonly network: string;
}

/**
 * The block after `previous`, with its coinbase and `tx`: ten minutes later, for the same target, without proof of
 * work. The coinbase has the subsidy, no fees.
 */
export function plausibleBlock(previous: Previous, tx: Transaction): Uint8Array {
  const coinbase = plausibleCoinbase(previous, tx);
  const header = concatBytes(
    BLOCK_VERSION,
    previous.hash,
    merkleRoot([coinbase.txid, tx.txid]).root,
    u32Bytes(timeOf(previous.header) + BLOCK_SECONDS),
    previous.header.subarray(BITS_AT, BITS_AT + 4),
    u32Bytes(0),
  );
  return concatBytes(header, compactSize(2), coinbase.raw, tx.raw);
}

function timeOf(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset).getUint32(TIME_AT, true);
}

function plausibleCoinbase({ height, network }: Previous, tx: Transaction): Transaction {
  const reserved = new Uint8Array(32);
  const commitment = sha256d(merkleRoot([reserved, sha256d(tx.raw)]).root, reserved);
  const halvings = Math.floor((height + 1) / (network === 'regtest' ? REGTEST_HALVING : HALVING));
  return parseTransaction(
    writeTransaction(
      [{ prevTxid: new Uint8Array(32), prevVout: 0xffffffff, witness: [reserved], script: heightScript(height + 1) }],
      [
        { value: FIRST_SUBSIDY >> BigInt(Math.min(halvings, 64)), script: TAPROOT },
        { value: 0n, script: concatBytes(COMMITMENT, commitment) },
      ],
    ).raw,
  );
}
