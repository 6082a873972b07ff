/** The keys in which the states of two databases differ. */
import type { StoreReader } from '../store/reader.js';
import type { Namespace } from '../store/types.js';
import { bytesEqual, compareBytes } from '../util/bytes.js';

/** A key that differs; a value is undefined where the key is absent. */
export interface DifferentKey {
  readonly namespace: Namespace;
  readonly key: Uint8Array;
  readonly values: readonly [Uint8Array | undefined, Uint8Array | undefined];
}

const EVERYTHING = new Uint8Array(0);

/** All keys that differ after block `height`: those of S first, each namespace in the order of the keys' bytes. */
export function* differentKeys(
  [a, b]: readonly [StoreReader, StoreReader],
  height: number,
  look: () => void,
): Generator<DifferentKey, void, void> {
  for (const namespace of ['S', 'P'] as const) {
    const [own, other] = [a, b].map((store) => store.entriesAt(namespace, EVERYTHING, height));
    try {
      let [left, right] = [own.next(), other.next()];
      while (!left.done || !right.done) {
        look();
        const order = left.done ? 1 : right.done ? -1 : compareBytes(left.value[0], right.value[0]);
        const mine = order <= 0 && !left.done ? left.value : undefined;
        const theirs = order >= 0 && !right.done ? right.value : undefined;
        const key = mine?.[0] ?? theirs?.[0];
        if (key !== undefined && !bytesEqual(mine?.[1], theirs?.[1])) {
          yield { namespace, key, values: [mine?.[1], theirs?.[1]] };
        }
        if (order <= 0) left = own.next();
        if (order >= 0) right = other.next();
      }
    } finally {
      own.return();
      other.return();
    }
  }
}

/**
 * The lowest height above `same` at which the states differ, no higher than `height`, at which they do: for heights
 * without roots, by halving.
 */
export function firstDifferentState(
  stores: readonly [StoreReader, StoreReader],
  same: number,
  height: number,
  look: () => void,
): number {
  let [low, high] = [same, height];
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    const keys = differentKeys(stores, middle, look);
    const differs = !keys.next().done;
    keys.return();
    if (differs) high = middle;
    else low = middle;
  }
  return high;
}
