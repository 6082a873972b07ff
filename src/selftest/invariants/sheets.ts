/** Invariants of sheets: spent ones, those that a transaction leaves, and the limits of an undone one. */
import { sheetKey } from '../../lane/keys.js';
import { LANE_TAG } from '../../lane/scan.js';
import type { LaneKey } from '../../lane/types.js';
import { isOrdinaryOutput, SHEET_ENTRY_LIMIT } from '../../protocol/edicts.js';
import { decodeSheet, encodeSheet, Sheet } from '../../protocol/sheet.js';
import { bytesEqual, fromBinaryString, toHex } from '../../util/bytes.js';
import type { Step } from './block-run.js';

const SHEET = 'sheet/';

/** Keys of the sheets that the transaction spends and that are there. */
export function spentKeys({ transaction, before }: Step): Set<LaneKey> {
  const keys = transaction.tx.inputs.map(({ prevTxid, prevVout }) => sheetKey(prevTxid, prevVout));
  return new Set(keys.filter((key) => before.has(key)));
}

/** Keys of the sheets that it may leave: those of its ordinary outputs. */
function ownKeys({ transaction: { tx } }: Step): Set<LaneKey> {
  return new Set(tx.outputs.flatMap((output, vout) => (isOrdinaryOutput(output) ? [sheetKey(tx.txid, vout)] : [])));
}

/** Whether the transaction speaks to the lane at all. */
export function hasLaneProtostone({ transaction }: Step): boolean {
  return transaction.protostones.some(({ protocolTag }) => protocolTag === LANE_TAG);
}

/** Spent sheets are gone, whatever the outcome of the transaction. */
export function spentAreDeleted(step: Step): string | undefined {
  for (const key of spentKeys(step)) {
    if (!step.outcome.writes.has(key) || step.outcome.writes.get(key) !== undefined) return `${show(key)} stays`;
  }
  return undefined;
}

/** A transaction that was undone, or has no tag-1 protostone, deletes what it spends and does nothing else. */
export function onlyDeletes(step: Step): string | undefined {
  const { outcome } = step;
  if (outcome.undone === undefined && hasLaneProtostone(step)) return undefined;
  if (outcome.undone !== undefined && !hasLaneProtostone(step)) return 'undone although nothing was to be done';
  if (outcome.messages.length > 0) return 'it lists messages';
  const spent = spentKeys(step);
  for (const [key, value] of outcome.writes) {
    if (value !== undefined) return `it writes ${show(key)}`;
    if (!spent.has(key)) return `it deletes ${show(key)}, which it does not spend`;
  }
  return undefined;
}

/** Sheets are written on own ordinary outputs, in their one form, not too many; only spent ones are deleted. */
export function sheetsWellPlaced(step: Step): string | undefined {
  const spent = spentKeys(step);
  const own = ownKeys(step);
  let entries = 0;
  for (const [key, value] of step.outcome.writes) {
    if (!key.startsWith(SHEET)) continue;
    if (value === undefined) {
      if (!spent.has(key)) return `${show(key)} is deleted and was not spent`;
      continue;
    }
    if (!own.has(key)) return `${show(key)} is no ordinary output of the transaction`;
    if (value.length === 0) return `${show(key)} is empty`;
    const sheet = readSheet(value);
    if (sheet === undefined) return `${show(key)} cannot be read`;
    entries += sheet.size;
  }
  if (entries > SHEET_ENTRY_LIMIT) return `${entries} sheet entries are written`;
  return undefined;
}

/**
 * A failed message changes nothing but its refund: where it is all that the transaction has, what was spent lies on the
 * refund output, if assets stay there, and nothing else is written.
 */
export function onlyRefunds(step: Step): string | undefined {
  const { outcome, transaction } = step;
  const [protostone, ...more] = transaction.protostones;
  const [receipt] = outcome.messages;
  if (receipt === undefined || receipt.status === 'OK' || more.length > 0) return undefined;
  const spent = spentKeys(step);
  const given = new Sheet();
  for (const key of spent) given.absorb(readSheet(step.before.get(key)) ?? new Sheet());
  const place = sheetKey(transaction.tx.txid, protostone.refund ?? 0);
  const refunded = !given.isEmpty && ownKeys(step).has(place);
  if (refunded && !bytesEqual(outcome.writes.get(place), encodeSheet(given))) return `${show(place)} is not the refund`;
  for (const key of outcome.writes.keys()) {
    if (!spent.has(key) && !(refunded && key === place)) return `${show(key)} is written`;
  }
  return undefined;
}

/** The sheet in `value`, undefined if it is none. */
export function readSheet(value: Uint8Array | undefined): Sheet | undefined {
  try {
    return decodeSheet(value);
  } catch {
    return undefined;
  }
}

/** A key as people read it. */
export function show(key: LaneKey): string {
  const end = key.indexOf('/') + 1;
  return `${key.slice(0, end)}${toHex(fromBinaryString(key.slice(end)))}`;
}
