import { createHash } from 'node:crypto';
import { u32Bytes } from './bytes.js';

/**
 * SHA-256 over pairs in the order of their keys' bytes, each as u32 LE key length, u32 LE value length, key, value:
 * equal for two hosts that hold the same. Whoever adds them keeps the order.
 */
export class PairsDigest {
  pairs = 0;
  /** Sum of the lengths of the values. */
  valueBytes = 0;
  readonly #hash = createHash('sha256');

  add(key: Uint8Array, value: Uint8Array): void {
    this.#hash.update(u32Bytes(key.length)).update(u32Bytes(value.length)).update(key).update(value);
    this.pairs++;
    this.valueBytes += value.length;
  }

  /** Lower-case hex; nothing may be added after it. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}
