/** What became of an output with lane assets, and whose it is. */
import { keyBytes, keyHex, sheetKey } from '../lane/keys.js';
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { StoreReader } from '../store/reader.js';
import { toHex } from '../util/bytes.js';
import { txidOf } from './addresses.js';
import { PAGE_LIMITS } from './page.js';

export interface OutpointFate {
  /** The assets that it got; null: it never had any, or lost them in its own block, or it is not known any more. */
  readonly sheet: Readonly<Record<string, string>> | null;
  /** Height of the block that has it. */
  readonly height: number | null;
  /** Height of the block that spent it; null: none up to `height` of the request did. */
  readonly spentHeight: number | null;
  /** The transaction that spent it; null where neither an index by address nor a receipt says so. */
  readonly spentBy: string | null;
  /** SHA-256 of the script that it pays to, hex. This and the next are null without an index by address. */
  readonly scriptHash: string | null;
  /** Satoshis. */
  readonly amount: string | null;
}

const NO_OWNER = { scriptHash: null, amount: null } as const;

interface Assets {
  readonly sheet: Readonly<Record<string, string>>;
  /** Height of the block that wrote them. */
  readonly written: number;
  /** Height of the block that ended them, also above the height asked for. */
  readonly end: number | undefined;
}

/** `txid`: 32 bytes in wire order. As after block `height`. */
export function outpointFate(store: StoreReader, txid: Uint8Array, vout: number, height: number): OutpointFate {
  const { addresses } = store.lists;
  const assets = assetsOf(store, txid, vout, height);
  const output = addresses.output(txid, vout, height);
  if (output === undefined) return { ...fateOfAssets(store, txid, vout, height, assets), ...NO_OWNER };
  const { script, amount, spender } = output;
  const spent = spender !== undefined && spender.height <= height ? spender : undefined;
  return {
    // An earlier transaction with the same txid may have had some.
    sheet: assets?.written === output.height ? assets.sheet : null,
    height: output.height,
    spentHeight: spent?.height ?? null,
    spentBy: spent === undefined ? null : txidOf(addresses, spent.height, spent.index),
    scriptHash: toHex(script),
    amount: amount.toString(),
  };
}

/** The newest assets of the outpoint that a block up to `height` wrote. */
function assetsOf(store: StoreReader, txid: Uint8Array, vout: number, height: number): Assets | undefined {
  for (const { written, end, value } of store.lists.versions('P', keyBytes(sheetKey(txid, vout)))) {
    if (written > height) continue;
    const entries = decodeSheet(value).entries();
    const sheet = Object.fromEntries(entries.map(({ id, amount }) => [formatId(id), amount.toString()]));
    return { written, end, sheet };
  }
  return undefined;
}

/** What the lane alone knows. */
function fateOfAssets(
  store: StoreReader,
  txid: Uint8Array,
  vout: number,
  height: number,
  assets: Assets | undefined,
): Omit<OutpointFate, keyof typeof NO_OWNER> {
  if (assets === undefined) {
    const place = store.lists.placeOf(txid);
    const isThere = place !== undefined && place.height <= height;
    return { sheet: null, height: isThere ? place.height : null, spentHeight: null, spentBy: null };
  }
  const { sheet, written, end } = assets;
  const isSpent = end !== undefined && end <= height;
  return {
    sheet,
    height: written,
    spentHeight: isSpent ? end : null,
    spentBy: isSpent ? spenderIn(store, end, keyHex(sheetKey(txid, vout))) : null,
  };
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
