/** What a listing is asked, and its answer. */
import { StoreError } from '../errors/errors.js';
import type { AlkaneId } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual } from '../util/bytes.js';
import {
  assetsPage,
  type HistoryFilter,
  historyPage,
  type ListedAsset,
  type ListedMove,
  type ListedOutput,
  type OutputFilter,
  outputsPage,
} from './addresses.js';
import { type OutpointFate, outpointFate } from './outpoint.js';
import type { Page, StateWalk } from './page.js';
import { type ListedReceipt, type ReceiptFilter, receiptsPage } from './receipts.js';
import {
  balancesPage,
  type ContractFilter,
  contractsPage,
  holdersPage,
  type ListedBalance,
  type ListedContract,
  type ListedHolder,
  type ListedKey,
  storagePage,
} from './state-lists.js';

/** What can be listed, by name: what it is asked beside the part of the listing, and what an item is. */
export interface Listings {
  readonly contracts: { readonly of: ContractFilter; readonly item: ListedContract };
  readonly storage: { readonly of: { readonly id: AlkaneId; readonly prefix: Uint8Array }; readonly item: ListedKey };
  readonly holders: { readonly of: { readonly asset: AlkaneId }; readonly item: ListedHolder };
  readonly balances: { readonly of: { readonly holder: AlkaneId }; readonly item: ListedBalance };
  readonly receipts: { readonly of: ReceiptFilter; readonly item: ListedReceipt };
  readonly outputs: { readonly of: OutputFilter; readonly item: ListedOutput };
  readonly history: { readonly of: HistoryFilter; readonly item: ListedMove };
  readonly assets: { readonly of: { readonly script: Uint8Array }; readonly item: ListedAsset };
}
export type ListingName = keyof Listings;

/** Listings of what is kept for ever, whatever states are. */
export const KEPT_FOR_EVER: ReadonlySet<ListingName> = new Set(['receipts', 'outputs', 'history']);

/** A part of a listing; plain data that is sent to a thread. */
export type ListRequest = {
  [N in ListingName]: {
    readonly name: N;
    readonly of: Listings[N]['of'];
    /** Hash of the block of the height (wire order) where the listing was begun before. */
    readonly hash: Uint8Array | undefined;
  } & StateWalk;
}[ListingName];

export interface ListAnswer {
  /** Of the block of the height. */
  readonly hash: Uint8Array;
  readonly page: Page<Listings[ListingName]['item']>;
}

/** Throws StoreError STORE_LIST_UNDONE, and what reading throws; blocks must not be undone meanwhile. */
export function list(request: ListRequest, store: StoreReader): ListAnswer {
  const { height } = request;
  const hash = store.blockHash(height);
  if (hash === undefined || (request.hash !== undefined && !bytesEqual(request.hash, hash))) {
    throw listUndone(height);
  }
  const page = pageOf(request, store);
  if (!KEPT_FOR_EVER.has(request.name)) store.assertKept(height);
  return { hash, page };
}

/** The error of a listing whose block is not in the chain any more. */
export function listUndone(height: number): StoreError {
  return new StoreError('STORE_LIST_UNDONE', 'the block that the listing was begun at was undone meanwhile', {
    facts: { height },
    hint: 'Begin it again, without a cursor.',
  });
}

function pageOf(request: ListRequest, store: StoreReader): ListAnswer['page'] {
  switch (request.name) {
    case 'contracts':
      return contractsPage(store, request, request.of);
    case 'storage':
      return storagePage(store, request, request.of.id, request.of.prefix);
    case 'holders':
      return holdersPage(store, request, request.of.asset);
    case 'balances':
      return balancesPage(store, request, request.of.holder);
    case 'receipts':
      return receiptsPage(store, request, request.of);
    case 'outputs':
      return outputsPage(store, request, request.of);
    case 'history':
      return historyPage(store, request, request.of);
    case 'assets':
      return assetsPage(store, request, request.of);
  }
}

/** What became of an output; plain data that is sent to a thread. */
export interface OutpointRequest {
  readonly height: number;
  /** Wire order. */
  readonly txid: Uint8Array;
  readonly vout: number;
}

export function outpoint({ txid, vout, height }: OutpointRequest, store: StoreReader): OutpointFate {
  const fate = outpointFate(store, txid, vout, height);
  store.assertKept(height);
  return fate;
}
