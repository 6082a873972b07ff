/**
 * What the contract runs of a transaction say that it must leave. A message that held leaves exactly what its contract
 * was given and returned; any other message leaves nothing. This follows the runs, not the lane: it knows no
 * protostones, no edicts and no layers of writes.
 */
import { CREATION_FUEL, transactionFuel } from '../../lane/allowance.js';
import { balanceKey, storagePrefix } from '../../lane/keys.js';
import type { LaneKey, MessageReceipt } from '../../lane/types.js';
import { parseResult } from '../../program/result.js';
import { formatId, idFromBytes, idsEqual } from '../../protocol/alkane-id.js';
import type { SheetEntry } from '../../protocol/sheet.js';
import type { AlkaneId } from '../../protocol/types.js';
import { bytesEqual, EMPTY_BYTES, readU32, readU128, u128Bytes } from '../../util/bytes.js';
import { Amounts, mayLose } from './assets.js';
import { after, type Step } from './block-run.js';
import { askedTarget, heldCalls, isCreation } from './messages.js';
import type { ContractRun } from './run-log.js';
import { show, spentKeys } from './sheets.js';

const COUNT_AT = 80;
const INCOMING_AT = 96;
const TRIPLE = 48;

/** The state that the runs leave, and where assets went. */
interface Ledger {
  /** Keys of storage and balances with their last value. */
  readonly values: Map<LaneKey, Uint8Array | undefined>;
  /** From the sheets into contracts (negative) and back. */
  readonly onSheets: Amounts;
}

/** Each message ran as its status says, and storage and balances are exactly what the runs of those that held leave. */
export function runsExplainWrites(step: Step): string | undefined {
  if (step.runs === undefined || step.outcome.undone !== undefined) return undefined;
  const ledger: Ledger = { values: new Map(), onSheets: new Amounts() };
  // What frames below those of messages have done, no run tells.
  const hasCalls = heldCalls(step)?.length !== 0;
  let left = transactionFuel(step.transaction.tx);
  for (const receipt of step.outcome.messages) {
    const run = step.runs.find(({ vout }) => vout === receipt.shadowVout);
    const wrong = wrongEnd(receipt, run) ?? wrongFuel(step, receipt, run, left);
    left -= receipt.fuelUsed;
    if (wrong !== undefined) return `message ${receipt.protostone}: ${wrong}`;
    if (receipt.status !== 'OK' || run === undefined || hasCalls) continue;
    const refused = settle(step, run, ledger);
    if (refused !== undefined) return `message ${receipt.protostone} held although ${refused}`;
  }
  return hasCalls ? undefined : (wrongValues(step, ledger) ?? wrongSheets(step, ledger));
}

function wrongEnd({ status, error }: MessageReceipt, run: ContractRun | undefined): string | undefined {
  if (run === undefined) {
    // A creation may run out of fuel before its contract runs.
    return status === 'OK' || status === 'REVERT' || status === 'TRAP' ? `${status} without a run` : undefined;
  }
  const { end } = run;
  // A frame below has failed.
  if (end.reason === 'inner-call')
    return status === 'OK' || status === 'STANDARD' ? `${status} all the same` : undefined;
  if (end.status !== 'OK') return status === end.status ? undefined : `${status} after a run that ended ${end.status}`;
  if (status === 'STANDARD') return 'it ran here';
  return status === 'REVERT' || status === 'TRAP' ? `${status} (${error}) after a run that ended well` : undefined;
}

/** A run is given what those before it left, less what a creation costs, and pays at least for what it used. */
function wrongFuel(
  { transaction }: Step,
  { status, fuelUsed, protostone }: MessageReceipt,
  run: ContractRun | undefined,
  left: number,
): string | undefined {
  if (run === undefined) return undefined;
  const attempt = isCreation(askedTarget(transaction.protostones[protostone])) ? CREATION_FUEL : 0;
  if (run.fuel !== left - attempt) return `it was given ${run.fuel} of ${left}`;
  const used = attempt + run.fuel - run.end.fuelLeft;
  // The price of a result is added; only one that could be read does.
  const exact = status === 'REVERT' || status === 'TRAP';
  return fuelUsed < used || (exact && fuelUsed > used) ? `it paid ${fuelUsed} for ${used}` : undefined;
}

/** Books a run that held; returns why it cannot have held. */
function settle(step: Step, { context, end }: ContractRun, { values, onSheets }: Ledger): string | undefined {
  const holder = idFromBytes(context, 0);
  const balance = (asset: AlkaneId): bigint => {
    const key = balanceKey(asset, holder);
    const value = values.has(key) ? values.get(key) : step.before.get(key);
    return value === undefined ? 0n : readU128(value, 0);
  };
  const set = (asset: AlkaneId, amount: bigint): void => {
    values.set(balanceKey(asset, holder), amount === 0n ? undefined : u128Bytes(amount));
  };
  for (const { id, amount } of incomingOf(context)) {
    set(id, balance(id) + amount);
    onSheets.add(formatId(id), -amount);
  }
  const result = parseResult(end.result ?? EMPTY_BYTES);
  if (result === undefined) return 'its result cannot be read';
  for (const [key, value] of result.storage) {
    values.set(storagePrefix(holder) + key, value.length === 0 ? undefined : value);
  }
  for (const { id, amount } of result.transfers) {
    const there = balance(id);
    if (there < amount && !idsEqual(id, holder)) return `it had ${there} of ${formatId(id)} and sent ${amount}`;
    if (amount > 0n && there > 0n) set(id, there > amount ? there - amount : 0n);
    onSheets.add(formatId(id), amount);
  }
  return undefined;
}

function incomingOf(context: Uint8Array): SheetEntry[] {
  return Array.from({ length: readU32(context, COUNT_AT) }, (_, i) => {
    const at = INCOMING_AT + i * TRIPLE;
    return { id: idFromBytes(context, at), amount: readU128(context, at + 32) };
  });
}

function wrongValues(step: Step, { values }: Ledger): string | undefined {
  for (const [key, value] of values) {
    if (!bytesEqual(value, after(step, key))) return `${show(key)} is not what the runs left`;
  }
  for (const key of step.outcome.writes.keys()) {
    const isReported = key.startsWith('store/') || key.startsWith('balance/');
    if (isReported && !values.has(key)) return `${show(key)} is written and no run that held did it`;
  }
  return undefined;
}

/** On the outputs lies what was spent, less what went into contracts, plus what came out, less what was lost. */
function wrongSheets(step: Step, { onSheets }: Ledger): string | undefined {
  const left = new Amounts();
  for (const [asset, amount] of onSheets) left.add(asset, amount);
  for (const key of spentKeys(step)) left.addValue(key, step.before.get(key), 1n);
  for (const [key, value] of step.outcome.writes) if (key.startsWith('sheet/')) left.addValue(key, value, -1n);
  const losing = mayLose(step);
  for (const [asset, amount] of left) {
    if (amount < 0n) return `${-amount} of ${asset} more on the outputs than there can be`;
    if (amount > 0n && !losing) return `${amount} of ${asset} less on the outputs than there must be`;
  }
  return undefined;
}
