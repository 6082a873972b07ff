/** What became of an output with lane assets, and whose it is. */
import { keyBytes, keyHex, sheetKey } from '../lane/keys.js';
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { StoreReader } from '../store/reader.js';
import { concatBytes, toHex, u32Bytes } from '../util/bytes.js';
import { PAGE_LIMITS } from './page.js';

export interface OutpointFate {
  /** The assets that it got; null: it never had any, or lost them in its own block, or it is not known any more. */
  readonly sheet: Readonly<Record<string, string>> | null;
  /** Height of the block that has it. */
  readonly height: number | null;
  /** Height of the block that spent it; null: none up to `height` of the request did. */
  readonly spentHeight: number | null;
  /** The transaction that spent it; null where no receipt says so. */
  readonly spentBy: string | null;
  /**
   * SHA-256 of the script that it pays to, hex. This and the next are known in a database with an index by address, of
   * outputs that nothing has spent yet, and of those with assets while the block that spent them can be undone; else
   * null.
   */
  readonly scriptHash: string | null;
  /** Satoshis. */
  readonly amount: string | null;
}

interface Assets {
  readonly of: Omit<OutpointFate, 'scriptHash' | 'amount'>;
  /** Height of the block that spent it, also above the height asked for. */
  readonly end: number | undefined;
}

/** `txid`: 32 bytes in wire order. As after block `height`. */
export function outpointFate(store: StoreReader, txid: Uint8Array, vout: number, height: number): OutpointFate {
  const { of, end } = assetsOf(store, txid, vout, height);
  const outpoint = concatBytes(txid, u32Bytes(vout));
  const { addresses } = store.lists;
  const unspent = addresses.unspent(outpoint);
  // A later transaction with the same txid has none of it.
  const isThere = unspent !== undefined && unspent.height <= height;
  const coin = isThere || end === undefined ? unspent : addresses.spentIn(end, outpoint);
  const isKnown = coin !== undefined && coin.height <= height;
  return {
    ...of,
    scriptHash: isKnown ? toHex(coin.script) : null,
    amount: isKnown ? coin.amount.toString() : null,
  };
}

function assetsOf(store: StoreReader, txid: Uint8Array, vout: number, height: number): Assets {
  const key = sheetKey(txid, vout);
  for (const { written, end, value } of store.lists.versions('P', keyBytes(key))) {
    if (written > height) continue;
    const isSpent = end !== undefined && end <= height;
    const entries = decodeSheet(value).entries();
    const of = {
      sheet: Object.fromEntries(entries.map(({ id, amount }) => [formatId(id), amount.toString()])),
      height: written,
      spentHeight: isSpent ? end : null,
      spentBy: isSpent ? spenderIn(store, end, keyHex(key)) : null,
    };
    return { of, end };
  }
  const place = store.lists.placeOf(txid);
  const isThere = place !== undefined && place.height <= height;
  const of = { sheet: null, height: isThere ? place.height : null, spentHeight: null, spentBy: null };
  return { of, end: undefined };
}

/** The transaction of a block whose receipt lists a key among what it wrote: spending an output deletes its sheet. */
function spenderIn(store: StoreReader, height: number, key: string): string | null {
  const until = performance.now() + PAGE_LIMITS.ms;
  for (const { bytes } of store.lists.receipts({ from: height, to: height, after: undefined, reverse: false })) {
    const { txid, writes } = decodeReceipt(bytes);
    if (writes.includes(key)) return txid;
    if (performance.now() >= until) return null;
  }
  return null;
}
