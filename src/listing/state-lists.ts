/** Listings of the lane's state after a block: contracts, storage, who holds an asset, what a contract holds. */
import { createHash } from 'node:crypto';
import { balanceKey, codeKey, keyBytes, sheetKey, storagePrefix } from '../lane/keys.js';
import { formatId, ID_LENGTH, idBytes, idFromBytes } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import type { Step } from '../store/steps.js';
import { bytesEqual, readU32, readU128, toDisplayHash, toHex } from '../util/bytes.js';
import { creatorOf } from './creator.js';
import { type Page, PageMaker, type StateWalk } from './page.js';

/** What a listing makes of a key that has a value; undefined: it is no item. */
type ItemOf<Item> = (step: Step & { readonly value: Uint8Array }, page: PageMaker<Item>) => Item | undefined;

/** The page of the keys under `prefixes`, one after the other; a place in it is the last key that was looked at. */
function statePage<Item>(
  store: StoreReader,
  prefixes: readonly Uint8Array[],
  walk: StateWalk,
  itemOf: ItemOf<Item>,
): Page<Item> {
  const { height, after } = walk;
  const page = new PageMaker<Item>(walk);
  const from = after === undefined ? 0 : prefixes.findIndex((prefix) => startsWith(after, prefix));
  for (const prefix of prefixes.slice(Math.max(0, from))) {
    const begin = after !== undefined && startsWith(after, prefix) ? after : undefined;
    for (const step of store.lists.steps('P', prefix, height, begin)) {
      const { key, value, bytes } = step;
      page.saw(key.length + bytes);
      const item = value === undefined ? undefined : itemOf({ ...step, value }, page);
      if (item !== undefined) page.add(item);
      if (page.isFull) return page.page(key);
    }
  }
  return page.page(undefined);
}

/** Whether a key begins with `prefix`. */
export function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return bytesEqual(key.subarray(0, prefix.length), prefix);
}

/** What the keys of each listing begin with, in the order in which they are walked. */
export const PREFIXES = {
  contracts: (id?: AlkaneId) => [id === undefined ? keyBytes('code/') : keyBytes(codeKey(id))],
  storage: (id: AlkaneId, prefix: Uint8Array) => [Buffer.concat([keyBytes(storagePrefix(id)), prefix])],
  holders: (asset: AlkaneId) => [
    keyBytes(balanceKey(asset, { block: 0n, tx: 0n })).subarray(0, -ID_LENGTH),
    keyBytes('sheet/'),
  ],
  balances: () => [keyBytes('balance/')],
} as const;

export interface ListedContract {
  readonly id: string;
  /** SHA-256 of the module that runs, hex. */
  readonly codeHash: string;
  /** The contract whose code it has; null if it has its own. */
  readonly cloneOf: string | null;
  /** Height of the block that created it. */
  readonly height: number;
  /** The transaction that created it; null where its receipt does not tell. */
  readonly txid: string | null;
}

export interface ContractFilter {
  /** Only this one. */
  readonly id?: AlkaneId;
  /** Hex. */
  readonly codeHash: string | undefined;
  readonly cloneOf: AlkaneId | undefined;
  /** Heights of creation. */
  readonly from: number;
  readonly to: number;
}

const WASM = 0;

export function contractsPage(store: StoreReader, walk: StateWalk, filter: ContractFilter): Page<ListedContract> {
  const hashes = new Map<string, string>();
  const clonesOf = filter.cloneOf && idBytes(filter.cloneOf);
  return statePage(store, PREFIXES.contracts(filter.id), walk, ({ key, value, written }, page) => {
    const original = value[0] === WASM ? undefined : value.subarray(1, 1 + ID_LENGTH);
    if (written < filter.from || written > filter.to) return undefined;
    if (clonesOf !== undefined && !bytesEqual(original, clonesOf)) return undefined;
    const id = key.subarray(key.length - ID_LENGTH);
    const codeId = formatId(idFromBytes(original ?? id));
    let codeHash = hashes.get(codeId);
    if (codeHash === undefined) {
      const code = original === undefined ? value : codeOf(store, original, walk.height);
      page.saw(original === undefined ? 0 : code.length);
      codeHash = createHash('sha256').update(code.subarray(1)).digest('hex');
      hashes.set(codeId, codeHash);
    }
    if (filter.codeHash !== undefined && codeHash !== filter.codeHash) return undefined;
    return {
      id: formatId(idFromBytes(id)),
      codeHash,
      cloneOf: original === undefined ? null : codeId,
      height: written,
      txid: creatorOf(store, id, toHex(key), written, page) ?? null,
    };
  });
}

function codeOf(store: StoreReader, id: Uint8Array, height: number): Uint8Array {
  return store.getAt('P', keyBytes(codeKey(idFromBytes(id))), height) ?? Uint8Array.of(WASM);
}

/** Bytes of a value that a listing shows. */
const SHOWN_BYTES = 4_096;

export interface ListedKey {
  /** The contract's own key, hex. */
  readonly key: string;
  /** The first 4,096 bytes of its value, hex. */
  readonly value: string;
  /** Bytes that the value has. */
  readonly bytes: number;
  /** Height of the block that wrote it. */
  readonly height: number;
}

export function storagePage(store: StoreReader, walk: StateWalk, id: AlkaneId, prefix: Uint8Array): Page<ListedKey> {
  const own = storagePrefix(id).length;
  return statePage(store, PREFIXES.storage(id, prefix), walk, ({ key, value, written }) => ({
    key: `0x${toHex(key.subarray(own))}`,
    value: `0x${toHex(value.subarray(0, SHOWN_BYTES))}`,
    bytes: value.length,
    height: written,
  }));
}

export interface ListedHolder {
  /** The contract that holds it, or null. */
  readonly contract: string | null;
  /** The output that holds it, `txid:vout`, or null. */
  readonly outpoint: string | null;
  readonly amount: string;
}

/** First contracts, then outputs: for these all outputs with assets are gone through. */
export function holdersPage(store: StoreReader, walk: StateWalk, asset: AlkaneId): Page<ListedHolder> {
  const prefixes = PREFIXES.holders(asset);
  return statePage(store, prefixes, walk, ({ key, value }) => {
    if (startsWith(key, prefixes[0])) {
      const contract = formatId(idFromBytes(key, key.length - ID_LENGTH));
      return { contract, outpoint: null, amount: readU128(value, 0).toString() };
    }
    const amount = decodeSheet(value).get(asset);
    return amount === 0n ? undefined : { contract: null, outpoint: outpointText(key), amount: amount.toString() };
  });
}

export interface ListedBalance {
  readonly asset: string;
  readonly amount: string;
}

/** What a contract holds: all balances of contracts are gone through. */
export function balancesPage(store: StoreReader, walk: StateWalk, holder: AlkaneId): Page<ListedBalance> {
  const bytes = idBytes(holder);
  return statePage(store, PREFIXES.balances(), walk, ({ key, value }) => {
    if (!bytesEqual(key.subarray(key.length - ID_LENGTH), bytes)) return undefined;
    const asset = formatId(idFromBytes(key, key.length - 2 * ID_LENGTH));
    return { asset, amount: readU128(value, 0).toString() };
  });
}

const SHEET_AT = sheetKey(new Uint8Array(32), 0).length - 36;

/** `txid:vout` of the key of a sheet. */
function outpointText(key: Uint8Array): string {
  return `${toDisplayHash(key.subarray(SHEET_AT, SHEET_AT + 32))}:${readU32(key, SHEET_AT + 32)}`;
}
