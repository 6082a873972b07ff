import { createHash } from 'node:crypto';
import { concatBytes, u32Bytes } from '../../util/bytes.js';

const utf8 = new TextEncoder();

/**
 * SHA-256 of the seed, a label and a counter: independent deterministic bytes for every purpose,
 * so that adding a draw in one place of the builder does not shift the draws of another.
 */
export function seededBytes(seed: string, label: string, counter = 0): Uint8Array {
  const text = utf8.encode(`${seed}\u0000${label}\u0000`);
  return Uint8Array.from(
    createHash('sha256')
      .update(concatBytes(text, u32Bytes(counter)))
      .digest(),
  );
}

/** A stream of integers drawn from {@link seededBytes}; same seed and label, same stream. */
export class Prng {
  readonly #seed: string;
  readonly #label: string;
  #counter = 0;

  constructor(seed: string, label: string) {
    this.#seed = seed;
    this.#label = label;
  }

  /** 32 fresh bytes. */
  bytes(): Uint8Array {
    return seededBytes(this.#seed, this.#label, this.#counter++);
  }

  /** An integer from 0 to `limit` - 1; `limit` is at most 2^32 (the bias of the remainder does not matter here). */
  below(limit: number): number {
    const bytes = this.bytes();
    return new DataView(bytes.buffer).getUint32(0, true) % limit;
  }

  /** One of `list`, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
