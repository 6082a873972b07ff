import { expandTarget } from '../bitcoin/verify-block.js';
import type { HeaderIndex } from './header-index.js';

const UNKNOWN = -1;

/** The chain with the most work among the blocks of an index, from the block that has no predecessor. */
export class BestChain {
  /** By number of the index: height, or UNKNOWN while a block before it is missing. */
  readonly #heights: number[] = [];
  /** By number of the index: work of the chain up to the block. */
  readonly #work: bigint[] = [];
  #loose: number[] = [];
  #byHeight: number[] = [];
  #best: number | undefined;
  readonly #workOfBits = new Map<number, bigint>();
  readonly #index: HeaderIndex;

  constructor(index: HeaderIndex) {
    this.#index = index;
  }

  /** Height of the tip; -1 if there is no chain. */
  get tipHeight(): number {
    return this.#byHeight.length - 1;
  }

  /** Hash (wire order) of the chain's block at `height`. */
  hashAt(height: number): Uint8Array | undefined {
    const id = this.#byHeight[height];
    return id === undefined ? undefined : this.#index.hashOf(id);
  }

  /** Adds the blocks that are new in the index. Of two chains with equal work the one found first stays. */
  update(): void {
    const open = this.#loose;
    for (let id = this.#heights.length; id < this.#index.size; id++) {
      this.#heights.push(UNKNOWN);
      this.#work.push(0n);
      open.push(id);
    }
    const before = this.#best;
    for (const id of open) this.#connect(id);
    this.#loose = open.filter((id) => this.#heights[id] === UNKNOWN);
    if (this.#best !== before) this.#follow();
  }

  /** Sets the heights of the block and its ancestors, if they reach the first block. */
  #connect(id: number): void {
    const path: number[] = [];
    let at: number | undefined = id;
    while (at !== undefined && this.#heights[at] === UNKNOWN) {
      path.push(at);
      const previous = this.#index.previousOf(at);
      if (previous.every((byte) => byte === 0)) {
        at = undefined;
        break;
      }
      at = this.#index.find(previous);
      if (at === undefined) return;
    }
    let height = at === undefined ? UNKNOWN : this.#heights[at];
    let work = at === undefined ? 0n : this.#work[at];
    for (const block of path.reverse()) {
      height++;
      work += this.#workOf(this.#index.bitsOf(block));
      this.#heights[block] = height;
      this.#work[block] = work;
      if (this.#best === undefined || work > this.#work[this.#best]) this.#best = block;
    }
  }

  /** Average number of hashes needed to meet the target. */
  #workOf(bits: number): bigint {
    let work = this.#workOfBits.get(bits);
    if (work === undefined) {
      if (this.#workOfBits.size > 10_000) this.#workOfBits.clear();
      work = (1n << 256n) / ((expandTarget(bits) ?? 1n << 256n) + 1n);
      this.#workOfBits.set(bits, work);
    }
    return work;
  }

  /** Updates the list from the best tip down to the first entry that is still correct. */
  #follow(): void {
    let at = this.#best;
    if (at === undefined) return;
    this.#byHeight.length = Math.min(this.#byHeight.length, this.#heights[at] + 1);
    const tipHeight = this.#heights[at];
    const changed: number[] = [];
    for (let height = tipHeight; at !== undefined && this.#byHeight[height] !== at; height--) {
      changed.push(at);
      at = height === 0 ? undefined : this.#index.find(this.#index.previousOf(at));
    }
    const kept = tipHeight + 1 - changed.length;
    this.#byHeight.length = kept;
    for (const id of changed.reverse()) this.#byHeight.push(id);
  }
}
