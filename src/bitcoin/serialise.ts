/** Transactions and blocks as bytes, for chains that are made here: the inverse of what `parse-block.ts` reads. */
import { concatBytes, u32Bytes, writeU32 } from '../util/bytes.js';
import { compactSize, compactSizeLength } from './compact-size.js';
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
  const isSegwit = inputs.some(({ witness }) => witness.length > 0);
  const out = new ByteWriter(transactionBytes(inputs, outputs, isSegwit));
  out.u32(VERSION);
  if (isSegwit) out.bytes(SEGWIT);
  const bodyAt = out.at;
  out.size(inputs.length);
  for (const { prevTxid, prevVout, script = NO_SCRIPT, sequence = FINAL } of inputs) {
    out.bytes(prevTxid);
    out.u32(prevVout);
    out.sized(script);
    out.u32(sequence);
  }
  out.size(outputs.length);
  for (const { value, script } of outputs) {
    out.u64(value);
    out.sized(script);
  }
  const bodyEnd = out.at;
  if (isSegwit) {
    for (const { witness } of inputs) {
      out.size(witness.length);
      for (const item of witness) out.sized(item);
    }
  }
  out.u32(lockTime);
  return new Written(out.written, bodyAt, bodyEnd);
}

/** Transactions that were hashed elsewhere need not be hashed again. `txids`: 32 bytes of each, in their order. */
export function tellTxids(transactions: readonly WrittenTransaction[], txids: Uint8Array): void {
  transactions.forEach((transaction, at) => {
    if (transaction instanceof Written) transaction.learn(txids.subarray(32 * at, 32 * (at + 1)));
  });
}

const VERSION = 2;
const FINAL = 0xffffffff;
const NO_SCRIPT = new Uint8Array(0);
const SEGWIT = Uint8Array.of(0, 1);

/** Its txid is computed when somebody asks: many transactions are made of which nobody does. */
class Written implements WrittenTransaction {
  #txid: Uint8Array | undefined;
  readonly #bodyAt: number;
  readonly #bodyEnd: number;

  constructor(
    readonly raw: Uint8Array,
    bodyAt: number,
    bodyEnd: number,
  ) {
    this.#bodyAt = bodyAt;
    this.#bodyEnd = bodyEnd;
  }

  learn(txid: Uint8Array): void {
    this.#txid = txid;
  }

  get txid(): Uint8Array {
    const { raw } = this;
    this.#txid ??= sha256d(raw.subarray(0, 4), raw.subarray(this.#bodyAt, this.#bodyEnd), raw.subarray(-4));
    return this.#txid;
  }
}

function transactionBytes(inputs: readonly WrittenInput[], outputs: readonly TxOutput[], isSegwit: boolean): number {
  let bytes = 8 + compactSizeLength(inputs.length) + compactSizeLength(outputs.length);
  for (const { script = NO_SCRIPT } of inputs) bytes += 40 + compactSizeLength(script.length) + script.length;
  for (const { script } of outputs) bytes += 8 + compactSizeLength(script.length) + script.length;
  if (!isSegwit) return bytes;
  bytes += SEGWIT.length;
  for (const { witness } of inputs) {
    bytes += compactSizeLength(witness.length);
    for (const item of witness) bytes += compactSizeLength(item.length) + item.length;
  }
  return bytes;
}

class ByteWriter {
  at = 0;
  readonly written: Uint8Array;

  constructor(length: number) {
    this.written = new Uint8Array(length);
  }

  bytes(bytes: Uint8Array): void {
    this.written.set(bytes, this.at);
    this.at += bytes.length;
  }

  u32(value: number): void {
    writeU32(this.written, this.at, value);
    this.at += 4;
  }

  u64(value: bigint): void {
    this.u32(Number(value & 0xffffffffn));
    this.u32(Number(value >> 32n));
  }

  /** A compact size. */
  size(n: number): void {
    if (n < 0xfd) this.written[this.at++] = n;
    else this.bytes(compactSize(n));
  }

  sized(bytes: Uint8Array): void {
    this.size(bytes.length);
    this.bytes(bytes);
  }
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
  const coinbase = coinbaseOf(frame, sha256d(witnessRoot, RESERVED));
  const all = [coinbase, ...transactions];
  const header = headerOf(frame, merkleRoot(all.map(({ txid }) => txid)).root);
  let hash = sha256d(header);
  for (let nonce = 1; !meetsTarget(hash, frame.bits); nonce++) {
    writeU32(header, NONCE_AT, nonce);
    hash = sha256d(header);
  }
  return { hash, coinbase, raw: joined(header, all) };
}

/** The same without proof of work or commitments, which take most of the time of a large block: no node takes it. */
export function writeBareBlock(frame: BlockFrame, transactions: readonly WrittenTransaction[]): WrittenBlock {
  const coinbase = coinbaseOf(frame, NO_TXID);
  const header = headerOf(frame, NO_TXID);
  return { hash: sha256d(header), coinbase, raw: joined(header, [coinbase, ...transactions]) };
}

function coinbaseOf({ script, outputs }: BlockFrame, commitment: Uint8Array): WrittenTransaction {
  return writeTransaction(
    [{ prevTxid: NO_TXID, prevVout: COINBASE_VOUT, witness: [RESERVED], script }],
    [...outputs, { value: 0n, script: concatBytes(COMMITMENT, commitment) }],
  );
}

function headerOf({ previous, time, bits }: BlockFrame, root: Uint8Array): Uint8Array {
  return concatBytes(BLOCK_VERSION, previous, root, u32Bytes(time), u32Bytes(bits), u32Bytes(0));
}

function joined(header: Uint8Array, all: readonly WrittenTransaction[]): Uint8Array {
  // As arguments of one call very many would pass V8's stack.
  return new Uint8Array(Buffer.concat([header, compactSize(all.length), ...all.map(({ raw }) => raw)]));
}
