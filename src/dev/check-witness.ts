/**
 * Signatures of the outputs that our own commands and most wallets spend: P2WPKH, Taproot by its key, and a Taproot
 * leaf that begins with a key and OP_CHECKSIG. Scripts of other kinds are not run: their inputs are taken as they are.
 */
import { crypto, Transaction } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { compactSize } from '../bitcoin/compact-size.js';
import { bytesEqual, concatBytes } from '../util/bytes.js';

export interface SpentOutput {
  readonly script: Uint8Array;
  readonly value: bigint;
}

const OP_CHECKSIG = 0xac;
const SCHNORR = 64;
const LEAF_MASK = 0xfe;

/** Why input `index` may not spend its output; undefined if it may. `spent`: what all inputs spend. */
export function witnessFlaw(tx: Transaction, index: number, spent: readonly SpentOutput[]): string | undefined {
  const { script, value } = spent[index];
  const { witness } = tx.ins[index];
  if (script.length === 22 && script[0] === 0) return keyHashFlaw(tx, index, script, value, witness);
  if (script.length !== 34 || script[0] !== 0x51) return undefined;
  const scripts = spent.map((each) => each.script);
  const values = spent.map((each) => each.value);
  const outputKey = script.subarray(2);
  if (witness.length === 0) return 'Witness program was passed an empty witness';
  if (witness.length === 1) {
    const digest = tx.hashForWitnessV1(index, scripts, values, hashType(witness[0]));
    return schnorrFlaw(digest, outputKey, witness[0]);
  }
  const leaf = witness[witness.length - 2];
  const control = witness[witness.length - 1];
  const leafHash = crypto.taggedHash(
    'TapLeaf',
    concatBytes(Uint8Array.of(control[0] & LEAF_MASK), compactSize(leaf.length), leaf),
  );
  if (!commits(outputKey, control, leafHash)) return 'Witness program hash mismatch';
  if (leaf[0] !== 32 || leaf[33] !== OP_CHECKSIG || witness.length !== 3) return undefined;
  const digest = tx.hashForWitnessV1(index, scripts, values, hashType(witness[0]), leafHash);
  return schnorrFlaw(digest, leaf.subarray(1, 33), witness[0]);
}

function keyHashFlaw(
  tx: Transaction,
  index: number,
  script: Uint8Array,
  value: bigint,
  witness: readonly Uint8Array[],
): string | undefined {
  const [signature, key] = witness;
  if (witness.length !== 2) return 'Witness program was passed an empty witness';
  if (!bytesEqual(crypto.hash160(key), script.slice(2))) return 'Witness program hash mismatch';
  const code = concatBytes(Uint8Array.of(0x76, 0xa9, 20), script.subarray(2), Uint8Array.of(0x88, OP_CHECKSIG));
  const digest = tx.hashForWitnessV0(index, code, value, signature[signature.length - 1]);
  const compact = compactOf(signature.subarray(0, -1));
  const holds = compact !== undefined && ecc.isPoint(key) && ecc.verify(digest, key, compact);
  return holds ? undefined : 'Signature must be zero for failed CHECK(MULTI)SIG operation';
}

function schnorrFlaw(digest: Uint8Array, key: Uint8Array, signature: Uint8Array): string | undefined {
  const holds =
    signature.length >= SCHNORR &&
    ecc.isXOnlyPoint(key) &&
    ecc.verifySchnorr(digest, key, signature.subarray(0, SCHNORR));
  return holds ? undefined : 'Invalid Schnorr signature';
}

/** The sighash type of a Schnorr signature: the byte behind it, or the default. */
function hashType(signature: Uint8Array): number {
  return signature.length > SCHNORR ? signature[SCHNORR] : Transaction.SIGHASH_DEFAULT;
}

/** Whether an output key commits to a leaf by the path in its control block (BIP341). */
function commits(outputKey: Uint8Array, control: Uint8Array, leafHash: Uint8Array): boolean {
  if (control.length < 33 || (control.length - 33) % 32 !== 0) return false;
  const internal = control.slice(1, 33);
  let node: Uint8Array = leafHash;
  for (let at = 33; at < control.length; at += 32) {
    const other = control.slice(at, at + 32);
    const inOrder = Buffer.compare(node, other) < 0 ? [node, other] : [other, node];
    node = crypto.taggedHash('TapBranch', concatBytes(...inOrder));
  }
  if (!ecc.isXOnlyPoint(internal)) return false;
  const tweaked = ecc.xOnlyPointAddTweak(internal, crypto.taggedHash('TapTweak', concatBytes(internal, node)));
  return tweaked !== null && bytesEqual(tweaked.xOnlyPubkey, outputKey.slice());
}

/** A strict DER signature as 64 bytes; undefined if it is none. */
function compactOf(der: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(64);
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  let at = 2;
  for (const place of [32, 64]) {
    const length = der[at + 1];
    if (der[at] !== 2 || !(length > 0) || at + 2 + length > der.length) return undefined;
    const digits = der.slice(at + 2, at + 2 + length);
    const start = digits[0] === 0 ? 1 : 0;
    if (digits.length - start > 32) return undefined;
    out.set(digits.subarray(start), place - (digits.length - start));
    at += 2 + length;
  }
  return at === der.length ? out : undefined;
}
