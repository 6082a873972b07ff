/** A block of a store, as a stream tells it. */
import type { PlanSummary } from '../lane/types.js';
import type { StoreReader } from '../store/reader.js';
import { corrupt } from '../store/records.js';
import type { Namespace, StateRoots } from '../store/types.js';

/** Keys whose values are read at once. */
const PORTION = 256;

type Write = readonly [key: Uint8Array, value: Uint8Array | undefined];

export interface StoredBlock {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  /** 80 bytes. */
  readonly header: Uint8Array;
  readonly roots: StateRoots;
  readonly standardError: string | undefined;
  readonly plan: PlanSummary;
  /** The keys that it wrote, ascending, and what it left of each: undefined if it deleted it. */
  writes(ns: Namespace): Iterable<Write>;
  /** In block order, in the bytes that are stored; each is good until the next one. */
  receipts(): Iterable<Uint8Array>;
}

/**
 * Block `height`; undefined if the store does not have it, or can no longer tell what it wrote. Writes and receipts are
 * read when they are gone through: blocks must not be undone meanwhile. Throws StoreError STORE_CORRUPT.
 */
export function storedBlock(store: StoreReader, height: number): StoredBlock | undefined {
  const record = store.blockRecord(height);
  if (record?.roots === undefined || store.lists.touched(height) === undefined) return undefined;
  const { hash, header, roots, standardError } = record;
  const plan = store.plan(height);
  if (plan === undefined) throw corrupt('plan', height);
  const receipts = function* (): Generator<Uint8Array, void, void> {
    const range = { from: height, to: height, after: undefined, reverse: false };
    for (const { bytes } of store.lists.receipts(range)) yield bytes;
  };
  return { height, hash, header, roots, standardError, plan, writes: (ns) => writesOf(store, height, ns), receipts };
}

function* writesOf(store: StoreReader, height: number, ns: Namespace): Generator<Write, void, void> {
  let keys: Uint8Array[] = [];
  const values = function* (): Generator<Write, void, void> {
    const read = store.getManyAt(ns, keys, height);
    for (let i = 0; i < keys.length; i++) yield [keys[i], read[i]];
    keys = [];
  };
  for (const touched of store.lists.touched(height) ?? []) {
    if (touched.ns !== ns) continue;
    keys.push(touched.key);
    if (keys.length === PORTION) yield* values();
  }
  yield* values();
}
