import { isDeepStrictEqual } from 'node:util';
import { IN_TURN } from '../lane/receipt.js';
import type { Receipt } from '../lane/types.js';
import type { StateChange } from '../store/changes.js';
import type { Namespace } from '../store/types.js';
import { bytesEqual, fromBinaryString, toBinaryString, toHex } from '../util/bytes.js';
import type { RunAgain, Values } from './run-again.js';

/** What of a block is not what running it gives. Keys and values are hex. */
export type Difference =
  | { readonly what: 'hash'; readonly stored: string; readonly given: string }
  | {
      readonly what: 'standard' | 'lane';
      readonly key: string;
      /** Null: the block does not change the key; `deleted`: it deletes it. */
      readonly stored: string | null;
      readonly found: string | null;
    }
  /** `index`: place of the transaction in the block. `txid` in display order. */
  | { readonly what: 'receipt'; readonly index: number; readonly txid: string };

const NAMESPACES = { S: 'standard', P: 'lane' } as const;

/** The first difference: of the keys in their order, those of the module first, then of the receipts. */
export function differenceOf(
  again: RunAgain,
  stored: Iterable<StateChange>,
  receipts: Iterable<Receipt>,
): Difference | undefined {
  const left: Record<Namespace, Map<string, Uint8Array | undefined>> = {
    S: new Map(again.changes.S),
    P: new Map(again.changes.P),
  };
  for (const { ns, key, value } of stored) {
    const name = toBinaryString(key);
    const has = left[ns].has(name);
    if (!has || !bytesEqual(left[ns].get(name), value)) {
      const found = has ? shown(left[ns].get(name)) : null;
      return { what: NAMESPACES[ns], key: toHex(key), stored: shown(value), found };
    }
    left[ns].delete(name);
  }
  return unstored('S', left.S) ?? unstored('P', left.P) ?? differentReceipt(again.receipts, [...receipts]);
}

function unstored(ns: Namespace, left: Values): Difference | undefined {
  const [first] = [...left].sort(([a], [b]) => (a < b ? -1 : 1));
  if (first === undefined) return undefined;
  const [key, value] = first;
  return { what: NAMESPACES[ns], key: toHex(fromBinaryString(key)), stored: null, found: shown(value) };
}

function differentReceipt(found: readonly Receipt[], stored: readonly Receipt[]): Difference | undefined {
  for (let i = 0; i < Math.max(found.length, stored.length); i++) {
    const [a, b] = [found.at(i), stored.at(i)];
    if (isDeepStrictEqual(a && whatCounts(a), b && whatCounts(b))) continue;
    const { index, txid } = a ?? b ?? { index: -1, txid: '' };
    return { what: 'receipt', index, txid };
  }
  return undefined;
}

/** Without what says only how it was run. */
function whatCounts(receipt: Receipt): object {
  return { ...receipt, ...IN_TURN };
}

function shown(value: Uint8Array | undefined): string {
  return value === undefined ? 'deleted' : toHex(value);
}
