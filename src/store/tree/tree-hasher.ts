/**
 * Hashes the trees of a block in a thread of its own, while the block's rows are written: the roots are needed last.
 * If the thread has not begun by the time when the roots are wanted, the caller's thread hashes.
 */
import { InternalError } from '../../errors/errors.js';
import { SideThread } from '../../util/side-thread.js';
import type { StateTree } from './state-tree.js';
import { treeModule } from './tree-instance.js';

/** Memories of trees that are handed over. */
export type HashJob = readonly WebAssembly.Memory[];

export class TreeHasher {
  readonly #thread: SideThread<HashJob>;
  #trees: readonly StateTree[] = [];

  /** `onLost`: called once if the thread is there no more. */
  constructor(onLost: (cause: unknown) => void = () => undefined, patienceMs?: number) {
    this.#thread = new SideThread({
      file: 'store/tree/hash-thread.js',
      data: () => ({ module: treeModule() }),
      limits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
      onLost,
      patienceMs,
    });
  }

  /** Begins to hash `trees`, none of which may be used before {@link end}. */
  begin(trees: readonly StateTree[]): void {
    this.#trees = trees;
    this.#thread.begin(() => trees.map((tree) => tree.handOver()));
  }

  /**
   * The trees given to {@link begin} are hashed then; returns whether the thread did it. Throws InternalError if it
   * failed: the trees are undefined.
   */
  end(): boolean {
    const trees = this.#trees;
    this.#trees = [];
    const hashed = this.#hashed();
    for (const tree of trees) {
      if (hashed === undefined) tree.hash();
      else tree.takeBack();
    }
    return hashed !== undefined;
  }

  #hashed(): number | undefined {
    try {
      return this.#thread.end();
    } catch (cause) {
      throw new InternalError('the state tree could not be hashed', { cause });
    }
  }

  /** Waits for what was begun, if anything was, and forgets it: its trees are undefined. */
  abandon(): void {
    this.#trees = [];
    this.#thread.abandon();
  }

  async close(): Promise<void> {
    this.#trees = [];
    await this.#thread.close();
  }
}
