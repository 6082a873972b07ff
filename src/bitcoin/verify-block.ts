import { InputError } from '../errors.js';
import { bytesEqual, readU32, toDisplayHash } from '../util/bytes.js';
import { merkleRoot, sha256d } from './hash.js';
import type { Block, Transaction } from './types.js';

export interface VerifyOptions {
  /** Hash (wire order) that the block must build on; not checked if left out. */
  readonly previousHash?: Uint8Array;
}

const HASH_LENGTH = 32;
/** Start of the output that commits to the witnesses: OP_RETURN, push of 36 bytes, four marker bytes. */
const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/**
 * Checks what ties the bytes of a block together; scripts, signatures and amounts are the node's business.
 * Order: previous hash, proof of work (header hash against the header's own target), coinbase, merkle root, witness commitment.
 * Throws `InputError` BLOCK_WRONG_PREVIOUS_HASH, BLOCK_BAD_PROOF_OF_WORK, BLOCK_BAD_COINBASE, BLOCK_BAD_MERKLE_ROOT or BLOCK_BAD_WITNESS_COMMITMENT.
 */
export function verifyBlock(block: Block, options: VerifyOptions = {}): void {
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

function refuse(block: Block, code: string, message: string, facts: Record<string, string | number> = {}): InputError {
  return new InputError(code, message, { facts: { block: toDisplayHash(block.hash), ...facts } });
}

function checkProofOfWork(block: Block): void {
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

function checkCoinbase(block: Block): void {
  const bad = block.transactions.findIndex((tx, index) => isCoinbase(tx) !== (index === 0));
  if (bad >= 0) {
    throw refuse(block, 'BLOCK_BAD_COINBASE', 'the first transaction, and no other, must be a coinbase', {
      transaction: bad,
    });
  }
}

function checkMerkleRoot(block: Block): void {
  const { root, mutated } = merkleRoot(block.transactions.map((tx) => tx.txid));
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

function checkWitnessCommitment(block: Block): void {
  const [coinbase] = block.transactions;
  const committing = coinbase.outputs.findLast(
    ({ script }) => script.length >= COMMITMENT.length + HASH_LENGTH && bytesEqual(script.subarray(0, 6), COMMITMENT),
  );
  const bare = block.transactions.every((tx) => tx.inputs.every((input) => input.witness.length === 0));
  if (committing === undefined) {
    if (bare) return;
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the block has witnesses but does not commit to them');
  }
  // Before segwit was active, miners already committed, with 32 zero bytes, but could not write the coinbase witness.
  const [reserved, ...more] = bare ? [new Uint8Array(HASH_LENGTH)] : coinbase.inputs[0].witness;
  if (reserved?.length !== HASH_LENGTH || more.length > 0) {
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the coinbase witness is not one item of 32 bytes');
  }
  const wtxids = block.transactions.map((tx, index) => (index === 0 ? new Uint8Array(HASH_LENGTH) : sha256d(tx.raw)));
  const found = sha256d(merkleRoot(wtxids).root, reserved);
  const expected = committing.script.subarray(COMMITMENT.length, COMMITMENT.length + HASH_LENGTH);
  if (!bytesEqual(found, expected)) {
    throw refuse(block, 'BLOCK_BAD_WITNESS_COMMITMENT', 'the witnesses do not give the commitment of the coinbase', {
      expected: toDisplayHash(expected),
      found: toDisplayHash(found),
    });
  }
}
