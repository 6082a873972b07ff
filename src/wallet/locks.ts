import { crypto } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { compactSize } from '../bitcoin/compact-size.js';
import { concatBytes } from '../util/bytes.js';

/** How an output is locked, with everything needed to spend it. */
export type Lock =
  | {
      readonly kind: 'p2wpkh';
      readonly script: Uint8Array;
      readonly secret: Uint8Array;
      readonly publicKey: Uint8Array;
    }
  | { readonly kind: 'taproot-key'; readonly script: Uint8Array; readonly secret: Uint8Array }
  | {
      readonly kind: 'taproot-script';
      readonly script: Uint8Array;
      readonly secret: Uint8Array;
      readonly leaf: Uint8Array;
      readonly leafHash: Uint8Array;
      readonly controlBlock: Uint8Array;
    };

const OP_CHECKSIG = 0xac;
const LEAF_VERSION = 0xc0;

/** An output for the key of `secret` (32 bytes, a valid private key): BIP141. */
export function p2wpkh(secret: Uint8Array): Lock {
  const publicKey = defined(ecc.pointFromScalar(secret, true));
  return { kind: 'p2wpkh', script: concatBytes(Uint8Array.of(0x00, 20), crypto.hash160(publicKey)), secret, publicKey };
}

/** BIP341 output without scripts: the internal key tweaked by the hash of itself. */
export function taprootKey(internalSecret: Uint8Array): Lock {
  const internal = ecc.xOnlyPointFromScalar(internalSecret);
  const tweak = crypto.taggedHash('TapTweak', internal);
  const even = hasEvenY(internalSecret) ? internalSecret : ecc.privateNegate(internalSecret);
  const secret = defined(ecc.privateAdd(even, tweak));
  return { kind: 'taproot-key', script: taprootOutput(ecc.xOnlyPointFromScalar(secret)), secret };
}

/**
 * A BIP341 output with one leaf: `<key> OP_CHECKSIG` followed by `envelope`. The internal key is that of the leaf: the
 * output is made to be spent through the leaf.
 */
export function taprootScript(secret: Uint8Array, envelope: Uint8Array): Lock {
  const key = ecc.xOnlyPointFromScalar(secret);
  const leaf = concatBytes(Uint8Array.of(32), key, Uint8Array.of(OP_CHECKSIG), envelope);
  const leafHash = crypto.taggedHash(
    'TapLeaf',
    concatBytes(Uint8Array.of(LEAF_VERSION), compactSize(leaf.length), leaf),
  );
  const tweak = crypto.taggedHash('TapTweak', concatBytes(key, leafHash));
  const output = defined(ecc.xOnlyPointAddTweak(key, tweak));
  return {
    kind: 'taproot-script',
    script: taprootOutput(output.xOnlyPubkey),
    secret,
    leaf,
    leafHash,
    controlBlock: concatBytes(Uint8Array.of(LEAF_VERSION | output.parity), key),
  };
}

function taprootOutput(key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x51, 32), key);
}

function hasEvenY(secret: Uint8Array): boolean {
  return defined(ecc.pointFromScalar(secret, true))[0] === 0x02;
}

function defined<T>(value: T | null): T {
  if (value === null) throw new RangeError('a derived key is the point at infinity');
  return value;
}
