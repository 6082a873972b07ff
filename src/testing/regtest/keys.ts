import { crypto } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { compactSize } from '../../bitcoin/compact-size.js';
import { seededBytes } from '../../selftest/inputs/prng.js';
import { concatBytes } from '../../util/bytes.js';

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

export type LockKind = 'p2wpkh' | 'taproot-key';

const OP_CHECKSIG = 0xac;
const LEAF_VERSION = 0xc0;

/** Locks of one kind before they come round again: deriving a key costs as much as signing, and wallets reuse addresses too. */
const ROUND = 96;

/** Hands out locks whose secrets follow from the seed and the order of the calls. */
export class KeyRing {
  readonly #seed: string;
  readonly #rounds: Record<LockKind, Lock[]> = { p2wpkh: [], 'taproot-key': [] };
  readonly #turns: Record<LockKind, number> = { p2wpkh: 0, 'taproot-key': 0 };
  #next = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** The next lock of this kind. */
  lock(kind: LockKind): Lock {
    const round = this.#rounds[kind];
    if (round.length < ROUND) round.push(kind === 'p2wpkh' ? p2wpkh(this.#secret()) : taprootKey(this.#secret()));
    return round[this.#turns[kind]++ % ROUND];
  }

  /**
   * A taproot output with one leaf: `<key> OP_CHECKSIG` followed by `envelope`. The internal key's secret is known but
   * never used: the output is made to be spent through the leaf.
   */
  lockWithLeaf(envelope: Uint8Array): Lock {
    return taprootScript(this.#secret(), envelope);
  }

  #secret(): Uint8Array {
    for (;;) {
      const secret = seededBytes(this.#seed, 'key', this.#next++);
      if (ecc.isPrivate(secret)) return secret;
    }
  }
}

function p2wpkh(secret: Uint8Array): Lock {
  const publicKey = defined(ecc.pointFromScalar(secret, true));
  return { kind: 'p2wpkh', script: concatBytes(Uint8Array.of(0x00, 20), crypto.hash160(publicKey)), secret, publicKey };
}

/** BIP341 output without scripts: the internal key tweaked by the hash of itself. */
function taprootKey(internalSecret: Uint8Array): Lock {
  const internal = ecc.xOnlyPointFromScalar(internalSecret);
  const tweak = crypto.taggedHash('TapTweak', internal);
  const even = hasEvenY(internalSecret) ? internalSecret : ecc.privateNegate(internalSecret);
  const secret = defined(ecc.privateAdd(even, tweak));
  return { kind: 'taproot-key', script: taprootOutput(ecc.xOnlyPointFromScalar(secret)), secret };
}

function taprootScript(secret: Uint8Array, envelope: Uint8Array): Lock {
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
