import { sha256 } from '../../bitcoin/hash.js';
import { concatBytes, readU128, u64Bytes, u128Bytes } from '../../util/bytes.js';

/**
 * The tree of the claim program (docs/programs.md): leaf i is SHA-256(u64 LE i ++ u128 LE amount), a node
 * SHA-256(left ++ right).
 */
export class AirdropTree {
  readonly depth: number;
  readonly amounts: readonly bigint[];
  readonly #levels: Uint8Array[][];

  /** `amounts` has 2^depth entries. */
  constructor(amounts: readonly bigint[]) {
    this.amounts = amounts;
    this.depth = Math.log2(amounts.length);
    if (!Number.isInteger(this.depth)) throw new RangeError(`${amounts.length} leaves are not a power of two`);
    this.#levels = [amounts.map((amount, i) => sha256(concatBytes(u64Bytes(BigInt(i)), u128Bytes(amount))))];
    for (let level = this.#levels[0]; level.length > 1; ) {
      const next: Uint8Array[] = [];
      for (let i = 0; i < level.length; i += 2) next.push(sha256(concatBytes(level[i], level[i + 1])));
      this.#levels.push(next);
      level = next;
    }
  }

  /** Inputs of opcode 0: opcode, both halves of the root, depth. */
  initialise(): bigint[] {
    return [0n, ...halves(this.#levels[this.depth][0]), BigInt(this.depth)];
  }

  /** Inputs of opcode 1 for a leaf: opcode, index, amount, then both halves of each sibling from the leaf upwards. */
  claim(index: number): bigint[] {
    const siblings: bigint[] = [];
    for (let k = 0; k < this.depth; k++) siblings.push(...halves(this.#levels[k][(index >> k) ^ 1]));
    return [1n, BigInt(index), this.amounts[index], ...siblings];
  }
}

function halves(hash: Uint8Array): [bigint, bigint] {
  return [readU128(hash, 0), readU128(hash, 16)];
}
