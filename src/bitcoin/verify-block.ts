import type { InputCode } from '../errors/codes/registry.js';
import { InputError } from '../errors/errors.js';
import { bytesEqual, readU32, toDisplayHash } from '../util/bytes.js';
import { type MerkleRoot, merkleRoot, sha256d } from './hash.js';
import type { Block, Transaction } from './types.js';

export interface VerifyOptions {
  /** Hash (wire order) that the block must build on; not checked if left out. */
  readonly previousHash?: Uint8Array;
}

const HASH_LENGTH = 32;
/** Start of the output that commits to the witnesses: OP_RETURN, push of 36 bytes, four marker bytes. */
const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** The facts of a block that the checks need. */
export interface Verifiable {
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  readonly previousHash: Uint8Array;
  /** The 80 header bytes. */
  readonly header: Uint8Array;
  /** The first transaction. */
  readonly coinbase: Transaction;
  /** True if any input has a witness. */
  readonly hasWitness: boolean;
  /**
   * Position of the first transaction that is a coinbase and not the first one, or the other way round; -1 if there is
   * none.
   */
  misplacedCoinbase(): number;
  /** Over the txids. */
  merkleRoot(): MerkleRoot;
  /** Over the wtxids, with 32 zero bytes for the coinbase. */
  witnessRoot(): Uint8Array;
}

/** The facts of a block of parsed transactions. */
function factsOf({ hash, previousHash, header, transactions }: Block): Verifiable {
  return {
    hash,
    previousHash,
    header,
    coinbase: transactions[0],
    hasWitness: transactions.some((tx) => tx.inputs.some((input) => input.witness.length > 0)),
    misplacedCoinbase: () => transactions.findIndex((tx, index) => isCoinbase(tx) !== (index === 0)),
    merkleRoot: () => merkleRoot(transactions.map((tx) => tx.txid)),
    witnessRoot: () =>
      merkleRoot(transactions.map((tx, index) => (index === 0 ? new Uint8Array(HASH_LENGTH) : sha256d(tx.raw)))).root,
  };
}

/**
 * Checks what ties the bytes of a block together; scripts, signatures and amounts are the node's business. Order:
 * previous hash, proof of work (header hash against the header's own target), coinbase, merkle root, witness
 * commitment. Throws `InputError` BLOCK_WRONG_PREVIOUS_HASH, BLOCK_BAD_PROOF_OF_WORK, BLOCK_BAD_COINBASE,
 * BLOCK_BAD_MERKLE_ROOT or BLOCK_BAD_WITNESS_COMMITMENT.
 */
export function verifyBlock(of: Block | Verifiable, options: VerifyOptions = {}): void {
  const block = 'transactions' in of ? factsOf(of) : of;
  const { previousHash } = options;
  if (previousHash !== undefined && !bytesEqual(previousHash, block.previousHash)) {
    throw refuse(block, 'BLOCK_WRONG_PREVIOUS_HASH', 'the block does not build on the block before it', {
      expected: toDisplayHash(previousHash),
      found: toDisplayHash(block.previousHash),
    });
  }
  checkProofOfWork(block);
  checkCoinbase(block);
  checkMerkleRoot(block);
  checkWitnessCommitment(block);
}

function refuse(
  block: Verifiable,
  code: InputCode,
  message: string,
  facts: Record<string, string | number> = {},
): InputError {
  return new InputError(code, message, { facts: { block: toDisplayHash(block.hash), ...facts } });
}

function checkProofOfWork(block: Verifiable): void {
  const bits = readU32(block.header, 72);
  if (!meetsTarget(block.hash, bits)) {
    throw refuse(block, 'BLOCK_BAD_PROOF_OF_WORK', 'the header hash does not meet its target', {
      bits: bits.toString(16).padStart(8, '0'),
    });
  }
}

/** Whether a header's hash (wire order) is not above the target of its compact `bits`. */
export function meetsTarget(hash: Uint8Array, bits: number): boolean {
  const target = expandTarget(bits);
  return target !== undefined && BigInt(`0x${toDisplayHash(hash)}`) <= target;
}

/** The target of compact `bits`: undefined if it is zero, negative or over 256 bits. */
export function expandTarget(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = BigInt(bits & 0x7fffff);
  const shift = BigInt(8 * (exponent - 3));
  const target = shift < 0n ? mantissa >> -shift : mantissa << shift;
  const negative = (bits & 0x800000) !== 0;
  return negative || target === 0n || target >> 256n !== 0n ? undefined : target;
}

function isCoinbase(tx: Transaction): boolean {
  const [input] = tx.inputs;
  return tx.inputs.length === 1 && input.prevVout === 0xffffffff && input.prevTxid.every((byte) => byte === 0);
}

function checkCoinbase(block: Verifiable): void {
  const bad = block.misplacedCoinbase();
  if (bad >= 0) {
    throw refuse(block, 'BLOCK_BAD_COINBASE', 'the first transaction, and no other, must be a coinbase', {
      transaction: bad,
    });
  }
}

function checkMerkleRoot(block: Verifiable): void {
  const { root, mutated } = block.merkleRoot();
  const expected = block.header.subarray(36, 68);
  if (mutated || !bytesEqual(root, expected)) {
    throw refuse(
      block,
      'BLOCK_BAD_MERKLE_ROOT',
      mutated
        ? 'transactions are repeated so that the merkle root stays the same'
        : 'the transactions do not give the merkle root',
      { expected: toDisplayHash(expected), found: toDisplayHash(root) },
    );
  }
}

function checkWitnessCommitment(block: Verifiable): void {
  const { coinbase } = block;
  const committing = coinbase.outputs.findLast(
    ({ script }) => script.length >= COMMITMENT.length + HASH_LENGTH && bytesEqual(script.subarray(0, 6), COMMITMENT),
  );
  const bare = !block.hasWitness;
  if (committing === undefined) {
    if (bare) return;
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the block has witnesses but does not commit to them');
  }
  // Before segwit was active, miners already committed, with 32 zero bytes, but could not write the coinbase witness.
  const [reserved, ...more] = bare ? [new Uint8Array(HASH_LENGTH)] : coinbase.inputs[0].witness;
  if (reserved?.length !== HASH_LENGTH || more.length > 0) {
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the coinbase witness is not one item of 32 bytes');
  }
  const found = sha256d(block.witnessRoot(), reserved);
  const expected = committing.script.subarray(COMMITMENT.length, COMMITMENT.length + HASH_LENGTH);
  if (!bytesEqual(found, expected)) {
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the witnesses do not give the commitment of the coinbase', {
      expected: toDisplayHash(expected),
      found: toDisplayHash(found),
    });
  }
}
