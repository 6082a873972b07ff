/** The state of the indexer in wasm/bench/bulk.ts, built without running it. */

import { readFileSync } from 'node:fs';
import { summarise } from '../../plan/plan.js';
import type { BlockCommit } from '../../store/types.js';
import { binarySlice, u64Bytes } from '../../util/bytes.js';
import { sha256 } from '../../util/sha256.js';
import { shipped } from '../../util/shipped.js';

/** Keys of one commit while the state is made. */
const PIECE = 100_000;

export function bulkIndexer(): Uint8Array {
  return new Uint8Array(readFileSync(shipped('wasm/bench/bulk.wasm')));
}

/** Commits that leave `keys` keys, at heights 0, 1, …; the hash of each is that of its height. */
export function* bulkState(keys: number): Generator<BlockCommit, void, void> {
  for (let height = 0, first = 0; first < keys; height++, first += PIECE) {
    const end = Math.min(keys, first + PIECE);
    const writes = new Map<string, Uint8Array>();
    for (let number = first; number < end; number++) {
      const hash = sha256(u64Bytes(BigInt(number)));
      const value = new Uint8Array(40);
      value.set(hash);
      writes.set(`o${binarySlice(hash, 0, 32)}`, value);
    }
    writes.set('n', u64Bytes(BigInt(end)));
    yield {
      height,
      hash: bulkHash(height),
      header: new Uint8Array(80),
      standardWrites: writes,
      laneWrites: new Map(),
      receipts: [],
      plan: summarise(height, 0, 0, undefined),
    };
  }
}

/** Hash (wire order) of the block at `height` of {@link bulkState}. */
function bulkHash(height: number): Uint8Array {
  return sha256(u64Bytes(BigInt(height)));
}
