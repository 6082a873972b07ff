/** What keys of the lane are about (docs/lane-rules.md, section 7). */
import { formatId, ID_LENGTH, idFromBytes } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { StateChange } from '../store/changes.js';
import { readU32, readU128, toDisplayHash } from '../util/bytes.js';

/** The word in front of the slash of a key; `sequence` has none. */
const KINDS = ['sheet', 'code', 'store', 'balance', 'sequence'] as const;
export type KeyKind = (typeof KINDS)[number];

const NAMES = KINDS.map((kind) => ({ kind, bytes: Buffer.from(kind === 'sequence' ? kind : `${kind}/`) }));
const TXID = 32;
const OUTPOINT = TXID + 4;

/** Undefined for a key that the lane's rules do not have. */
export function kindOf(key: Uint8Array): KeyKind | undefined {
  for (const { kind, bytes } of NAMES) {
    if (key.length < bytes.length || bytes.compare(key, 0, bytes.length) !== 0) continue;
    if (isWhole(kind, key.length - bytes.length)) return kind;
  }
  return undefined;
}

function isWhole(kind: KeyKind, rest: number): boolean {
  if (kind === 'sequence') return rest === 0;
  if (kind === 'sheet') return rest === OUTPOINT;
  if (kind === 'code') return rest === ID_LENGTH;
  return kind === 'balance' ? rest === 2 * ID_LENGTH : rest > ID_LENGTH;
}

/** `block:tx` of the contract that a key belongs to: a balance to its holder. */
export function contractOf(kind: KeyKind, key: Uint8Array): string | undefined {
  if (kind === 'balance') return formatId(idFromBytes(key, 'balance/'.length + ID_LENGTH));
  if (kind === 'code' || kind === 'store') return formatId(idFromBytes(key, kind.length + 1));
  return undefined;
}

/** A change of what an output or a contract holds of an asset. */
export interface Move {
  /** `block:tx`. */
  readonly asset: string;
  /** `txid`: display order. */
  readonly output: { readonly txid: string; readonly vout: number } | undefined;
  /** `block:tx`. */
  readonly contract: string | undefined;
  readonly before: bigint;
  readonly after: bigint;
}

/** What a change of a key of the lane moves. Throws StoreError STORE_BAD_SHEET. */
export function* movesOf({ key, value, before }: StateChange): Generator<Move, void, void> {
  const kind = kindOf(key);
  if (kind === 'balance') {
    const amounts = { before: amountOf(before), after: amountOf(value) };
    if (amounts.before === amounts.after) return;
    const asset = formatId(idFromBytes(key, 'balance/'.length));
    yield { asset, output: undefined, contract: contractOf(kind, key), ...amounts };
  } else if (kind === 'sheet') {
    const at = 'sheet/'.length;
    const output = { txid: toDisplayHash(key.subarray(at, at + TXID)), vout: readU32(key, at + TXID) };
    const [old, now] = [decodeSheet(before), decodeSheet(value)];
    for (const { id, amount } of old.entries()) {
      const after = now.get(id);
      if (after !== amount) yield { asset: formatId(id), output, contract: undefined, before: amount, after };
    }
    for (const { id, amount } of now.entries()) {
      if (old.get(id) === 0n) yield { asset: formatId(id), output, contract: undefined, before: 0n, after: amount };
    }
  }
}

function amountOf(value: Uint8Array | undefined): bigint {
  return value === undefined ? 0n : readU128(value, 0);
}
