/** Why a transaction had to wait for others of its block, from their receipts. */
import type { Receipt } from '../lane/types.js';
import { entriesOf, listsAll, type ReceiptSource, receiptPortions, sheetTxids, wireTxid } from '../plan/receipts.js';

/** Earlier transactions that are named at most, and keys of each. */
export const NAMED_WAITS = 32;
const NAMED_KEYS = 16;
/** Keys and messages of receipts that are looked at: some 30 MB of stored text. */
const MOST_ENTRIES = 200_000;

/** A key on which a transaction follows an earlier one: one of the two writes it. */
interface SharedKey {
  /** Hex. */
  readonly key: string;
  /** What the earlier one did to it, and what this one does. */
  readonly earlier: 'read' | 'wrote';
  readonly later: 'reads' | 'writes';
}

/** An earlier transaction of the block that this one follows. */
export interface Wait {
  /** Its position in the block. */
  readonly index: number;
  readonly txid: string;
  /** This one spends an output of it, so it is never run before it is final. */
  readonly spends: boolean;
  /** The first of the keys, ascending, and how many there are. */
  readonly keys: readonly SharedKey[];
  readonly keyTotal: number;
}

export interface Waits {
  /** Those that this transaction directly follows, as in the conflict graph; the nearest first. */
  readonly after: readonly Wait[];
  readonly afterTotal: number;
  /** False where receipts leave keys out, or the block has too many: there may be more. */
  readonly complete: boolean;
}

/** Who has touched a key. */
interface Access {
  writer: number | undefined;
  /** Since then. */
  readers: number[];
}

/** What transaction `receipt` follows in its block. The block must not be undone meanwhile. */
export async function waitsOf(store: ReceiptSource, receipt: Receipt): Promise<Waits> {
  const accesses = new Map<string, Access>();
  for (const key of [...receipt.reads, ...receipt.writes]) accesses.set(key, { writer: undefined, readers: [] });
  const spent = new Set(sheetTxids(receipt));
  const txids = new Map<number, string>();
  const parents = new Set<number>();
  let complete = listsAll(receipt);
  let entries = 0;
  block: for await (const portion of receiptPortions(store, receipt.height)) {
    for (const earlier of portion) {
      if (earlier.index >= receipt.index) break block;
      const { index } = earlier;
      entries += entriesOf(earlier);
      complete &&= listsAll(earlier);
      txids.set(index, earlier.txid);
      if (spent.size > 0 && spent.has(wireTxid(earlier))) parents.add(index);
      for (const key of earlier.reads) accesses.get(key)?.readers.push(index);
      for (const key of earlier.writes) {
        const access = accesses.get(key);
        if (access === undefined) continue;
        access.writer = index;
        access.readers = [];
      }
    }
    if (entries > MOST_ENTRIES) {
      complete = false;
      break;
    }
  }
  const shared = sharedKeys(receipt, accesses);
  for (const parent of parents) if (!shared.has(parent)) shared.set(parent, []);
  const nearest = [...shared.keys()].sort((a, b) => b - a);
  const after = nearest.slice(0, NAMED_WAITS).map((index): Wait => {
    const keys = shared.get(index) ?? [];
    const spends = parents.has(index);
    return { index, txid: txids.get(index) ?? '', spends, keys: keys.slice(0, NAMED_KEYS), keyTotal: keys.length };
  });
  return { after, afterTotal: nearest.length, complete };
}

/** By earlier transaction: the keys on which `receipt` follows it. */
function sharedKeys(receipt: Receipt, accesses: ReadonlyMap<string, Access>): Map<number, SharedKey[]> {
  const shared = new Map<number, SharedKey[]>();
  const add = (index: number, key: SharedKey): void => {
    const keys = shared.get(index);
    if (keys === undefined) shared.set(index, [key]);
    else keys.push(key);
  };
  const written = new Set(receipt.writes);
  const read = new Set(receipt.reads);
  for (const [key, { writer, readers }] of [...accesses].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const reads = read.has(key);
    if (writer !== undefined && (reads || readers.length === 0)) {
      add(writer, { key, earlier: 'wrote', later: reads ? 'reads' : 'writes' });
    }
    if (!written.has(key)) continue;
    for (const index of readers) add(index, { key, earlier: 'read', later: 'writes' });
  }
  return shared;
}
