/** What listings read: keys from any key on, receipts of many blocks, receipts of a contract. */
import { indexOf } from '../lane/receipt-list.js';
import { bytesEqual } from '../util/bytes.js';
import { AddressLists } from './address-lists.js';
import { contractRow } from './contract-rows.js';
import type { Database, Range } from './database.js';
import {
  afterPrefix,
  blockKey,
  contractKey,
  META_TIP,
  readBeU32,
  receiptKey,
  receiptPrefix,
  txKey,
  txPrefix,
} from './keys.js';
import { unfinishedHeight } from './pieces.js';
import { pageWith, receiptsOf } from './receipt-pages.js';
import { rowPortions } from './row-portions.js';
import { type Step, stepsOver, type Version, versionsOf } from './steps.js';
import type { TouchedKey } from './touched.js';
import type { Namespace } from './types.js';
import { touchedIn, undoRows } from './undo-rows.js';

/** Where a transaction stands: height of its block, and position in it. */
export interface Place {
  readonly height: number;
  readonly index: number;
}

/** Places from the first to the last, or backwards, behind `after` (in that direction) where it is given. */
export interface PlaceRange {
  readonly from: number;
  /** The last height. */
  readonly to: number;
  readonly after: Place | undefined;
  readonly reverse: boolean;
}

/** A receipt in the bytes that are stored. */
export interface StoredReceipt extends Place {
  readonly bytes: Uint8Array;
}

const NO_ROW = 0xffffffff;

export class StoreLists {
  readonly #rocks: Database;

  constructor(rocks: Database) {
    this.#rocks = rocks;
  }

  /** What there is of the index by address. */
  get addresses(): AddressLists {
    return new AddressLists(this.#rocks);
  }

  /**
   * The keys of `ns` after block `height`, the tip or one below, that begin with `prefix`, from behind the key `after`
   * on: one step a key. Blocks must not be undone meanwhile. Whether the state is kept is to be asked afterwards
   * (`StoreReader.assertKept`).
   */
  steps(ns: Namespace, prefix: Uint8Array, height: number, after?: Uint8Array): Generator<Step, void, void> {
    const tip = this.#rocks.get('meta', META_TIP);
    const isCurrent = (): boolean =>
      tip !== undefined &&
      height === readBeU32(tip, 0) &&
      unfinishedHeight(this.#rocks) === undefined &&
      bytesEqual(this.#rocks.get('meta', META_TIP), tip);
    return stepsOver(this.#rocks, { ns, prefix, after, height, isCurrent });
  }

  /** The values of a key that are kept, the newest first. */
  versions(ns: Namespace, key: Uint8Array): Generator<Version, void, void> {
    return versionsOf(this.#rocks, ns, key);
  }

  /**
   * The keys that block `height` wrote, those of S first, each ascending; undefined where nothing tells them any more.
   * Throws StoreError STORE_CORRUPT as they are gone through.
   */
  touched(height: number): Iterable<TouchedKey> | undefined {
    const undo = undoRows(this.#rocks, height);
    return undo && touchedIn(height, undo);
  }

  /** Height of the first block; undefined in an empty store. */
  firstHeight(): number | undefined {
    const row = this.#rocks.first('blocks', { gte: blockKey(0), lt: afterPrefix(blockKey(NO_ROW)) });
    return row && readBeU32(row[0], 1);
  }

  /** Where the newest lane transaction with a txid (32 bytes, wire order) stands; undefined if there is none. */
  placeOf(txid: Uint8Array): Place | undefined {
    const tip = this.#rocks.get('meta', META_TIP);
    if (tip === undefined) return undefined;
    // What is above the tip does not count yet, or no longer.
    const lt = txKey(txid, readBeU32(tip, 0) + 1, 0);
    const row = this.#rocks.first('blocks', { gte: txPrefix(txid), lt, reverse: true });
    return row && { height: readBeU32(row[0], 33), index: readBeU32(row[0], 37) };
  }

  /** All receipts of a range of blocks. The bytes are good until the next step. */
  *receipts(asked: PlaceRange): Generator<StoredReceipt, void, void> {
    const range = restOf(asked);
    if (range === undefined) return;
    for (const [row, page] of rowPortions(this.#rocks, 'blocks', receiptPages(this.#rocks, range))) {
      const height = readBeU32(row, 1);
      const receipts = [...receiptsOf(page, height)];
      if (range.reverse) receipts.reverse();
      for (const bytes of receipts) {
        const place = { height, index: indexOf(bytes) };
        if (isBehind(place, range)) yield { ...place, bytes };
      }
    }
  }

  /** Where the transactions stand whose receipts name contract `id` (32 bytes). */
  *placesNaming(id: Uint8Array, asked: PlaceRange): Generator<Place, void, void> {
    const range = restOf(asked);
    if (range === undefined) return;
    const { from, to, after, reverse } = range;
    const [first, last] = reverse ? [from, after?.height ?? to] : [after?.height ?? from, to];
    const rows = { gte: contractKey(id, first, 0), lt: afterPrefix(contractKey(id, last, NO_ROW)), reverse };
    for (const row of rowPortions(this.#rocks, 'blocks', rows)) {
      const { height, positions } = contractRow(row);
      for (const index of reverse ? [...positions].reverse() : positions) {
        const place = { height, index };
        if (isBehind(place, range)) yield place;
      }
    }
  }

  /** The receipt of the transaction at a place; undefined if it has none. */
  receiptAt({ height, index }: Place): Uint8Array | undefined {
    const page = pageWith(this.#rocks, height, index);
    for (const receipt of page === undefined ? [] : receiptsOf(page[1], height)) {
      if (indexOf(receipt) === index) return receipt;
    }
    return undefined;
  }
}

/** What is left of a range behind its place, which may lie outside of its heights; undefined: nothing. */
function restOf(range: PlaceRange): PlaceRange | undefined {
  const { from, to, after, reverse } = range;
  if (after === undefined || (after.height >= from && after.height <= to)) return range;
  return after.height > to === reverse ? { ...range, after: undefined } : undefined;
}

function receiptPages(rocks: Database, { from, to, after, reverse }: PlaceRange): Range {
  const gte = receiptPrefix(from);
  const lt = afterPrefix(receiptPrefix(to));
  if (after === undefined) return { gte, lt, reverse };
  if (reverse) return { gte, lt: receiptKey(after.height, after.index), reverse };
  return { gte: pageWith(rocks, after.height, after.index)?.[0] ?? receiptKey(after.height, after.index), lt };
}

function isBehind({ height, index }: Place, { after, reverse }: PlaceRange): boolean {
  if (after === undefined) return true;
  const order = height - after.height || index - after.index;
  return reverse ? order < 0 : order > 0;
}
