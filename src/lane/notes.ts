/** What is worth telling of single transactions of a block, for whoever looks for one by its txid. */

/** Of one block at most: a hostile block is full of them. */
const MOST_NOTES = 64;

/**
 * `demoted`: it spends lane outputs of its block; `repaired`: it ran again, because a read was stale; `given-up`: the
 * kernel left its call to the CPU; `rejected`: one of its messages is not well formed.
 */
type Noted = 'demoted' | 'repaired' | 'given-up' | 'rejected';

interface TransactionNote {
  /** Position in the block. */
  readonly index: number;
  /** Display order, hex. */
  readonly txid: string;
  readonly what: Noted;
}

/** The first ones of a block, and how many there were beyond these. */
export interface TransactionNotes {
  readonly list: TransactionNote[];
  leftOut: number;
}

export function noNotes(): TransactionNotes {
  return { list: [], leftOut: 0 };
}

/** Notes `what` of a transaction, if anybody wants to know; `txid` is asked only if there is room. */
export function note(notes: TransactionNotes | undefined, what: Noted, index: number, txid: () => string): void {
  if (notes === undefined) return;
  if (notes.list.length < MOST_NOTES) notes.list.push({ index, txid: txid(), what });
  else notes.leftOut++;
}

/** Adds the notes of a part of the block, as far as there is room. */
export function addNotes(into: TransactionNotes, from: TransactionNotes): void {
  const room = Math.max(0, MOST_NOTES - into.list.length);
  into.list.push(...from.list.slice(0, room));
  into.leftOut += from.leftOut + Math.max(0, from.list.length - room);
}
