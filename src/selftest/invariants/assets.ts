/** Invariants of assets: only an asset's own contract makes more of it, and only a stray place loses any. */
import type { LaneKey } from '../../lane/types.js';
import { formatId, ID_LENGTH, idFromBytes } from '../../protocol/alkane-id.js';
import { isOrdinaryOutput } from '../../protocol/edicts.js';
import { fromBinaryString, readU128 } from '../../util/bytes.js';
import type { Step } from './block-run.js';
import { writersOf } from './contracts.js';
import { hasLaneProtostone, readSheet } from './sheets.js';

const BALANCE = 'balance/';

/** Amounts by asset, over sheets and balances. */
export class Amounts {
  readonly #amounts = new Map<string, bigint>();

  add(asset: string, amount: bigint): void {
    this.#amounts.set(asset, this.get(asset) + amount);
  }

  get(asset: string): bigint {
    return this.#amounts.get(asset) ?? 0n;
  }

  [Symbol.iterator](): IterableIterator<[string, bigint]> {
    return this.#amounts.entries();
  }

  /** Adds what `value` at `key` holds, `sign` times. */
  addValue(key: LaneKey, value: Uint8Array | undefined, sign: 1n | -1n): void {
    if (value === undefined) return;
    if (key.startsWith('sheet/')) {
      for (const { id, amount } of readSheet(value)?.entries() ?? []) this.add(formatId(id), sign * amount);
    } else if (key.startsWith(BALANCE) && key.length === BALANCE.length + 2 * ID_LENGTH) {
      this.add(formatId(idFromBytes(fromBinaryString(key), BALANCE.length)), sign * readU128(value, 0));
    }
  }
}

/** By how much a transaction changes the amount that exists of each asset. */
function changes({ before, outcome }: Step): Amounts {
  const amounts = new Amounts();
  for (const [key, value] of outcome.writes) {
    amounts.addValue(key, before.get(key), -1n);
    amounts.addValue(key, value, 1n);
  }
  return amounts;
}

/**
 * Nothing is made but by the asset's own contract in a message that held, and nothing is lost but by a transaction that
 * is undone or has no tag-1 protostone, or that names a place where assets do not stay.
 */
export function conserved(step: Step): string | undefined {
  const writers = writersOf(step);
  if (writers === undefined) return undefined;
  const losing = mayLose(step);
  for (const [asset, change] of changes(step)) {
    if (change > 0n && !writers.has(asset)) return `${change} of ${asset} made by none of ${[...writers].join(', ')}`;
    if (change < 0n && !losing) return `${-change} of ${asset} lost`;
  }
  return undefined;
}

/** Whether the rules let this transaction lose assets. */
export function mayLose(step: Step): boolean {
  const { outcome, transaction } = step;
  if (outcome.undone !== undefined || !hasLaneProtostone(step)) return true;
  const { tx, protostones } = transaction;
  const count = tx.outputs.length;
  const fallback = tx.outputs.findIndex(isOrdinaryOutput);
  // Kept: an ordinary output, or the shadow output of a protostone that comes later.
  const keeps = (place: number | undefined, index: number): boolean => {
    const at = place ?? fallback;
    if (at < 0) return false;
    if (at < count) return isOrdinaryOutput(tx.outputs[at]);
    return at > count + 1 + index && at < count + 1 + protostones.length;
  };
  return protostones.some(({ index, pointer, refund, message, edicts }) => {
    if (!keeps(pointer, index) || (message !== undefined && !keeps(refund, index))) return true;
    return edicts.some(({ output }) => output !== BigInt(count) && !keeps(Number(output), index));
  });
}
