/** The methods that list, page by page. */
import { RECEIPT_STATUSES } from '../lane/receipt-status.js';
import { PLACE_BYTES } from '../listing/receipts.js';
import { PREFIXES, startsWith } from '../listing/state-lists.js';
import { MAX_KEY_BYTES } from '../program/result.js';
import { fromHex, toDisplayHash, toHex } from '../util/bytes.js';
import { RpcError } from './errors.js';
import { storedHeight } from './heights.js';
import { ofKept } from './kept.js';
import { laneViewOf } from './lane-view-methods.js';
import { ListOptions } from './list-options.js';
import { page } from './list-page.js';
import type { Method } from './method.js';
import type { Params } from './params.js';

/** Whether a place is a key under one of the prefixes. */
const under =
  (prefixes: readonly Uint8Array[]) =>
  (place: Uint8Array): boolean =>
    prefixes.some((prefix) => startsWith(place, prefix));

/** No block is above it. */
const HIGHEST = 0xffffffff;

const CONTRACTS = 'warpshrew_listcontracts [{id?, codeHash?, cloneOf?, from?, to?, height?, limit?, cursor?}?]';
const STORAGE = 'warpshrew_liststorage [id, {prefix?, height?, limit?, cursor?}?]';
const HOLDERS = 'warpshrew_listholders [asset, {height?, limit?, cursor?}?]';
const BALANCES = 'warpshrew_listbalances [id, {height?, limit?, cursor?}?]';
const RECEIPTS =
  'warpshrew_listreceipts [{block?, from?, to?, contract?, status?, reverse?, height?, limit?, cursor?}?]';

export const LIST_METHODS: Readonly<Record<string, Method>> = {
  warpshrew_listcontracts: {
    usage: CONTRACTS,
    takesObject: true,
    run(params, backend, client) {
      const options = new ListOptions(params.count(0, 1), 0, CONTRACTS, ['id', 'codeHash', 'cloneOf', 'from', 'to']);
      const id = options.of('id', (value) => value.id(0));
      const of = {
        ...(id !== undefined && { id }),
        codeHash: options.of('codeHash', (value) => toHex(value.hash(0, 'codeHash'))),
        cloneOf: options.of('cloneOf', (value) => value.id(0)),
        from: options.height('from', 0),
        to: options.height('to', HIGHEST),
      };
      return page({ name: 'contracts', of, options, isPlace: under(PREFIXES.contracts(id)) }, backend, client);
    },
  },
  warpshrew_liststorage: {
    usage: STORAGE,
    run(params, backend, client) {
      const id = params.count(1, 2).id(0);
      const options = new ListOptions(params, 1, STORAGE, ['prefix']);
      const prefix = options.of('prefix', (value) => prefixIn(value)) ?? new Uint8Array(0);
      const isPlace = under(PREFIXES.storage(id, prefix));
      return page({ name: 'storage', of: { id, prefix }, options, isPlace }, backend, client);
    },
  },
  warpshrew_listholders: {
    usage: HOLDERS,
    run(params, backend, client) {
      const asset = params.count(1, 2).id(0);
      const options = new ListOptions(params, 1, HOLDERS, []);
      return page(
        { name: 'holders', of: { asset }, options, isPlace: under(PREFIXES.holders(asset)) },
        backend,
        client,
      );
    },
  },
  warpshrew_listbalances: {
    usage: BALANCES,
    run(params, backend, client) {
      const holder = params.count(1, 2).id(0);
      const options = new ListOptions(params, 1, BALANCES, []);
      return page({ name: 'balances', of: { holder }, options, isPlace: under(PREFIXES.balances()) }, backend, client);
    },
  },
  warpshrew_listreceipts: {
    usage: RECEIPTS,
    takesObject: true,
    run(params, backend, client) {
      const names = ['block', 'from', 'to', 'contract', 'status', 'reverse'];
      const options = new ListOptions(params.count(0, 1), 0, RECEIPTS, names);
      if (options.has('block') && (options.has('from') || options.has('to'))) {
        throw new RpcError('RPC_WRONG_TYPE', 'Invalid params: a block, and from or to', `Call it as ${RECEIPTS}.`);
      }
      const of = {
        from: options.height('block', options.height('from', 0)),
        // No block is above the height of the listing.
        to: options.height('block', options.height('to', 0xfffffffe)),
        contract: options.of('contract', (value) => value.id(0)),
        status: options.oneOf('status', RECEIPT_STATUSES),
        reverse: options.flag('reverse'),
      };
      return page({ name: 'receipts', of, options, isPlace: ({ length }) => length === PLACE_BYTES }, backend, client);
    },
  },
  warpshrew_gettransaction: {
    usage: 'warpshrew_gettransaction [txid]',
    run(params, { store }) {
      const txid = params.count(1, 1).txid(0);
      const wire = fromHex(txid).reverse();
      const place = store.lists.addresses.placeOf(wire, HIGHEST) ?? store.lists.placeOf(wire);
      const hash = place && store.blockHash(place.height);
      if (place === undefined || hash === undefined) return null;
      const confirmations = (store.tip()?.height ?? place.height) - place.height + 1;
      return { txid, ...place, blockHash: toDisplayHash(hash), confirmations };
    },
  },
  warpshrew_getoutpoint: {
    usage: 'warpshrew_getoutpoint [outpoint, height?]',
    async run(params, backend, client) {
      const { txid, vout } = params.count(1, 2).outpoint(0);
      const height = storedHeight(params, 1, backend);
      const run = laneViewOf(backend);
      return ofKept(backend.store, height, () => run('outpoint', { txid, vout, height }, client));
    },
  },
};

/** The beginning of a contract's own key: longer than any key, it would only take time. */
function prefixIn(value: Params): Uint8Array {
  const bytes = value.hex(0, 'prefix');
  if (bytes.length <= MAX_KEY_BYTES) return bytes;
  const hint = `No key has more than ${MAX_KEY_BYTES} bytes.`;
  throw new RpcError('RPC_BAD_HEX', `Invalid params: prefix has ${bytes.length} bytes`, hint);
}
