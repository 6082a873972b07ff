import { ProgramError } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { rootOfPairs } from '../store/tree/load-tree.js';
import { toHex } from '../util/bytes.js';

/** What a root over the keys with a prefix is made of; plain data that is sent to a thread. */
export interface PrefixRootRequest {
  /** The state is that after this block. */
  readonly height: number;
  readonly prefix: Uint8Array;
}

/** Keys under a prefix, at most: a tree of them takes some 100 bytes each. */
const MOST_KEYS = 4_000_000;

/**
 * Root (hex) of the state tree of the standard module's keys that begin with the prefix, and no others. It is made anew
 * from the state: whoever wants the same one often keeps it. Throws ProgramError VIEW_MEMORY for too many keys,
 * StoreError STORE_HISTORY_PRUNED.
 */
export function prefixRoot(store: StoreReader, { height, prefix }: PrefixRootRequest, most = MOST_KEYS): string {
  return toHex(rootOfPairs(bounded(store.entriesAt('S', prefix, height), most)));
}

function* bounded<T>(items: Iterable<T>, most: number): Generator<T, void, void> {
  let left = most;
  for (const item of items) {
    if (left-- === 0) {
      throw new ProgramError('VIEW_MEMORY', 'too many keys begin with the prefix', {
        facts: { limit: most },
        hint: 'Name a longer prefix; metashrew_stateroot commits to all keys.',
      });
    }
    yield item;
  }
}
