/** One message of a lane transaction: a call of a contract (docs/lane-rules.md, sections 3 to 5). */

import { parseResult } from '../program/result.js';
import type { Program, RunHost, RunResult } from '../program/types.js';
import { formatId, idsEqual } from '../protocol/alkane-id.js';
import { decodeCellpack } from '../protocol/cellpack.js';
import { Sheet, type SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId, Protostone } from '../protocol/types.js';
import {
  EMPTY_BYTES,
  readU128,
  toBinaryString,
  toHex,
  U128_MAX,
  u128Bytes,
  writeU32,
  writeU128,
} from '../util/bytes.js';
import { type Allowance, CREATION_FUEL } from './allowance.js';
import { isCreation, readSequence, resolveTarget } from './creation.js';
import { balanceKey, balanceKeyOfBytes, storageKeyOfBytes, storagePrefix } from './keys.js';
import type { TransactionView } from './overlay.js';
import type { DependentRule } from './policy.js';
import { RECEIPT_DATA_BYTES } from './receipt.js';
import type { LaneTransaction } from './scan.js';
import type { LaneKey, MessageReceipt, MessageStatus } from './types.js';

const LANE_BLOCK = 8n;
const LANE_TX = 8n;

/** What all lane transactions of a block share; plain data that is sent to workers. */
export interface LaneContext {
  readonly height: number;
  /** The block as serialised with witnesses. */
  readonly block: Uint8Array;
  /** Messages below this height fail and are refunded. */
  readonly laneStartHeight: number;
  /** `reject`: messages of a transaction that spends an output of another lane transaction of the block fail. */
  readonly dependent: DependentRule;
  /** Notified of each transaction that this thread runs. */
  readonly watch?: TransactionWatch;
}

/** Notified of every transaction that runs, so that another thread can see which one takes long. */
export interface TransactionWatch {
  /** `index`: position in the block; the txid lies at `at` of `bytes`. */
  begin(index: number, bytes: Uint8Array, at: number): void;
  end(): void;
}

/** Keys that a program declared with `__record_get` and `__record_put`: they widen the plan, never the outcome. */
export interface DeclaredKeys {
  readonly reads: Set<LaneKey>;
  readonly writes: Set<LaneKey>;
}

/**
 * A contract must run: the driver of the transaction runs `program` and resumes the generator with the result. Storage
 * keys are the contract's own.
 */
export interface MessageCall {
  readonly program: Program;
  readonly target: AlkaneId;
  readonly context: Uint8Array;
  readonly height: number;
  /** The transaction's fuel that earlier messages left, minus the charge of a creation. */
  readonly fuel: number;
  /** The program's host functions; reads are recorded in the transaction. */
  host(isDryRun: boolean): RunHost;
  /** A value of the contract's storage as the transaction sees it now, not recorded. */
  peekStorage(key: Uint8Array): Uint8Array | undefined;
}

/** How the run ended, on any executor. */
export type MessageEnd = RunResult;

/** A message's result: what goes to `pointer`, or undefined if the message failed and is refunded. */
export interface MessageResult {
  readonly receipt: MessageReceipt;
  readonly parcel: Sheet | undefined;
}

/** A transaction while its messages run. */
export interface RunningTransaction {
  readonly input: LaneTransaction;
  readonly context: LaneContext;
  readonly view: TransactionView;
  readonly allowance: Allowance;
  readonly declared: DeclaredKeys | undefined;
}

/**
 * Runs the message of `protostone` in the order of lane rules 4: calldata, target, start height; the charge of a
 * creation; resolve or create; credit the incoming; the run. All its writes lie in the running message of the view; the
 * caller keeps or drops them. What it took from the allowance stays spent whatever its status.
 */
export function* runMessage(
  running: RunningTransaction,
  protostone: Protostone,
  incoming: Sheet,
): Generator<MessageCall, MessageResult, MessageEnd> {
  const { input, context, view, allowance } = running;
  const fuelBefore = allowance.fuelLeft;
  const failed = (status: MessageStatus, error: string, target?: AlkaneId): MessageResult => ({
    receipt: receipt(protostone, status, target, error, fuelBefore - allowance.fuelLeft, EMPTY_BYTES),
    parcel: undefined,
  });

  const outer = decodeCellpack(protostone.message ?? EMPTY_BYTES);
  if (outer === undefined) return failed('REJECTED', 'bad calldata');
  if (outer.target.block !== LANE_BLOCK || outer.target.tx !== LANE_TX) {
    return failed('STANDARD', 'the target is not 8:8', outer.target);
  }
  if (outer.inputs.length < 2) return failed('REJECTED', 'bad calldata');
  if (context.height < context.laneStartHeight) return failed('REJECTED', 'below the lane start height');
  if (context.dependent === 'reject' && input.parents.length > 0) {
    return failed('REJECTED', 'depends on a lane transaction of this block');
  }

  const target = { block: outer.inputs[0], tx: outer.inputs[1] };
  if (isCreation(target) && !allowance.charge(CREATION_FUEL)) return failed('OUT_OF_FUEL', 'out of fuel');
  const resolved = resolveTarget(target, input.tx, view, allowance);
  if (!resolved.ok) return failed('REJECTED', resolved.error, resolved.id);
  const { id, program } = resolved;
  const entries = incoming.entries();
  for (const entry of entries) {
    if (!credit(view, id, entry)) return failed('REJECTED', 'sum over u128 on a balance', id);
  }

  const prefix = storagePrefix(id);
  const bytes = encodeContext(id, protostone.shadowVout, entries, outer.inputs.slice(2));
  const end = yield new Call(program, id, bytes, prefix, allowance.fuelLeft, running);
  allowance.leave(end.fuelLeft);
  switch (end.status) {
    case 'REVERT':
      return failed('REVERT', end.reason, id);
    case 'TRAP':
      return failed('TRAP', 'trap', id);
    case 'OUT_OF_FUEL':
      allowance.leave(0);
      return failed('OUT_OF_FUEL', 'out of fuel', id);
  }
  if (end.result === undefined) return failed('REJECTED', 'bad result pointer', id);
  const result = parseResult(end.result);
  if (result === undefined) return failed('REJECTED', 'malformed result', id);
  if (!allowance.charge(result.fuel)) return failed('OUT_OF_FUEL', 'out of fuel', id);

  for (const [key, value] of result.storage) view.set(prefix + key, value.length === 0 ? undefined : value.slice());
  const parcel = new Sheet();
  for (const transfer of result.transfers) {
    const error = debit(view, id, transfer, parcel);
    if (error !== undefined) return failed('REJECTED', error, id);
  }
  const fuelUsed = fuelBefore - allowance.fuelLeft;
  return { receipt: receipt(protostone, 'OK', id, undefined, fuelUsed, result.data), parcel };
}

/** The receipt of a message; also used where the sum on the pointer turns a success into a failure. */
function receipt(
  protostone: Protostone,
  status: MessageStatus,
  target: AlkaneId | undefined,
  error: string | undefined,
  fuelUsed: number,
  data: Uint8Array,
): MessageReceipt {
  return {
    protostone: protostone.index,
    shadowVout: protostone.shadowVout,
    status,
    target: target && formatId(target),
    error,
    fuelUsed,
    data: toHex(data.subarray(0, RECEIPT_DATA_BYTES)),
    dataBytes: data.length,
  };
}

/** Context bytes: myself, caller 0:0, vout, incoming ascending, inputs; every number u128 LE. */
function encodeContext(
  myself: AlkaneId,
  vout: number,
  incoming: readonly SheetEntry[],
  inputs: readonly bigint[],
): Uint8Array {
  const out = new Uint8Array((6 + 3 * incoming.length + inputs.length) * 16);
  writeU128(out, 0, myself.block);
  writeU128(out, 16, myself.tx);
  writeU32(out, 64, vout);
  writeU32(out, 80, incoming.length);
  let at = 96;
  const put = (number: bigint): void => {
    if (number !== 0n) writeU128(out, at, number);
    at += 16;
  };
  for (const { id, amount } of incoming) {
    put(id.block);
    put(id.tx);
    put(amount);
  }
  for (const number of inputs) put(number);
  return out;
}

class Call implements MessageCall {
  constructor(
    readonly program: Program,
    readonly target: AlkaneId,
    readonly context: Uint8Array,
    /** The prefix of the contract's own keys. */
    readonly prefix: LaneKey,
    readonly fuel: number,
    readonly running: RunningTransaction,
  ) {}

  get height(): number {
    return this.running.context.height;
  }

  // Fields rather than methods: callers detach them from the call.
  readonly host = (isDryRun: boolean): RunHost => new Host(isDryRun, this);
  readonly peekStorage = (key: Uint8Array): Uint8Array | undefined =>
    this.running.view.peek(this.prefix + toBinaryString(key));
}

/** Answers a program from the transaction's view. */
class Host implements RunHost {
  readonly #call: Call;
  /** The contract's 32 bytes: a context begins with them. */
  readonly #id: Uint8Array;

  constructor(
    readonly isDryRun: boolean,
    call: Call,
  ) {
    this.#call = call;
    this.#id = call.context.subarray(0, 32);
  }

  get height(): number {
    return this.#call.height;
  }

  get context(): Uint8Array {
    return this.#call.context;
  }

  get transaction(): Uint8Array {
    return this.#call.running.input.tx.raw;
  }

  get block(): Uint8Array {
    return this.#call.running.context.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    return this.#call.running.view.get(storageKeyOfBytes(this.#id, key));
  }

  sequence(): bigint {
    return readSequence(this.#call.running.view);
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.#call.running.view.get(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;
  }

  declareRead(key: Uint8Array): void {
    this.#call.running.declared?.reads.add(this.#call.prefix + toBinaryString(key));
  }

  declareWrite(key: Uint8Array): void {
    this.#call.running.declared?.writes.add(this.#call.prefix + toBinaryString(key));
  }
}

function readBalance(view: TransactionView, key: LaneKey): bigint {
  const value = view.get(key);
  return value === undefined ? 0n : readU128(value, 0);
}

/** Adds an incoming amount to the contract's balance; false if the sum passes u128. */
function credit(view: TransactionView, holder: AlkaneId, { id, amount }: SheetEntry): boolean {
  const key = balanceKey(id, holder);
  const sum = readBalance(view, key) + amount;
  if (sum > U128_MAX) return false;
  view.set(key, u128Bytes(sum));
  return true;
}

/**
 * Takes one transfer off the contract's balance (the own id beyond it is minted) into `parcel`; returns why it cannot.
 */
function debit(view: TransactionView, holder: AlkaneId, transfer: SheetEntry, parcel: Sheet): string | undefined {
  const { id, amount } = transfer;
  if (amount === 0n) return undefined;
  const key = balanceKey(id, holder);
  const balance = readBalance(view, key);
  if (balance < amount && !idsEqual(id, holder)) return 'transfer beyond the balance';
  const left = balance > amount ? balance - amount : 0n;
  if (left !== balance) view.set(key, left === 0n ? undefined : u128Bytes(left));
  return parcel.add(id, amount) ? undefined : 'sum over u128 of a parcel';
}
