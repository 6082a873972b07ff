import type { LaneBlockResult, LaneOutcome, MessageStatus } from '../../lane/types.js';
import type { Violation } from './block-run.js';

/** Receipts and counters agree with the outcomes, which are counted again here. */
export function* sumsOfBlock(
  { receipts, statistics }: LaneBlockResult,
  outcomes: readonly LaneOutcome[],
): Generator<Violation> {
  const count = (status: MessageStatus): number =>
    outcomes.reduce((sum, { messages }) => sum + messages.filter((message) => message.status === status).length, 0);
  const want = {
    txs: outcomes.length,
    ok: count('OK'),
    revert: count('REVERT'),
    trap: count('TRAP'),
    outOfFuel: count('OUT_OF_FUEL'),
    malformed: count('REJECTED'),
  };
  const counted = JSON.stringify(want);
  const { txs, ok, revert, trap, outOfFuel, malformed } = statistics.lane;
  const reported = JSON.stringify({ txs, ok, revert, trap, outOfFuel, malformed });
  if (counted !== reported)
    yield { invariant: 'counters count', index: undefined, found: `${reported}, not ${counted}` };
  const invariant = 'receipts say what the outcomes say';
  if (receipts.length !== outcomes.length) {
    yield { invariant, index: undefined, found: `${receipts.length} receipts` };
    return;
  }
  for (const [position, receipt] of receipts.entries()) {
    const { index, txid, undone, messages, reads, writes } = outcomes[position];
    let fuel = 0;
    for (const { fuelUsed } of messages) fuel += fuelUsed;
    const same =
      receipt.index === index &&
      receipt.txid === txid &&
      receipt.undone === undone &&
      JSON.stringify(receipt.messages) === JSON.stringify(messages) &&
      receipt.fuel === fuel &&
      receipt.readTotal === reads.size &&
      receipt.writeTotal === writes.size;
    if (!same) yield { invariant, index, found: JSON.stringify({ ...receipt, reads: undefined, writes: undefined }) };
  }
}
