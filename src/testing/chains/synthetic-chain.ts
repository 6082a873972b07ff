/** Chains of full-size blocks from a few real ones: fresh headers, heights and txids, linked under regtest's rules. */

import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { sha256d } from '../../bitcoin/hash.js';
import { REGTEST } from '../../bitcoin/regtest.js';
import { TxidTable } from '../../bitcoin/txid-table.js';
import { concatBytes, fromHex, u32Bytes, writeU32 } from '../../util/bytes.js';
import { RegtestChain } from '../regtest/regtest-chain.js';

const HASH = 32;
const ZERO = new Uint8Array(HASH);
const BITS = 0x207fffff;
const SECONDS = 600;
const COMMITMENT = fromHex('6a24aa21a9ed');

export interface SyntheticBlock {
  readonly height: number;
  readonly raw: Uint8Array;
  /** Wire order. */
  readonly hash: Uint8Array;
}

/** A block whose transactions are copied into others: those outside the coinbase. */
export class Template {
  readonly #block: BlockOffsets;
  /** By input of the block: the transaction of the block that it spends, -1 if none. */
  readonly #spends: Int32Array;

  constructor(raw: Uint8Array) {
    const block = BlockOffsets.read(raw);
    const table = new TxidTable(block.txids);
    this.#block = block;
    this.#spends = Int32Array.from(block.inputs, (at) => table.find(block.raw, at));
  }

  /** The transactions with other locktimes, hence other txids; spends between them are kept. */
  transactions(locktime: number): Uint8Array[] {
    const { count, starts, firstInput, inputs, raw, segwit, witnesses } = this.#block;
    const txids: Uint8Array[] = [];
    const out: Uint8Array[] = [];
    for (let index = 1; index < count; index++) {
      const start = starts[index];
      const bytes = raw.slice(start, starts[index + 1]);
      for (let input = firstInput[index]; input < firstInput[index + 1]; input++) {
        const parent = this.#spends[input];
        if (parent > 0 && parent < index) bytes.set(txids[parent], inputs[input] - start);
      }
      writeU32(bytes, bytes.length - 4, locktime);
      txids[index] =
        segwit[index] === 1
          ? sha256d(bytes.subarray(0, 4), bytes.subarray(6, witnesses[index] - start), bytes.subarray(bytes.length - 4))
          : sha256d(bytes);
      out.push(bytes);
    }
    return out;
  }
}

/** Regtest's genesis block. */
export function genesisBlock(): SyntheticBlock {
  const [{ raw, hash }] = new RegtestChain().blocks;
  return { height: 0, raw, hash };
}

/**
 * The block at `height` over `previousHash`: a coinbase and `transactions`. Valid for `verifyBlock`; amounts and
 * scripts are not. Otherwise identical blocks may differ in `delay`, the seconds by which their time is late.
 */
export function makeBlock(
  height: number,
  previousHash: Uint8Array,
  transactions: readonly Uint8Array[],
  delay = 0,
): SyntheticBlock {
  const time = REGTEST.genesisTime + height * SECONDS + delay;
  const draft = assemble(height, time, previousHash, transactions, ZERO, ZERO);
  const commitment = sha256d(BlockOffsets.read(draft).witnessRoot(), ZERO);
  const unrooted = assemble(height, time, previousHash, transactions, commitment, ZERO);
  const { root } = BlockOffsets.read(unrooted).merkleRoot();
  const raw = assemble(height, time, previousHash, transactions, commitment, root);
  const header = raw.subarray(0, 80);
  // Half of all hashes meet regtest's target: the top bit decides.
  let hash = sha256d(header);
  for (let nonce = 1; hash[HASH - 1] >= 0x7f; nonce++) {
    writeU32(header, 76, nonce);
    hash = sha256d(header);
  }
  return { height, raw, hash };
}

/** `count` blocks after genesis, one at a time, from the templates in turn. */
export function* syntheticChain(templates: readonly Template[], count: number): Generator<SyntheticBlock, void, void> {
  let last = genesisBlock();
  yield last;
  for (let height = 1; height <= count; height++) {
    last = makeBlock(height, last.hash, templates[height % templates.length].transactions(height));
    yield last;
  }
}

function assemble(
  height: number,
  time: number,
  previousHash: Uint8Array,
  transactions: readonly Uint8Array[],
  commitment: Uint8Array,
  root: Uint8Array,
): Uint8Array {
  return concatBytes(
    ...[u32Bytes(0x20000000), previousHash, root, u32Bytes(time), u32Bytes(BITS), u32Bytes(0)],
    compactSize(transactions.length + 1),
    coinbase(height, commitment),
    ...transactions,
  );
}

function coinbase(height: number, commitment: Uint8Array): Uint8Array {
  const script = concatBytes(heightPush(height), Uint8Array.of(0));
  const committing = concatBytes(COMMITMENT, commitment);
  return concatBytes(
    ...[u32Bytes(2), Uint8Array.of(0, 1, 1), ZERO, u32Bytes(0xffffffff)],
    ...[Uint8Array.of(script.length), script, u32Bytes(0xffffffff), Uint8Array.of(2)],
    ...[new Uint8Array(8), Uint8Array.of(1, 0x51), new Uint8Array(8), Uint8Array.of(committing.length), committing],
    ...[Uint8Array.of(1, HASH), ZERO, u32Bytes(0)],
  );
}

/** BIP34. */
function heightPush(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(height === 0 ? 0 : 0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest & 0xff);
  if (bytes[bytes.length - 1] >= 0x80) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

function compactSize(value: number): Uint8Array {
  return value < 0xfd ? Uint8Array.of(value) : Uint8Array.of(0xfd, value & 0xff, value >> 8);
}
