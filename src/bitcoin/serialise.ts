/** Transactions and blocks as bytes, for chains that are made here: the inverse of what `parse-block.ts` reads. */
import { concatBytes, u32Bytes, u64Bytes, writeU32 } from '../util/bytes.js';
import { compactSize } from './compact-size.js';
import { merkleRoot, sha256d } from './hash.js';
import type { TxInput, TxOutput } from './types.js';
import { meetsTarget } from './verify-block.js';

/** Where the nonce of a header lies. */
const NONCE_AT = 76;
const BLOCK_VERSION = u32Bytes(0x20000000);
const NO_TXID = new Uint8Array(32);
/** The witness of a coinbase (BIP 141). */
const RESERVED = new Uint8Array(32);
/** OP_RETURN, a push of 36 bytes, and the mark of a commitment (BIP 141). */
const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);
const COINBASE_VOUT = 0xffffffff;

/** An input to write. */
export interface WrittenInput extends TxInput {
  /** Its script; empty if not given. */
  readonly script?: Uint8Array;
  /** Final (0xffffffff) if not given. */
  readonly sequence?: number;
}

/** A transaction that was written. */
export interface WrittenTransaction {
  /** 32 bytes, wire order. */
  readonly txid: Uint8Array;
  /** With witnesses, if there are any. */
  readonly raw: Uint8Array;
}

/** A transaction of version 2; with a witness if any input has one. */
export function writeTransaction(
  inputs: readonly WrittenInput[],
  outputs: readonly TxOutput[],
  lockTime = 0,
): WrittenTransaction {
  const version = u32Bytes(2);
  const end = u32Bytes(lockTime);
  const body = concatBytes(
    compactSize(inputs.length),
    ...inputs.flatMap(({ prevTxid, prevVout, script = NO_SCRIPT, sequence = 0xffffffff }) => [
      prevTxid,
      u32Bytes(prevVout),
      ...sized(script),
      u32Bytes(sequence),
    ]),
    compactSize(outputs.length),
    ...outputs.flatMap(({ value, script }) => [u64Bytes(value), ...sized(script)]),
  );
  const txid = sha256d(version, body, end);
  if (inputs.every(({ witness }) => witness.length === 0)) return { txid, raw: concatBytes(version, body, end) };
  const witnesses = inputs.flatMap(({ witness }) => [compactSize(witness.length), ...witness.flatMap(sized)]);
  return { txid, raw: concatBytes(version, SEGWIT, body, ...witnesses, end) };
}

const NO_SCRIPT = new Uint8Array(0);
const SEGWIT = Uint8Array.of(0, 1);

function sized(bytes: Uint8Array): Uint8Array[] {
  return [compactSize(bytes.length), bytes];
}

/** The height as a coinbase names it (BIP 34): the shortest script that pushes the number, of two bytes at least. */
export function heightScript(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(height === 0 ? 0 : 0x50 + height, 0);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  // The highest bit is the number's sign.
  if (bytes[bytes.length - 1] > 0x7f) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

/** What a block that is made says beside its transactions. */
export interface BlockFrame {
  /** Hash of the block before it, wire order. */
  readonly previous: Uint8Array;
  /** Seconds. */
  readonly time: number;
  /** Compact target; a nonce is searched that meets it, so it must be an easy one. */
  readonly bits: number;
  /** Of the coinbase: it begins with the height. */
  readonly script: Uint8Array;
  /** Outputs of the coinbase before the commitment to the witnesses. */
  readonly outputs: readonly TxOutput[];
}

/** A block that was made. */
export interface WrittenBlock {
  /** Wire order. */
  readonly hash: Uint8Array;
  readonly raw: Uint8Array;
  readonly coinbase: WrittenTransaction;
}

/** A block with a coinbase and `transactions`: it passes `verifyBlock`. */
export function writeBlock(frame: BlockFrame, transactions: readonly WrittenTransaction[]): WrittenBlock {
  const witnessRoot = merkleRoot([NO_TXID, ...transactions.map(({ raw }) => sha256d(raw))]).root;
  const commitment = { value: 0n, script: concatBytes(COMMITMENT, sha256d(witnessRoot, RESERVED)) };
  const coinbase = writeTransaction(
    [{ prevTxid: NO_TXID, prevVout: COINBASE_VOUT, witness: [RESERVED], script: frame.script }],
    [...frame.outputs, commitment],
  );
  const all = [coinbase, ...transactions];
  const root = merkleRoot(all.map(({ txid }) => txid)).root;
  const header = concatBytes(
    ...[BLOCK_VERSION, frame.previous, root, u32Bytes(frame.time), u32Bytes(frame.bits), u32Bytes(0)],
  );
  let hash = sha256d(header);
  for (let nonce = 1; !meetsTarget(hash, frame.bits); nonce++) {
    writeU32(header, NONCE_AT, nonce);
    hash = sha256d(header);
  }
  return { hash, coinbase, raw: concatBytes(header, compactSize(all.length), ...all.map(({ raw }) => raw)) };
}
