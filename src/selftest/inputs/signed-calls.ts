/** Inputs, from the opcode on, of the calls of `ledger` and `names` (docs/programs.md), signed where they must be. */
import { createHash } from 'node:crypto';
import { isPrivate, signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';
import type { AlkaneId } from '../../protocol/types.js';
import { concatBytes, readU128, u64Bytes, u128Bytes } from '../../util/bytes.js';
import { seededBytes } from './prng.js';

const NAME_BYTES = 32;

/** A key that signs, its secret drawn from a seed. */
export class Signer {
  /** x-only, 32 bytes. */
  readonly key: Uint8Array;
  readonly #secret: Uint8Array;

  constructor(seed: string, number: number) {
    let secret = seededBytes(seed, 'signer', number);
    while (!isPrivate(secret)) secret = sha256(secret);
    this.#secret = secret;
    this.key = xOnlyPointFromScalar(secret);
  }

  /** BIP340 with zero auxiliary bytes: the same hash gives the same signature. */
  sign(hash: Uint8Array): Uint8Array {
    return signSchnorr(hash, this.#secret);
  }
}

/** Bytes as the numbers of a message's inputs, 16 each, the last one filled up with zeros. */
export function asInputs(bytes: Uint8Array): bigint[] {
  const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  return Array.from({ length: padded.length / 16 }, (_, i) => readU128(padded, i * 16));
}

/** A name as its 32 bytes. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(new TextEncoder().encode(name));
  return bytes;
}

export function ledgerDeposit(key: Uint8Array): bigint[] {
  return [1n, ...asInputs(key)];
}

/** `to` is a key of 32 bytes, whether someone can sign for it or not. */
export function ledgerTransfer(
  contract: AlkaneId,
  from: Signer,
  to: Uint8Array,
  amount: bigint,
  nonce: bigint,
): bigint[] {
  const fields = [from.key, to, u128Bytes(amount), u64Bytes(nonce)];
  const signature = from.sign(signedHash('ledger/transfer', contract, fields));
  return [2n, ...asInputs(from.key), ...asInputs(to), amount, nonce, ...asInputs(signature)];
}

/** `outpoint` (36 bytes) is spent by the first input of the transaction. */
export function ledgerWithdrawal(
  contract: AlkaneId,
  from: Signer,
  amount: bigint,
  nonce: bigint,
  outpoint: Uint8Array,
): bigint[] {
  const fields = [from.key, u128Bytes(amount), u64Bytes(nonce), outpoint];
  const signature = from.sign(signedHash('ledger/withdraw', contract, fields));
  return [3n, ...asInputs(from.key), amount, nonce, ...asInputs(signature)];
}

export function nameRegistration(name: string, owner: Uint8Array, data: Uint8Array): bigint[] {
  return [1n, ...asInputs(nameBytes(name)), ...asInputs(owner), BigInt(data.length), ...asInputs(data)];
}

export function nameUpdate(contract: AlkaneId, owner: Signer, name: string, nonce: bigint, data: Uint8Array): bigint[] {
  const signature = owner.sign(signedHash('names/update', contract, [nameBytes(name), u64Bytes(nonce), data]));
  return [2n, ...asInputs(nameBytes(name)), nonce, ...asInputs(signature), BigInt(data.length), ...asInputs(data)];
}

export function nameTransfer(contract: AlkaneId, owner: Signer, name: string, nonce: bigint, to: Uint8Array): bigint[] {
  const signature = owner.sign(signedHash('names/transfer', contract, [nameBytes(name), u64Bytes(nonce), to]));
  return [3n, ...asInputs(nameBytes(name)), nonce, ...asInputs(signature), ...asInputs(to)];
}

/**
 * What is signed: SHA-256(tag ++ tag ++ id of the contract ++ fields), the tag being SHA-256 of `warpshrew/` and the
 * purpose.
 */
function signedHash(purpose: string, contract: AlkaneId, fields: readonly Uint8Array[]): Uint8Array {
  const tag = sha256(new TextEncoder().encode(`warpshrew/${purpose}`));
  return sha256(concatBytes(tag, tag, u128Bytes(contract.block), u128Bytes(contract.tx), ...fields));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest());
}
