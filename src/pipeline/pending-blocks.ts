import { addressBytes } from '../store/address-block.js';
import { receiptCount } from '../store/receipt-rows.js';
import type { Store } from '../store/store.js';
import type { BlockCommit, CommitOptions, StateRoots } from '../store/types.js';
import { PackedWrites } from '../util/packed-writes.js';

/**
 * Bytes of keys and values of blocks that wait to be stored together, and of the rows that are known to be replaced:
 * what is written of them takes several times as much.
 */
const MOST_BYTES = 12 << 20;
/** Milliseconds that the first of them waits. */
const MOST_MS = 2_000;

/** Blocks that have been indexed and are stored with one that follows, in one write. */
export class PendingBlocks {
  #blocks: BlockCommit[] = [];
  #bytes = 0;
  #since = 0;
  /** Whether those that wait are final. */
  #final = false;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get count(): number {
    return this.#blocks.length;
  }

  get last(): BlockCommit | undefined {
    return this.#blocks.at(-1);
  }

  /**
   * Stores `block`, or keeps it for one of the next `together` - 1 blocks, which must be at hand if more than one is
   * wanted. Returns the roots after it; undefined while it waits, and it has none then. Throws StoreError and what
   * `check` throws, which is asked of a block that is stored alone.
   */
  add(block: BlockCommit, together: number, options: CommitOptions): StateRoots | undefined {
    const bytes = together > 1 && canWait(block) ? bytesOf(block) : Number.POSITIVE_INFINITY;
    const { final = false } = options;
    if (this.#bytes + bytes > MOST_BYTES || final !== this.#final) this.settle(true);
    this.#final = final;
    if (bytes > MOST_BYTES) return this.#store.commitBlock(block, options);
    if (this.#blocks.length === 0) this.#since = performance.now();
    this.#blocks.push(block);
    this.#bytes += bytes;
    const isLast = this.#blocks.length >= together || performance.now() - this.#since > MOST_MS;
    return isLast || !options.moreFollow ? this.settle(options.moreFollow) : undefined;
  }

  /** Stores what waits; returns the roots after it. Throws StoreError. */
  settle(moreFollow = false): StateRoots | undefined {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    if (blocks.length === 0) return undefined;
    if (blocks.length === 1) return this.#store.commitBlock(blocks[0], { moreFollow, final: this.#final });
    return this.#store.commitBlocks(blocks, { moreFollow, final: this.#final });
  }
}

/** Whether the lane reads the same without it. */
function canWait(block: BlockCommit): boolean {
  return block.laneWrites.size === 0 && receiptCount(block) === 0;
}

function bytesOf({ standardWrites: writes, outputs }: BlockCommit): number {
  let bytes = outputs === undefined ? 0 : addressBytes(outputs);
  if (writes instanceof PackedWrites) {
    for (const address of writes.addresses()) {
      const { keyStart, keyEnd, valueStart, valueEnd } = writes.read(address);
      bytes += keyEnd - keyStart + valueEnd - valueStart;
    }
    bytes += writes.rowsBefore()?.bytes.length ?? 0;
  } else for (const [key, value] of writes) bytes += key.length + value.length;
  return bytes;
}
