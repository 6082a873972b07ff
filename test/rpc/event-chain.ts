/** A chain whose blocks differ after a reorg, and what readers of its events must have. */
import type { Store } from '../../src/store/store.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { block, receipt } from '../store/helpers.js';

let salt = 0;

/** Adds a block with `receipts` receipts, every second of which names 2:1. */
export function grow(store: Store, receipts: number, messages = 1): void {
  const tip = store.tip();
  const height = (tip?.height ?? -1) + 1;
  const header = new Uint8Array(80);
  header.set(tip?.hash ?? new Uint8Array(32), 4);
  new DataView(header.buffer).setUint32(76, ++salt);
  const [message] = receipt(0, 0).messages;
  store.commitBlock({
    ...block(height),
    header,
    hash: sha256(sha256(header)),
    receipts: Array.from({ length: receipts }, (_, index) =>
      receipt(height, index, {
        messages: Array.from({ length: messages }, () => ({ ...message, target: index % 2 === 0 ? '2:1' : '2:2' })),
      }),
    ),
  });
}

/** What the chain is: hashes by height from `from` on, and the receipts of 2:1 in it. */
export function chainOf(store: Store, from: number): { hashes: Map<number, string>; receipts: string[] } {
  const hashes = new Map<number, string>();
  const receipts: string[] = [];
  for (let height = from; ; height++) {
    const hash = store.blockHash(height);
    if (hash === undefined) return { hashes, receipts };
    hashes.set(height, toDisplayHash(hash));
    for (const { index, messages } of store.receipts(height)) {
      if (messages[0].target === '2:1') receipts.push(`${height}:${index}`);
    }
  }
}
