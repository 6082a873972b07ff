/** Lane transactions on their way to a worker and outcomes on their way back, as bytes. */
import type { Transaction } from '../../bitcoin/types.js';
import type { LaneTransaction } from '../../lane/scan.js';
import {
  CALL_STATUSES,
  type CallReceipt,
  type LaneOutcome,
  MESSAGE_STATUSES,
  type MessageReceipt,
} from '../../lane/types.js';
import { CALL_KINDS } from '../../program/types.js';
import type { Protostone, ProtostoneEdict } from '../../protocol/types.js';
import { EMPTY_BYTES } from '../../util/bytes.js';
import type { DryRun } from '../tasks/block-tasks.js';
import { ByteReader, ByteWriter } from './byte-stream.js';
import type { CpuItem } from './worker-protocol.js';

const LOW = 0xffffffffn;

export function encodeTransactions(transactions: readonly LaneTransaction[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.list(transactions, (transaction) => writeLaneTransaction(out, transaction));
  return out.finish();
}

export function decodeTransactions(bytes: Uint8Array): LaneTransaction[] {
  const from = new ByteReader(bytes);
  return from.list(() => readLaneTransaction(from));
}

export function encodeItems(items: readonly CpuItem[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.list(items, ({ transaction, overrides }) => {
    writeLaneTransaction(out, transaction);
    out.entries(overrides);
  });
  return out.finish();
}

export function decodeItems(bytes: Uint8Array): CpuItem[] {
  const from = new ByteReader(bytes);
  return from.list(() => ({ transaction: readLaneTransaction(from), overrides: from.entries() }));
}

export function encodeOutcomes(outcomes: readonly LaneOutcome[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.list(outcomes, (outcome) => writeOutcome(out, outcome));
  return out.finish();
}

export function decodeOutcomes(bytes: Uint8Array): LaneOutcome[] {
  const from = new ByteReader(bytes);
  return from.list(() => readOutcome(from));
}

export function encodeDryRuns(runs: readonly DryRun[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.list(runs, ({ outcome, askedDryRun, declaredReads, declaredWrites, program, call }) => {
    writeOutcome(out, outcome);
    out.number(askedDryRun ? 1 : 0);
    out.list(declaredReads, (key) => out.text(key));
    out.list(declaredWrites, (key) => out.text(key));
    out.text(program);
    out.number(call);
  });
  return out.finish();
}

export function decodeDryRuns(bytes: Uint8Array): DryRun[] {
  const from = new ByteReader(bytes);
  const text = (): string => from.text() ?? '';
  return from.list(() => ({
    outcome: readOutcome(from),
    askedDryRun: from.number() === 1,
    declaredReads: from.list(text),
    declaredWrites: from.list(text),
    program: from.text(),
    call: from.number(),
  }));
}

function writeLaneTransaction(out: ByteWriter, { index, tx, protostones, parents }: LaneTransaction): void {
  out.number(index);
  writeTransaction(out, tx);
  out.list(protostones, (protostone) => writeProtostone(out, protostone));
  out.list(parents, (parent) => out.number(parent));
}

function readLaneTransaction(from: ByteReader): LaneTransaction {
  return {
    index: from.count(),
    tx: readTransaction(from),
    protostones: from.list(() => readProtostone(from)),
    parents: from.list(() => from.count()),
  };
}

function writeTransaction(out: ByteWriter, { txid, raw, inputs, outputs }: Transaction): void {
  out.value(txid);
  out.value(raw);
  out.list(inputs, ({ prevTxid, prevVout, witness }) => {
    out.value(prevTxid);
    // 2^32 - 1 is what coinbases spend.
    out.number(prevVout >>> 16);
    out.number(prevVout & 0xffff);
    out.list(witness, (item) => out.value(item));
  });
  out.list(outputs, ({ value, script }) => {
    out.bigNumber(value);
    out.value(script);
  });
}

function readTransaction(from: ByteReader): Transaction {
  return {
    txid: bytesOf(from),
    raw: bytesOf(from),
    inputs: from.list(() => ({
      prevTxid: bytesOf(from),
      prevVout: from.count() * 0x10000 + from.count(),
      witness: from.list(() => bytesOf(from)),
    })),
    outputs: from.list(() => ({ value: from.bigNumber() ?? 0n, script: bytesOf(from) })),
  };
}

function bytesOf(from: ByteReader): Uint8Array {
  return from.value() ?? EMPTY_BYTES;
}

function writeProtostone(out: ByteWriter, protostone: Protostone): void {
  out.number(protostone.index);
  out.number(protostone.shadowVout);
  out.bigNumber(protostone.protocolTag);
  out.bigNumber(protostone.length);
  out.value(protostone.message);
  out.bigNumber(protostone.burn);
  for (const place of [protostone.pointer, protostone.refund, protostone.from]) {
    out.bigNumber(place === undefined ? undefined : BigInt(place));
  }
  out.list(protostone.edicts, ({ id, amount, output }) => {
    for (const number of [id.block, id.tx, amount, output]) out.bigNumber(number);
  });
}

function readProtostone(from: ByteReader): Protostone {
  const place = (): number | undefined => {
    const number = from.bigNumber();
    return number === undefined ? undefined : Number(number & LOW);
  };
  const big = (): bigint => from.bigNumber() ?? 0n;
  return {
    index: from.count(),
    shadowVout: from.count(),
    protocolTag: big(),
    length: big(),
    message: from.value(),
    burn: from.bigNumber(),
    pointer: place(),
    refund: place(),
    from: place(),
    edicts: from.list((): ProtostoneEdict => ({ id: { block: big(), tx: big() }, amount: big(), output: big() })),
  };
}

function writeOutcome(out: ByteWriter, { index, txid, undone, messages, reads, writes }: LaneOutcome): void {
  out.number(index);
  out.text(txid);
  out.text(undone);
  out.list(messages, (message) => writeReceipt(out, message));
  out.entries(reads);
  out.entries(writes);
}

function readOutcome(from: ByteReader): LaneOutcome {
  return {
    index: from.count(),
    txid: from.text() ?? '',
    undone: from.text(),
    messages: from.list(() => readReceipt(from)),
    reads: from.entries(),
    writes: from.entries(),
  };
}

function writeReceipt(out: ByteWriter, receipt: MessageReceipt): void {
  out.number(receipt.protostone);
  out.number(receipt.shadowVout);
  out.number(MESSAGE_STATUSES.indexOf(receipt.status));
  out.text(receipt.target);
  out.text(receipt.error);
  out.number(receipt.fuelUsed);
  out.text(receipt.data);
  out.number(receipt.dataBytes);
  out.list(receipt.calls, (call) => writeCall(out, call));
  out.number(receipt.callTotal);
}

function readReceipt(from: ByteReader): MessageReceipt {
  return {
    protostone: from.count(),
    shadowVout: from.count(),
    status: MESSAGE_STATUSES[from.count()],
    target: from.text(),
    error: from.text(),
    fuelUsed: from.count(),
    data: from.text() ?? '',
    dataBytes: from.count(),
    calls: from.list(() => readCall(from)),
    callTotal: from.count(),
  };
}

function writeCall(out: ByteWriter, call: CallReceipt): void {
  out.number(call.depth);
  out.number(CALL_KINDS.indexOf(call.kind));
  out.text(call.target);
  out.text(call.codeHash);
  out.text(call.opcode);
  out.number(call.fuelUsed);
  out.number(CALL_STATUSES.indexOf(call.status));
  out.number(call.parcel);
  out.number(call.transfers);
  out.number(call.dataBytes);
}

function readCall(from: ByteReader): CallReceipt {
  return {
    depth: from.count(),
    kind: CALL_KINDS[from.count()],
    target: from.text() ?? '',
    codeHash: from.text() ?? '',
    opcode: from.text(),
    fuelUsed: from.count(),
    status: CALL_STATUSES[from.count()],
    parcel: from.count(),
    transfers: from.count(),
    dataBytes: from.count(),
  };
}
