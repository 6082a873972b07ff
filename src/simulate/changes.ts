/** What a simulated transaction would change, for people: its writes by what they are. */
import { createHash } from 'node:crypto';
import type { LaneOutcome, StateReader } from '../lane/types.js';
import { formatId, ID_LENGTH, idFromBytes } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import { bytesEqual, fromBinaryString, readU32, readU128, toDisplayHash, toHex } from '../util/bytes.js';
import type { AnswerBudget } from './answer-budget.js';

const TXID_LENGTH = 32;
const CODE_WASM = 0;

/** A key of a contract that changes; values in hex, null for an absent key. */
interface StorageChange {
  readonly contract: string;
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** A contract's balance that changes; decimal amounts. */
interface BalanceChange {
  readonly holder: string;
  readonly asset: string;
  readonly before: string;
  readonly after: string;
}

/** A contract that is created: with code of its own, or as a clone of another one. */
interface CreatedContract {
  readonly id: string;
  /** SHA-256 of the module, hex, and its length; null for a clone. */
  readonly codeHash: string | null;
  readonly codeBytes: number | null;
  readonly cloneOf: string | null;
}

/** A transaction output whose sheet changes: decimal amounts by asset. */
interface SheetChange {
  /** `txid:vout`, the txid in display order. */
  readonly outpoint: string;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

/** Each list in ascending order of its keys' bytes. */
export interface StateChanges {
  readonly storage: readonly StorageChange[];
  readonly balances: readonly BalanceChange[];
  readonly created: readonly CreatedContract[];
  /** The next sequence number, decimal; null if it stays. */
  readonly sequence: { readonly before: string; readonly after: string } | null;
  readonly sheets: readonly SheetChange[];
}

/** What `writes` change of the state `before` them. Counts what it makes against `budget`. */
export function changesOf(writes: LaneOutcome['writes'], before: StateReader, budget: AnswerBudget): StateChanges {
  const storage: StorageChange[] = [];
  const balances: BalanceChange[] = [];
  const created: CreatedContract[] = [];
  const sheets: SheetChange[] = [];
  let sequence: StateChanges['sequence'] = null;
  // Binary strings sort as their bytes do.
  for (const name of [...writes.keys()].sort()) {
    const [was, is] = [before.get(name), writes.get(name)];
    if (bytesEqual(was, is) || (was === undefined && is === undefined)) continue;
    const kind = name.slice(0, name.search(/\/|$/));
    const key = fromBinaryString(name.slice(kind.length + 1));
    switch (kind) {
      case 'store':
        budget.take(2 * (key.length + (was?.length ?? 0) + (is?.length ?? 0)));
        storage.push({
          contract: formatId(idFromBytes(key)),
          key: toHex(key.subarray(ID_LENGTH + 1)),
          before: hexOrNull(was),
          after: hexOrNull(is),
        });
        break;
      case 'balance': {
        budget.take(2 * key.length);
        const [asset, holder] = [formatId(idFromBytes(key)), formatId(idFromBytes(key, ID_LENGTH))];
        balances.push({ holder, asset, before: amount(was), after: amount(is) });
        break;
      }
      case 'code':
        budget.take(key.length);
        if (is !== undefined) created.push(creation(formatId(idFromBytes(key)), is));
        break;
      case 'sheet': {
        budget.take(2 * (key.length + (was?.length ?? 0) + (is?.length ?? 0)));
        const outpoint = `${toDisplayHash(key.subarray(0, TXID_LENGTH))}:${readU32(key, TXID_LENGTH)}`;
        sheets.push({ outpoint, before: amountsOf(was), after: amountsOf(is) });
        break;
      }
      default:
        sequence = { before: was === undefined ? '1' : amount(was), after: amount(is) };
    }
  }
  return { storage, balances, created, sequence, sheets };
}

function hexOrNull(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : toHex(value);
}

/** A u128 as it is stored, decimal; 0 for an absent one. */
function amount(value: Uint8Array | undefined): string {
  return value === undefined ? '0' : readU128(value, 0).toString();
}

function amountsOf(sheet: Uint8Array | undefined): Record<string, string> {
  return Object.fromEntries(
    decodeSheet(sheet)
      .entries()
      .map(({ id, amount }) => [formatId(id), amount.toString()]),
  );
}

/** `value`: what is stored under `code/`. */
function creation(id: string, value: Uint8Array): CreatedContract {
  if (value[0] !== CODE_WASM) return { id, codeHash: null, codeBytes: null, cloneOf: formatId(idFromBytes(value, 1)) };
  const wasm = value.subarray(1);
  const codeHash = createHash('sha256').update(wasm).digest('hex');
  return { id, codeHash, codeBytes: wasm.length, cloneOf: null };
}
