/** Applies the events of a stream to a store. */
import { StreamError } from '../errors/errors.js';
import type { Store } from '../store/store.js';
import type { StateRoots } from '../store/types.js';
import { bytesEqual, fromDisplayHash, toDisplayHash } from '../util/bytes.js';
import { NO_HEIGHT } from './chunk.js';
import type { StreamEvent } from './event-parts.js';
import { checkSameIndex, identityOfStore } from './identity.js';
import { readBody } from './read-body.js';

export interface ReplicaOptions {
  /** Wraps what undoes blocks, for readers that must know that the state is about to go back. */
  readonly duringRollback?: (undo: () => Promise<void>) => Promise<void>;
}

export interface ApplyOptions {
  /** More events are at hand: the block need not be on the disk at once. */
  readonly moreFollow?: boolean;
}

/** What became of an event. */
export interface Applied {
  /** Blocks above `to` were undone; `from` was the tip. */
  readonly undone: { readonly from: number; readonly to: number } | undefined;
  /** Roots of the block that was stored; undefined if none was. */
  readonly stored: StateRoots | undefined;
}

const NOTHING: Applied = { undone: undefined, stored: undefined };

/**
 * A store that takes its blocks from a stream. Every event says what it follows, so it does not matter where in the
 * stream reading begins: a block that is there already is passed over, one that follows an earlier block of the store
 * undoes those above that, and one that follows nothing of the store is refused.
 */
export class Replica {
  readonly #store: Store;
  readonly #duringRollback: (undo: () => Promise<void>) => Promise<void>;

  constructor(store: Store, { duringRollback = (undo) => undo() }: ReplicaOptions = {}) {
    this.#store = store;
    this.#duringRollback = duringRollback;
  }

  /**
   * Throws StreamError STREAM_OTHER_INDEX, STREAM_BAD_MESSAGE, STREAM_WRONG_ROOT, STREAM_GAP, STREAM_FORK_TOO_DEEP,
   * StoreError; nothing of the event's block is stored then.
   */
  async apply(event: StreamEvent, options: ApplyOptions = {}): Promise<Applied> {
    const own = identityOfStore(this.#store) ?? { ...event.identity, ...this.#store.identity() };
    checkSameIndex(event.identity, own);
    return event.kind === 'block' ? this.#applyBlock(event, options) : this.#applyUndone(event);
  }

  async #applyUndone({ height, hash, identity }: StreamEvent): Promise<Applied> {
    const { tip } = this;
    // On another branch than the one that it ends: the next block says what it follows.
    const isOurs = height === NO_HEIGHT || bytesEqual(this.#store.blockHash(height), hash);
    if (tip === undefined || tip <= height || !isOurs) return NOTHING;
    return { undone: await this.#rollBack(tip, height === NO_HEIGHT ? identity.first - 1 : height), stored: undefined };
  }

  async #applyBlock(event: StreamEvent, { moreFollow = false }: ApplyOptions): Promise<Applied> {
    const store = this.#store;
    const { height, hash, identity } = event;
    if (bytesEqual(store.blockHash(height), hash)) return NOTHING;
    const { tip } = this;
    if (!this.#follows(event)) throw gap(event, tip);
    // Before anything is undone for it.
    const { commit, roots: expected } = readBody(event, event.body);
    const undone = tip !== undefined && tip >= height ? await this.#rollBack(tip, height - 1) : undefined;
    if (identity.genesis !== null) store.recordGenesis(fromDisplayHash(identity.genesis));
    const check = (roots: StateRoots): void => {
      if (roots.standard === expected.standard && roots.lane === expected.lane) return;
      throw new StreamError(
        'STREAM_WRONG_ROOT',
        'the changes of the block do not give the root that the stream names',
        {
          facts: {
            height,
            hash: toDisplayHash(hash),
            lane: expected.lane,
            standard: expected.standard,
            found: roots.state,
          },
          hint: 'Nothing of the block was stored. Check who may publish to the stream.',
        },
      );
    };
    return { undone, stored: store.commitBlock(commit, { moreFollow, check }) };
  }

  get tip(): number | undefined {
    return this.#store.tip()?.height;
  }

  /** Whether the block follows one of the store, or is the first of all. */
  #follows({ height, previous, identity }: StreamEvent): boolean {
    const { tip } = this;
    if (height === identity.first) return true;
    return tip !== undefined && height <= tip + 1 && bytesEqual(this.#store.blockHash(height - 1), previous);
  }

  async #rollBack(from: number, to: number): Promise<{ from: number; to: number }> {
    const lowest = this.#store.lowestRollback();
    if (to < lowest) {
      throw new StreamError('STREAM_FORK_TOO_DEEP', 'the stream undoes more blocks than the replica can', {
        facts: { to, lowest, tip: from },
        hint: 'Begin a new replica from a snapshot, and keep more undo data with --keep-undo.',
      });
    }
    await this.#duringRollback(async () => this.#store.rollback(to));
    return { from, to };
  }
}

/** The error of a block that follows nothing of the store. */
function gap({ height, hash, previous, identity }: StreamEvent, tip: number | undefined): StreamError {
  return new StreamError('STREAM_GAP', 'the stream does not go on where the replica ends', {
    facts: {
      block: height,
      hash: toDisplayHash(hash),
      previous: toDisplayHash(previous),
      firstOfIndex: identity.first,
      ...(tip !== undefined && { tip }),
    },
    hint:
      'Blocks between them are not in the stream any more, or never were. Make a snapshot of the index (warpshrew ' +
      'snapshot create, or --snapshot-directory), and begin a new replica from it: --repo, and a new --db.',
  });
}
