/** Hashing of blocks and transactions, by node:crypto (several times faster than hashing in JavaScript). */
import { createHash } from 'node:crypto';

const HASH_LENGTH = 32;

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest());
}

/** Double SHA-256 of the concatenation of `parts`: 32 bytes, wire order. */
export function sha256d(...parts: Uint8Array[]): Uint8Array {
  const first = createHash('sha256');
  for (const part of parts) first.update(part);
  return Uint8Array.from(createHash('sha256').update(first.digest()).digest());
}

export interface MerkleRoot {
  readonly root: Uint8Array;
  /** True if two neighbours on some level are equal: the list could be a longer one's (CVE-2012-2459). */
  readonly mutated: boolean;
}

/** Merkle root of at least one hash; a level of odd length repeats its last hash. */
export function merkleRoot(hashes: readonly Uint8Array[]): MerkleRoot {
  let level = hashes.slice();
  let mutated = false;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1] ?? level[i];
      if (i + 1 < level.length && Buffer.compare(level[i], right) === 0) mutated = true;
      next.push(sha256d(level[i], right));
    }
    level = next;
  }
  return { root: level[0] ?? new Uint8Array(HASH_LENGTH), mutated };
}
