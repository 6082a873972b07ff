/**
 * The state tree on disk: pages of four levels, addressed by the path from the root in nibbles of the key's hash. A
 * page exists where two or more leaves share its path (the root page: one or more), so the pages depend only on the
 * map, too: undoing a block restores them by applying the old values.
 */
import { StoreError } from '../../errors/errors.js';
import { newBytes, type RowAllocator } from '../../util/row-bytes.js';
import { EMPTY_HASH, nodeHash } from './tree-hash.js';

/** One of the sixteen places of a page. `child`: the root of the page below. */
export type Slot =
  | { readonly kind: 'leaf'; readonly keyHash: Uint8Array; readonly hash: Uint8Array }
  | { readonly kind: 'child'; readonly hash: Uint8Array };

/** Sixteen slots, undefined where empty. */
export type Page = (Slot | undefined)[];

export const SLOTS = 16;

export function emptyPage(): Page {
  return new Array<Slot | undefined>(SLOTS).fill(undefined);
}

/** Nibble `depth` of a key's hash. */
export function nibble(keyHash: Uint8Array, depth: number): number {
  const byte = keyHash[depth >> 1];
  return depth & 1 ? byte & 15 : byte >> 4;
}

/** Hash of the subtree over slots `from` to `to` (exclusive; a power of two wide). */
export function rangeHash(page: Page, from: number, to: number): Uint8Array {
  let leaf: Uint8Array | undefined;
  let count = 0;
  let child = false;
  for (let i = from; i < to; i++) {
    const slot = page[i];
    if (slot === undefined) continue;
    count++;
    if (slot.kind === 'child') child = true;
    leaf = slot.hash;
  }
  if (leaf === undefined) return EMPTY_HASH;
  if (count === 1 && (!child || to - from === 1)) return leaf;
  const middle = (from + to) >> 1;
  return nodeHash(rangeHash(page, from, middle), rangeHash(page, middle, to));
}

/** u16 LE map of leaves, u16 LE map of children, then per slot: leaf keyHash ++ hash, child hash. */
export function encodePage(page: Page): Uint8Array {
  let leaves = 0;
  let children = 0;
  let length = 4;
  for (let i = 0; i < SLOTS; i++) {
    const slot = page[i];
    if (slot?.kind === 'leaf') {
      leaves |= 1 << i;
      length += 64;
    } else if (slot !== undefined) {
      children |= 1 << i;
      length += 32;
    }
  }
  const out = new Uint8Array(length);
  out[0] = leaves;
  out[1] = leaves >> 8;
  out[2] = children;
  out[3] = children >> 8;
  let at = 4;
  for (const slot of page) {
    if (slot === undefined) continue;
    if (slot.kind === 'leaf') {
      out.set(slot.keyHash, at);
      at += 32;
    }
    out.set(slot.hash, at);
    at += 32;
  }
  return out;
}

export function decodePage(bytes: Uint8Array): Page {
  const page = emptyPage();
  const leaves = bytes[0] | (bytes[1] << 8);
  const children = bytes[2] | (bytes[3] << 8);
  let at = 4;
  for (let i = 0; i < SLOTS; i++) {
    if ((leaves >> i) & 1) {
      page[i] = { kind: 'leaf', keyHash: bytes.subarray(at, at + 32), hash: bytes.subarray(at + 32, at + 64) };
      at += 64;
    } else if ((children >> i) & 1) {
      page[i] = { kind: 'child', hash: bytes.subarray(at, at + 32) };
      at += 32;
    }
  }
  if (at !== bytes.length || (leaves & children) !== 0) {
    throw new StoreError('STORE_CORRUPT', 'a page of the state tree cannot be read', {
      hint: 'Replay the chain into a new folder.',
    });
  }
  return page;
}

/** Tree column: namespace ++ depth in nibbles ++ the path, two nibbles a byte. */
export function pageKey(
  namespace: number,
  keyHash: Uint8Array,
  depth: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  const whole = depth >> 1;
  const out = allocate(2 + ((depth + 1) >> 1));
  out[0] = namespace;
  out[1] = depth;
  for (let i = 0; i < whole; i++) out[2 + i] = keyHash[i];
  if (depth & 1) out[2 + whole] = keyHash[whole] & 0xf0;
  return out;
}

/** Tree column: namespace in lower case ++ keyHash → the key, so that a proof can show the leaf in the way. */
export function leafKeyKey(namespace: number, keyHash: Uint8Array, allocate: RowAllocator = newBytes): Uint8Array {
  const out = allocate(33);
  out[0] = namespace | 0x20;
  out.set(keyHash, 1);
  return out;
}
