/**
 * Where a reader of events is: behind a block, and which blocks of his chain he has seen, so that a server which has
 * another one by then finds where both part. Its text is the id of an event: `height.receipt.hashes`, with the position
 * of the last receipt seen of that block (empty: none; 4294967295: all), and 6 bytes of the hash (wire order, hex) of
 * each of the blocks height, height - 1, height - 2, height - 4, height - 8, … height - 1,024, as far as there are any.
 */
import type { StoreReader } from '../store/reader.js';
import { toHex } from '../util/bytes.js';

const OFFSETS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] as const;
const HASH_BYTES = 6;
/** Greatest height and position; larger ones would be taken for others where they are looked up. */
const MOST = 0xffffffff;
const FORM = /^(-1|\d{1,10})\.(\d{0,10})\.((?:[0-9a-f]{12}){0,12})$/;

export interface EventPlace {
  /** Height of the last block seen. */
  readonly height: number;
  /** Position in the block of the last of its receipts seen; undefined: none was, or none was asked for. */
  readonly receipt: number | undefined;
  readonly hashes: readonly string[];
}

type Hashes = Pick<StoreReader, 'blockHash'>;

function shortHash(store: Hashes, height: number): string | undefined {
  const hash = height < 0 ? undefined : store.blockHash(height);
  return hash && toHex(hash.subarray(0, HASH_BYTES));
}

/** The id of an event behind block `height`. */
export function placeText(store: Hashes, height: number, receipt?: number): string {
  const hashes: string[] = [];
  for (const offset of OFFSETS) {
    const hash = shortHash(store, height - offset);
    if (hash === undefined) break;
    hashes.push(hash);
  }
  return `${height}.${receipt ?? ''}.${hashes.join('')}`;
}

/** The place of an id; undefined if it is none. */
export function placeIn(text: string): EventPlace | undefined {
  const [, height, receipt, hashes] = FORM.exec(text) ?? [];
  if (height === undefined || Number(height) > MOST || Number(receipt) > MOST) return undefined;
  return {
    height: Number(height),
    receipt: receipt === '' ? undefined : Number(receipt),
    hashes: hashes.match(/.{12}/g) ?? [],
  };
}

/** The highest block of a place that is in the chain; undefined if none is. */
export function forkBelow(store: Hashes, place: EventPlace): number | undefined {
  const heights = OFFSETS.slice(0, place.hashes.length).map((offset) => place.height - offset);
  return heights.find((height) => namesBlock(place, height, store.blockHash(height)));
}

/** Whether a place says that its reader has seen the block with this hash. */
export function namesBlock({ height, hashes }: EventPlace, at: number, hash: Uint8Array | undefined): boolean {
  const named = hashes[OFFSETS.findIndex((offset) => offset === height - at)];
  return hash !== undefined && named === toHex(hash.subarray(0, HASH_BYTES));
}
