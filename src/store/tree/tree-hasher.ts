/**
 * Hashes the trees of a block in threads of their own, while the block's rows are written: the roots are needed last.
 * Whoever wants the roots hashes what no thread has begun by then: all of it on a machine that has no core for them.
 */
import { availableParallelism } from 'node:os';
import { InternalError } from '../../errors/errors.js';
import { SideThread } from '../../util/side-thread.js';
import type { StateTree } from './state-tree.js';
import { treeModule } from './tree-instance.js';

/** Memories of trees that are handed over. */
export type HashJob = readonly WebAssembly.Memory[];

/** More gain little (docs/state-root.md), and each takes some 8 MiB. */
const MOST_THREADS = 8;
/** Fewer cores than this have work enough while a block is stored: one of them hashes. */
const CORES_FOR_MORE = 4;
/** Buckets that must be unhashed for each thread after the first: about a millisecond of work. */
const BUCKETS_A_THREAD = 512;

interface HasherOptions {
  /** Called for each thread that is there no more. */
  readonly onLost?: ((cause: unknown) => void) | undefined;
  readonly patienceMs?: number;
  /** Threads at most, beside the caller's. */
  readonly threads?: number;
}

/** Threads that hash beside the caller's, on a machine of `cores` cores. */
function threadsOf(cores: number): number {
  return cores < CORES_FOR_MORE ? 1 : Math.min(cores - 1, MOST_THREADS);
}

export class TreeHasher {
  readonly #threads: readonly SideThread<HashJob>[];
  #trees: readonly StateTree[] = [];

  constructor({ onLost = () => undefined, patienceMs, threads }: HasherOptions = {}) {
    const length = threads ?? threadsOf(availableParallelism());
    this.#threads = Array.from(
      { length },
      (_, place) =>
        new SideThread<HashJob>({
          file: 'store/tree/hash-thread.js',
          data: () => ({ module: treeModule(), place }),
          limits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
          onLost,
          patienceMs,
        }),
    );
  }

  /** Begins to hash `trees`, none of which may be used before {@link end}. */
  begin(trees: readonly StateTree[]): void {
    this.abandon();
    this.#trees = trees;
    const unhashed = trees.reduce((sum, tree) => sum + tree.unhashed, 0);
    const threads = this.#threads.slice(0, Math.max(1, Math.floor(unhashed / BUCKETS_A_THREAD)));
    const memories = trees.map((tree) => tree.handOver(threads.length));
    for (const thread of threads) thread.begin(() => memories);
  }

  /**
   * The trees given to {@link begin} are hashed then; returns whether any thread took part. Throws InternalError if one
   * failed: the trees are undefined.
   */
  end(): boolean {
    const trees = this.#trees;
    this.#trees = [];
    for (const tree of trees) tree.hashHere();
    const took = this.#endAll();
    for (const tree of trees) tree.takeBack();
    return took;
  }

  /** Waits for all threads, also where one fails. */
  #endAll(): boolean {
    let took = false;
    const causes: unknown[] = [];
    for (const thread of this.#threads) {
      try {
        took = thread.end() !== undefined || took;
      } catch (cause) {
        causes.push(cause);
      }
    }
    if (causes.length > 0) throw new InternalError('the state tree could not be hashed', { cause: causes[0] });
    return took;
  }

  /** Waits for what was begun, if anything was, and forgets it: its trees are undefined. */
  abandon(): void {
    this.#trees = [];
    for (const thread of this.#threads) thread.abandon();
  }

  async close(): Promise<void> {
    this.#trees = [];
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
