/** A node's best chain that grows and reorganises, from a seed: what an index that is killed has to follow. */
import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { toDisplayHash } from '../../util/bytes.js';
import { SimRandom } from '../sim/random.js';
import { makeBlock, type SyntheticBlock, Template } from './synthetic-chain.js';

export interface ChangingChainOptions {
  readonly seed: string;
  /** The chain that survives, from genesis on, by height. */
  readonly trunk: readonly SyntheticBlock[];
  /** Height of the trunk that is there at first. */
  readonly start: number;
  /** Lowest fork point: the first block of the index. */
  readonly first: number;
  /** No fork point lies deeper than this below the highest block so far: the undo data that the index keeps. */
  readonly keepUndo: number;
}

const LONGEST_GROWTH = 6;
const DEEPEST_FORK = 20;
/** Blocks more than it replaces that a dead branch may have. */
const LONGEST_LEAD = 3;
const LONGEST_FALL_BRANCH = 8;

/**
 * Grows along a trunk, now and then on a dead branch of 1 to 20 blocks or more, and back; where the trunk ends, a dead branch far below takes
 * the place of it, and the trunk comes again from there. Blocks of dead branches hold transactions of the trunk at about their height: some of
 * them, as they are or with other txids.
 */
export class ChangingChain {
  readonly #options: ChangingChainOptions;
  readonly #random: SimRandom;
  readonly #served = new Map<string, number>();
  /** Dead blocks, so that no two are the same. */
  #made = 0;
  #best: readonly SyntheticBlock[] = [];
  /** Height of the last block of the trunk in the best chain. */
  #fork = 0;
  /** Height of the trunk as far as it has come since it last was taken back. */
  #reached: number;
  #highest = 0;

  constructor(options: ChangingChainOptions) {
    this.#options = options;
    this.#random = new SimRandom(options.seed);
    this.#reached = options.start;
    this.#toTrunk(options.start);
  }

  /** The best chain as it is now, from genesis on. */
  get best(): readonly SyntheticBlock[] {
    return this.#best;
  }

  /** Height of a block that has ever been of the best chain, by its display hash. */
  heightOf(hash: string): number | undefined {
    return this.#served.get(hash);
  }

  /** Changes the best chain; `reorg`: so that its tip is replaced. */
  move(reorg = false): void {
    const { trunk } = this.#options;
    if (this.#fork === this.#tip) {
      if (this.#tip === trunk.length - 1) this.#fall();
      else if (reorg || this.#random.chance(350)) this.#branch();
      else this.#toTrunk(this.#reached + this.#random.between(1, LONGEST_GROWTH));
    } else if (!reorg && this.#tip < this.#ceiling && this.#random.chance(200)) {
      this.#replace(this.#tip, this.#random.between(1, LONGEST_LEAD));
    } else if (this.#random.chance(200)) this.#branch();
    else this.#toTrunk(Math.max(this.#reached, this.#fork + 1) + this.#random.between(0, LONGEST_LEAD));
  }

  /** The whole trunk is the best chain. */
  end(): void {
    this.#toTrunk(this.#options.trunk.length - 1);
  }

  get #tip(): number {
    return this.#best.length - 1;
  }

  /** Lowest height that may be forked at. */
  get #floor(): number {
    return Math.max(this.#options.first, this.#highest - this.#options.keepUndo);
  }

  /** Highest that a dead branch may become, or the way back to the trunk could not be undone. */
  get #ceiling(): number {
    return this.#fork + this.#options.keepUndo;
  }

  #toTrunk(height: number): void {
    const { trunk } = this.#options;
    this.#reached = Math.min(height, trunk.length - 1);
    this.#fork = this.#reached;
    this.#become(trunk.slice(0, this.#reached + 1));
  }

  /** Replaces the last blocks, of the trunk or of a dead branch, by others. */
  #branch(): void {
    const deepest = Math.max(1, Math.min(DEEPEST_FORK, this.#tip - this.#floor));
    // Most reorgs are short.
    const depth = this.#random.between(1, this.#random.between(1, deepest));
    const fork = Math.max(this.#floor, this.#tip - depth);
    this.#replace(fork, Math.max(1, depth + this.#random.between(-1, LONGEST_LEAD)));
  }

  #fall(): void {
    const fork = this.#random.between(this.#floor, Math.max(this.#floor, this.#tip - DEEPEST_FORK));
    this.#reached = Math.min(this.#reached, fork);
    this.#replace(fork, this.#random.between(1, LONGEST_FALL_BRANCH));
  }

  /** Dead blocks in the place of all above `fork`. */
  #replace(fork: number, count: number): void {
    this.#fork = Math.min(this.#fork, fork);
    const kept = this.#best.slice(0, fork + 1);
    this.#become([...kept, ...this.#dead(kept, Math.min(count, this.#ceiling - fork))]);
  }

  #become(best: readonly SyntheticBlock[]): void {
    this.#best = best;
    this.#highest = Math.max(this.#highest, this.#tip);
    for (const { hash, height } of best) this.#served.set(toDisplayHash(hash), height);
  }

  /** Blocks on top of `base` that are not of the trunk. */
  #dead(base: readonly SyntheticBlock[], count: number): SyntheticBlock[] {
    const { trunk } = this.#options;
    // Of one kind for a branch, so that what its blocks spend of each other is there.
    const locktime = this.#random.chance(500) ? 1 + this.#random.below(1_000_000) : undefined;
    const shift = this.#random.between(-2, 2);
    const blocks: SyntheticBlock[] = [];
    let last = base[base.length - 1];
    for (let n = 0; n < count; n++) {
      const height = last.height + 1;
      const { raw } = trunk[Math.min(trunk.length - 1, Math.max(1, height + shift))];
      const all = locktime === undefined ? transactionsOf(raw) : new Template(raw).transactions(locktime);
      last = makeBlock(
        height,
        last.hash,
        all.filter(() => this.#random.chance(800)),
        this.#made++ % 600,
      );
      blocks.push(last);
    }
    return blocks;
  }
}

/** The bytes of every transaction but the coinbase. */
function transactionsOf(raw: Uint8Array): Uint8Array[] {
  const { count, starts } = BlockOffsets.read(raw);
  return Array.from({ length: count - 1 }, (_, i) => raw.slice(starts[i + 1], starts[i + 2]));
}
