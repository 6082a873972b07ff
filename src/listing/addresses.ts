/** Listings by address or script: outputs, transactions, and the lane's assets on unspent outputs. */
import { keyBytes, sheetKey } from '../lane/keys.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { AddressLists } from '../store/address-lists.js';
import { NO_INPUT } from '../store/address-rows.js';
import type { StoreReader } from '../store/reader.js';
import { corrupt } from '../store/records.js';
import { toDisplayHash } from '../util/bytes.js';
import { type Page, PageMaker, type StateWalk } from './page.js';

/** Which script: its SHA-256. */
interface OfScript {
  readonly script: Uint8Array;
}

export interface OutputFilter extends OfScript {
  /** Only those that are not spent after the block of the listing. */
  readonly unspent: boolean;
  /** The newest first. */
  readonly reverse: boolean;
}

export interface HistoryFilter extends OfScript {
  readonly reverse: boolean;
}

export interface ListedOutput {
  /** `txid:vout`. */
  readonly outpoint: string;
  /** Satoshis. */
  readonly amount: string;
  readonly height: number;
  /** Position of its transaction in the block. */
  readonly index: number;
  /** What spent it; null: nothing did up to the height of the listing. */
  readonly spent: {
    readonly height: number;
    readonly index: number;
    readonly txid: string;
    /** Number of the input; null: the output was lost to one of this later transaction, which has the same txid. */
    readonly vin: number | null;
  } | null;
}

export interface ListedMove {
  readonly txid: string;
  readonly height: number;
  readonly index: number;
  /** Satoshis that its outputs give to the script. */
  readonly received: string;
  /** Satoshis of the script that its inputs spend. */
  readonly spent: string;
}

export interface ListedAsset {
  readonly asset: string;
  readonly amount: string;
  /** Outputs that hold some of it. */
  readonly outputs: number;
}

export function outputsPage(
  store: StoreReader,
  walk: StateWalk,
  { script, unspent, reverse }: OutputFilter,
): Page<ListedOutput> {
  const { height: to, after } = walk;
  const page = new PageMaker<ListedOutput>(walk);
  const lists = store.lists.addresses;
  for (const output of lists.outputs({ script, to, after, reverse })) {
    const { height, index, vout, amount, spender, bytes, place } = output;
    page.saw(bytes);
    const spent = spender !== undefined && spender.height <= to ? spender : undefined;
    if (!unspent || spent === undefined) {
      page.add({
        outpoint: `${txidOf(lists, height, index)}:${vout}`,
        amount: amount.toString(),
        height,
        index,
        spent:
          spent === undefined
            ? null
            : {
                height: spent.height,
                index: spent.index,
                txid: txidOf(lists, spent.height, spent.index),
                vin: spent.vin === NO_INPUT ? null : spent.vin,
              },
      });
    }
    if (page.isFull) return page.page(place);
  }
  return page.page(undefined);
}

export function historyPage(store: StoreReader, walk: StateWalk, { script, reverse }: HistoryFilter): Page<ListedMove> {
  const { height: to, after } = walk;
  const page = new PageMaker<ListedMove>(walk);
  const lists = store.lists.addresses;
  for (const { height, index, received, spent, bytes, place } of lists.moves({ script, to, after, reverse })) {
    page.saw(bytes);
    const txid = txidOf(lists, height, index);
    page.add({ txid, height, index, received: received.toString(), spent: spent.toString() });
    if (page.isFull) return page.page(place);
  }
  return page.page(undefined);
}

/**
 * Sums over the unspent outputs that the page looks at: those of all pages together are what the script holds. A page
 * ends behind the output with which it has as many assets as it may.
 */
export function assetsPage(store: StoreReader, walk: StateWalk, { script }: OfScript): Page<ListedAsset> {
  const { height: to, after, limit } = walk;
  const page = new PageMaker<ListedAsset>(walk);
  const lists = store.lists.addresses;
  const sums = new Map<string, { amount: bigint; outputs: number }>();
  const end = (next: Uint8Array | undefined): Page<ListedAsset> => {
    for (const [asset, { amount, outputs }] of sums) page.add({ asset, amount: amount.toString(), outputs });
    return page.page(next);
  };
  for (const { height, index, vout, spender, bytes, place } of lists.outputs({ script, to, after, reverse: false })) {
    page.saw(bytes);
    if (spender === undefined || spender.height > to) {
      const txid = lists.txidAt(height, index);
      if (txid === undefined) throw corrupt('list of txids', height);
      const sheet = store.getAt('P', keyBytes(sheetKey(txid, vout)), to);
      if (sheet !== undefined) {
        page.saw(sheet.length);
        for (const { id, amount } of decodeSheet(sheet).entries()) {
          const sum = sums.get(formatId(id)) ?? { amount: 0n, outputs: 0 };
          sums.set(formatId(id), { amount: sum.amount + amount, outputs: sum.outputs + 1 });
        }
      }
    }
    if (sums.size >= limit || page.isFull) return end(place);
  }
  return end(undefined);
}

/** Display order. Throws StoreError STORE_CORRUPT if it is not there. */
export function txidOf(lists: AddressLists, height: number, index: number): string {
  const txid = lists.txidAt(height, index);
  if (txid === undefined) throw corrupt('list of txids', height);
  return toDisplayHash(txid);
}
