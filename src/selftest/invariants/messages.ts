/** Invariants of messages: which a transaction has, what their statuses go with, what fuel they take. */
import { CREATION_FUEL, transactionFuel } from '../../lane/allowance.js';
import { LANE_TAG } from '../../lane/scan.js';
import type { CallReceipt, MessageReceipt } from '../../lane/types.js';
import { formatId, idsEqual } from '../../protocol/alkane-id.js';
import { decodeCellpack, LANE_TARGET } from '../../protocol/cellpack.js';
import type { AlkaneId, Protostone } from '../../protocol/types.js';
import { EMPTY_BYTES } from '../../util/bytes.js';
import type { Step } from './block-run.js';

/** The tag-1 messages of a transaction, in protostone order. */
function messagesOf(step: Step): Protostone[] {
  return step.transaction.protostones.filter((p) => p.protocolTag === LANE_TAG && p.message !== undefined);
}

/** The id that a message to 8:8 calls; undefined if the message is not for this lane. */
export function askedTarget(protostone: Protostone | undefined): AlkaneId | undefined {
  const cellpack = decodeCellpack(protostone?.message ?? EMPTY_BYTES);
  if (cellpack === undefined || !idsEqual(cellpack.target, LANE_TARGET) || cellpack.inputs.length < 2) return undefined;
  const [block, tx] = cellpack.inputs;
  return { block, tx };
}

/** 1:0, 3:n, 5:n and 6:n make contracts. */
export function isCreation(target: AlkaneId | undefined): boolean {
  if (target === undefined) return false;
  return target.block === 1n ? target.tx === 0n : [3n, 5n, 6n].includes(target.block);
}

/** The messages that held, with the ids that they called. */
export function heldMessages(step: Step): { readonly receipt: MessageReceipt; readonly asked: AlkaneId | undefined }[] {
  const { protostones } = step.transaction;
  return step.outcome.messages
    .filter(({ status }) => status === 'OK')
    .map((receipt) => ({ receipt, asked: askedTarget(protostones[receipt.protostone]) }));
}

/** Calls that contracts made in messages that held; undefined if a receipt does not list all of them. */
export function heldCalls(step: Step): readonly CallReceipt[] | undefined {
  const receipts = step.outcome.messages.filter(({ status }) => status === 'OK');
  if (receipts.some(({ calls, callTotal }) => calls.length < callTotal)) return undefined;
  return receipts.flatMap(({ calls }) => calls);
}

/** Each tag-1 message has one receipt, in order, if the transaction was not undone. */
export function listed(step: Step): string | undefined {
  const { outcome, transaction } = step;
  const wanted = outcome.undone === undefined ? messagesOf(step) : [];
  const count = transaction.tx.outputs.length;
  const want = wanted.map(({ index }) => `${index} on ${count + 1 + index}`).join(', ');
  const got = outcome.messages.map(({ protostone, shadowVout }) => `${protostone} on ${shadowVout}`).join(', ');
  return want === got ? undefined : `receipts of protostones ${got}, not ${want}`;
}

/** The rest of a receipt that follows from its status. */
export function statuses(step: Step): string | undefined {
  for (const receipt of step.outcome.messages) {
    const wrong = wrongStatus(step, receipt);
    if (wrong !== undefined) return `message ${receipt.protostone}, ${receipt.status}: ${wrong}`;
  }
  return undefined;
}

function wrongStatus({ transaction, context }: Step, receipt: MessageReceipt): string | undefined {
  const { status, error, target, data, dataBytes } = receipt;
  const protostone = transaction.protostones[receipt.protostone];
  if ((error === undefined) !== (status === 'OK')) return `the error is ${error}`;
  if (status !== 'OK' && (data !== '' || dataBytes !== 0)) return 'it has data';
  if (status === 'OK' && context.height < context.laneStartHeight) return 'it ran below the lane start height';
  const cellpack = decodeCellpack(protostone?.message ?? EMPTY_BYTES);
  const elsewhere = cellpack !== undefined && !idsEqual(cellpack.target, LANE_TARGET);
  if ((status === 'STANDARD') !== elsewhere) return `its calldata is for ${cellpack && formatId(cellpack.target)}`;
  const asked = askedTarget(protostone);
  // Only a creation may run out of fuel before there is a contract.
  const unmade = status === 'REJECTED' || (status === 'OUT_OF_FUEL' && isCreation(asked));
  if (!unmade && target === undefined) return 'it has no target';
  const runs = status !== 'STANDARD' && status !== 'REJECTED';
  if (runs && asked === undefined) return 'it asks for nothing';
  if (runs && !isCreation(asked) && asked && target !== formatId(asked)) return `it called ${formatId(asked)}`;
  return undefined;
}

/**
 * The messages share the fuel of their transaction: none uses more than those before it have left, one that runs out of
 * it uses all of that, and one without a contract uses what an attempt to create costs, or nothing.
 */
export function fuel(step: Step): string | undefined {
  const { outcome, transaction } = step;
  let left = transactionFuel(transaction.tx);
  for (const { fuelUsed, protostone, status, target } of outcome.messages) {
    if (!Number.isInteger(fuelUsed) || fuelUsed < 0 || fuelUsed > left) {
      return `message ${protostone} used ${fuelUsed} of ${left}`;
    }
    if (status === 'OUT_OF_FUEL' && fuelUsed !== left) return `message ${protostone} ran out of ${left} at ${fuelUsed}`;
    const attempt = isCreation(askedTarget(transaction.protostones[protostone])) ? CREATION_FUEL : 0;
    const never = status === 'STANDARD' || (status === 'REJECTED' && target === undefined);
    if (never && fuelUsed > attempt) return `message ${protostone} used ${fuelUsed} and had no contract`;
    if (status === 'OK' && fuelUsed < attempt) return `message ${protostone} created for ${fuelUsed}`;
    left -= fuelUsed;
  }
  return undefined;
}
