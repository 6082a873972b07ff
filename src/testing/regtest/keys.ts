import * as ecc from 'tiny-secp256k1';
import { seededBytes } from '../../selftest/inputs/prng.js';
import { type Lock, p2wpkh, taprootKey, taprootScript } from '../../wallet/locks.js';

export type LockKind = 'p2wpkh' | 'taproot-key';

/** Locks of one kind before they repeat: deriving a key costs as much as signing, and wallets reuse addresses, too. */
const ROUND = 96;

/** Generates locks whose secrets depend on the seed and the order of the calls. */
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
