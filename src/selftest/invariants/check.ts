/** Invariants of every block under every policy (docs/lane-rules.md), checked without running the lane again. */
import { InternalError } from '../../errors/errors.js';
import { LONG_CODE } from '../../lane/overlay.js';
import type { LaneKey } from '../../lane/types.js';
import { bytesEqual, toDisplayHash } from '../../util/bytes.js';
import { conserved } from './assets.js';
import type { BlockRun, Step, Violation } from './block-run.js';
import { codeAppearsOnce, onlyWritersWrite, sequenceMoves } from './contracts.js';
import { runsExplainWrites } from './ledger.js';
import { fuel, listed, statuses } from './messages.js';
import { sumsOfBlock } from './result.js';
import { onlyDeletes, onlyRefunds, sheetsWellPlaced, show, spentAreDeleted } from './sheets.js';

/** By name; each says what is wrong, or undefined. */
const OF_TRANSACTION: Readonly<Record<string, (step: Step) => string | undefined>> = {
  'outcomes stand in block order': inOrder,
  'every value read is the state at that point': readsAreTrue,
  'spent sheets are deleted': spentAreDeleted,
  'an undone transaction only deletes what it spends': onlyDeletes,
  'a failed message changes nothing but its refund': onlyRefunds,
  'sheets lie on own ordinary outputs': sheetsWellPlaced,
  'every message has one receipt': listed,
  'statuses agree with their receipts': statuses,
  'fuel is within bounds': fuel,
  'only contracts whose message held write': onlyWritersWrite,
  'sequence counts the creations that held': sequenceMoves,
  'code appears where a creation held': codeAppearsOnce,
  'assets are conserved': conserved,
  'the runs explain what is left': runsExplainWrites,
};

/** Every invariant that `run` breaks; after a transaction that breaks one, the next is looked at all the same. */
export function* violations(run: BlockRun): Generator<Violation, void, void> {
  const { context, transactions, outcomes, result, runs } = run;
  if (transactions.length !== outcomes.length) {
    const found = `${outcomes.length} outcomes of ${transactions.length} transactions`;
    yield { invariant: 'outcomes stand in block order', index: undefined, found };
    return;
  }
  const state = new Map(run.before);
  for (const [position, transaction] of transactions.entries()) {
    const outcome = outcomes[position];
    const step: Step = { context, transaction, outcome, before: state, runs: runs?.runsOf(transaction.tx.raw) };
    for (const [invariant, check] of Object.entries(OF_TRANSACTION)) {
      const found = check(step);
      if (found !== undefined) yield { invariant, index: transaction.index, found };
    }
    applyTo(state, outcome.writes);
  }
  if (result === undefined) return;
  yield* writesOfBlock(run, state);
  yield* sumsOfBlock(result, outcomes);
}

/**
 * Throws at the first invariant that `run` breaks.
 * @throws InternalError with the invariant, the transaction and `place`, which says how to find the block again.
 */
export function checkInvariants(run: BlockRun, place: Readonly<Record<string, string | number>>): void {
  for (const { invariant, index, found } of violations(run)) {
    throw new InternalError(`broken: ${invariant}`, {
      facts: { ...place, found, ...(index === undefined ? {} : { transaction: index }) },
    });
  }
}

function inOrder({ transaction, outcome }: Step): string | undefined {
  const txid = toDisplayHash(transaction.tx.txid);
  if (outcome.index === transaction.index && outcome.txid === txid) return undefined;
  return `${outcome.txid} at ${outcome.index}, not ${txid} at ${transaction.index}`;
}

function readsAreTrue({ outcome, before }: Step): string | undefined {
  for (const [key, seen] of outcome.reads) {
    const now = before.get(key);
    if (seen === LONG_CODE ? now === undefined : !bytesEqual(seen, now)) return `${show(key)} was another`;
  }
  return undefined;
}

/** The block's writes give the state that its outcomes leave, and delete nothing that never was. */
function* writesOfBlock({ before, result }: BlockRun, left: ReadonlyMap<LaneKey, Uint8Array>): Generator<Violation> {
  const invariant = 'the writes of the block are those of its outcomes';
  const state = new Map(before);
  for (const [key, value] of result?.writes ?? []) {
    if (value === undefined && !before.has(key)) yield { invariant, index: undefined, found: `${show(key)} never was` };
  }
  applyTo(state, result?.writes ?? new Map());
  for (const key of new Set([...state.keys(), ...left.keys()])) {
    if (!bytesEqual(state.get(key), left.get(key))) yield { invariant, index: undefined, found: show(key) };
  }
}

function applyTo(state: Map<LaneKey, Uint8Array>, writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
  for (const [key, value] of writes) {
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  }
}
