/** A plausible transaction and a plausible block for what is simulated without them (docs/json-rpc.md). */
import { compactSize } from '../bitcoin/compact-size.js';
import { merkleRoot, sha256d } from '../bitcoin/hash.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import type { Transaction } from '../bitcoin/types.js';
import { encodeRunestone } from '../protocol/encode.js';
import { concatBytes, u32Bytes, u64Bytes } from '../util/bytes.js';

const VERSION = u32Bytes(2);
const SEGWIT = Uint8Array.of(0, 1);
const FINAL = u32Bytes(0xffffffff);
const NO_LOCK = u32Bytes(0);
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
    serialised(
      input(new Uint8Array(32), 0, new Uint8Array(0)),
      [
        [CARRIER, TAPROOT],
        [0n, runestone],
      ],
      SIGNATURE,
    ),
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
    serialised(
      input(new Uint8Array(32), 0xffffffff, heightScript(height + 1)),
      [
        [FIRST_SUBSIDY >> BigInt(Math.min(halvings, 64)), TAPROOT],
        [0n, concatBytes(COMMITMENT, commitment)],
      ],
      reserved,
    ),
  );
}

/** The height as a coinbase names it (BIP 34): the shortest script that pushes the number, and a byte behind it. */
function heightScript(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(height === 0 ? 0 : 0x50 + height, 0);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  // The highest bit is the number's sign.
  if (bytes[bytes.length - 1] > 0x7f) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

function input(txid: Uint8Array, vout: number, script: Uint8Array): Uint8Array {
  return concatBytes(txid, u32Bytes(vout), compactSize(script.length), script, FINAL);
}

function serialised(
  onlyInput: Uint8Array,
  outputs: readonly (readonly [value: bigint, script: Uint8Array])[],
  witness: Uint8Array,
): Uint8Array {
  return concatBytes(
    ...[VERSION, SEGWIT, compactSize(1), onlyInput, compactSize(outputs.length)],
    ...outputs.flatMap(([value, script]) => [u64Bytes(value), compactSize(script.length), script]),
    ...[compactSize(1), compactSize(witness.length), witness, NO_LOCK],
  );
}
