/** Balances of contracts: what goes in, what goes out, what is minted on the way (docs/lane-rules.md, 4.7 and 9). */
import { idsEqual } from '../protocol/alkane-id.js';
import type { SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';
import { readU128, U128_MAX, u128Bytes } from '../util/bytes.js';
import { balanceKey } from './keys.js';
import type { TransactionView } from './overlay.js';
import type { LaneKey } from './types.js';

function readBalance(view: TransactionView, key: LaneKey): bigint {
  const value = view.get(key);
  return value === undefined ? 0n : readU128(value, 0);
}

/** Adds an amount to the balance of `holder`; false if the sum passes u128. */
export function credit(view: TransactionView, holder: AlkaneId, { id, amount }: SheetEntry): boolean {
  const key = balanceKey(id, holder);
  const sum = readBalance(view, key) + amount;
  if (sum > U128_MAX) return false;
  view.set(key, u128Bytes(sum));
  return true;
}

/** Takes an amount off the balance of `holder`, whose own id is minted beyond it; false if there is too little. */
export function debit(view: TransactionView, holder: AlkaneId, { id, amount }: SheetEntry): boolean {
  const key = balanceKey(id, holder);
  const balance = readBalance(view, key);
  if (balance < amount && !idsEqual(id, holder)) return false;
  const left = balance > amount ? balance - amount : 0n;
  if (left !== balance) view.set(key, left === 0n ? undefined : u128Bytes(left));
  return true;
}

/** Moves amounts from contract to contract, one after the other; amount 0 is nothing. Gives why it cannot. */
export function move(
  view: TransactionView,
  from: AlkaneId,
  to: AlkaneId,
  amounts: readonly SheetEntry[],
): string | undefined {
  for (const entry of amounts) {
    if (entry.amount === 0n) continue;
    if (!debit(view, from, entry)) return 'transfer beyond the balance';
    if (!credit(view, to, entry)) return 'sum over u128 on a balance';
  }
  return undefined;
}
