/** Listings of receipts: by heights, by contract, by status. */
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { type ReceiptStatus, statusOf } from '../lane/receipt-status.js';
import type { Receipt } from '../lane/types.js';
import { idBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import type { Place, StoredReceipt } from '../store/lists.js';
import type { StoreReader } from '../store/reader.js';
import { readU32, u32Bytes, writeU32 } from '../util/bytes.js';
import { type Page, PageMaker, type StateWalk } from './page.js';

export interface ReceiptFilter {
  /** Heights. */
  readonly from: number;
  readonly to: number;
  readonly contract: AlkaneId | undefined;
  readonly status: ReceiptStatus | undefined;
  /** The newest first. */
  readonly reverse: boolean;
}

export interface ListedReceipt {
  readonly height: number;
  /** Position in the block. */
  readonly index: number;
  readonly txid: string;
  readonly status: string;
  readonly error: string | null;
  readonly fuel: number;
  readonly messages: readonly {
    readonly target: string | null;
    readonly status: string;
    readonly fuelUsed: number;
    readonly callTotal: number;
  }[];
}

/** Bytes of a place: height and index, u32 each. */
export const PLACE_BYTES = 8;

export function receiptsPage(
  store: StoreReader,
  walk: StateWalk,
  { from, to, contract, status, reverse }: ReceiptFilter,
): Page<ListedReceipt> {
  const { height: highest, after } = walk;
  const page = new PageMaker<ListedReceipt>(walk);
  // The chain is that up to the block of the listing, whatever has come since.
  const range = { from, to: Math.min(to, highest), after: after && placeIn(after), reverse };
  const { lists } = store;
  const found =
    contract === undefined ? lists.receipts(range) : named(store, lists.placesNaming(idBytes(contract), range));
  for (const { height, index, bytes } of found) {
    page.saw(bytes.length);
    const item = listed(decodeReceipt(bytes));
    if (status === undefined || item.status === status) page.add(item);
    if (page.isFull) return page.page(placeBytes({ height, index }));
  }
  return page.page(undefined);
}

function* named(store: StoreReader, places: Iterable<Place>): Generator<StoredReceipt, void, void> {
  for (const place of places) {
    const bytes = store.lists.receiptAt(place);
    if (bytes !== undefined) yield { ...place, bytes };
  }
}

function listed(receipt: Receipt): ListedReceipt {
  const { height, index, txid, fuel, messages } = receipt;
  return {
    ...{ height, index, txid },
    ...statusOf(receipt),
    fuel,
    messages: messages.map(({ target = null, status, fuelUsed, callTotal }) => ({
      target,
      status,
      fuelUsed,
      callTotal,
    })),
  };
}

function placeIn(bytes: Uint8Array): Place {
  return { height: readU32(bytes, 0), index: readU32(bytes, 4) };
}

function placeBytes({ height, index }: Place): Uint8Array {
  const bytes = new Uint8Array(PLACE_BYTES);
  writeU32(bytes, 0, height);
  bytes.set(u32Bytes(index), 4);
  return bytes;
}
