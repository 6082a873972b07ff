/** What a contract's last transactions were, block by block, and how they waited for each other. */
import type { ListedReceipt } from '../../src/client/types.js';
import { decodeKey, ownerOf } from './keys.js';
import { rpc } from './rpc.js';

export interface BlockCalls {
  readonly height: number;
  readonly ok: number;
  readonly failed: number;
  /** Edges of the block's conflict graph on keys of the contract; undefined: the block was not looked at. */
  readonly conflicts: number | undefined;
}

/** Receipts that are looked at, the newest, and blocks whose graphs are. */
const RECEIPTS = 2_000;
const PAGE = 1_000;
const GRAPHS = 16;

export interface History {
  /** Ascending. */
  readonly blocks: readonly BlockCalls[];
  /** The newest first. */
  readonly receipts: readonly ListedReceipt[];
  /** False: there are older ones. */
  readonly complete: boolean;
}

export async function historyOf(contract: string): Promise<History> {
  const receipts: ListedReceipt[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: readonly ListedReceipt[]; cursor: string | null } = await rpc.call('warpshrew_listreceipts', {
      contract,
      reverse: true,
      limit: PAGE,
      cursor,
    });
    receipts.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null && receipts.length < RECEIPTS);
  const byHeight = new Map<number, { ok: number; failed: number }>();
  for (const { height, status } of receipts) {
    const counts = byHeight.get(height) ?? { ok: 0, failed: 0 };
    byHeight.set(height, counts);
    if (status === 'OK') counts.ok++;
    else counts.failed++;
  }
  const newest = [...byHeight.keys()].slice(0, GRAPHS);
  const conflicts = new Map<number, number>();
  // One after the other: each may take the server a while.
  for (const height of newest) conflicts.set(height, await conflictsOf(contract, height));
  const blocks = [...byHeight]
    .map(([height, counts]) => ({ height, ...counts, conflicts: conflicts.get(height) }))
    .sort((a, b) => a.height - b.height);
  return { blocks, receipts, complete: cursor === null };
}

async function conflictsOf(contract: string, height: number): Promise<number> {
  const { keys } = await rpc.call('warpshrew_getgraph', height);
  return keys.reduce((sum, { key, edges }) => sum + (ownerOf(decodeKey(key)) === contract ? edges : 0), 0);
}
