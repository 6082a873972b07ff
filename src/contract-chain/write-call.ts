/** Transactions that carry messages for the parallel lane, unsigned: nobody checks signatures on a chain in memory. */
import { type WrittenTransaction, writeTransaction } from '../bitcoin/serialise.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
} from '../protocol/encode.js';
import type { SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';

/** An output of a transaction. */
export interface Outpoint {
  /** Wire order. */
  readonly txid: Uint8Array;
  readonly vout: number;
}

/** A message for a contract, or what creates one (docs/lane-rules.md, section 3). */
export interface WrittenMessage {
  readonly target: AlkaneId;
  /** The opcode first. */
  readonly inputs: readonly bigint[];
  /** What it is given of the assets of the transaction's inputs; all if no message of the transaction names any. */
  readonly send?: readonly SheetEntry[];
}

export interface CallSpec {
  readonly spend: readonly Outpoint[];
  readonly messages: readonly WrittenMessage[];
  /** Scripts of the outputs: the first one gets what is left of the assets. */
  readonly outputs: readonly Uint8Array[];
  /** The output that gets what contracts transfer; the first one if not given. */
  readonly pointer?: number;
  /** WASM for a creation. */
  readonly code?: Uint8Array;
}

/** Satoshi that a wallet gives an output which only carries assets. */
const CARRIER = 546n;
const SIGNATURE = new Uint8Array(64);
const CONTROL_BLOCK = Uint8Array.of(0xc0, ...new Uint8Array(32));

/**
 * A transaction with these messages, in their order. Where they name what they are given, a protostone before them
 * hands it out and leaves the rest to output 0.
 */
export function writeCall({ spend, messages, outputs, pointer = 0, code }: CallSpec): WrittenTransaction {
  const script = encodeRunestone({ protostones: protostonesOf(messages, outputs.length + 1, pointer) });
  const witness = code === undefined ? [SIGNATURE] : [SIGNATURE, encodeEnvelope(gzipStored(code)), CONTROL_BLOCK];
  return writeTransaction(
    spend.map(({ txid, vout }, at) => ({ prevTxid: txid, prevVout: vout, witness: at === 0 ? witness : [SIGNATURE] })),
    [...outputs.map((each) => ({ value: CARRIER, script: each })), { value: 0n, script }],
  );
}

/** `outputs` counts the one of the runestone. */
function protostonesOf(messages: readonly WrittenMessage[], outputs: number, pointer: number): ProtostoneInput[] {
  const hands = messages.some(({ send }) => send !== undefined);
  const first = outputs + 1 + (hands ? 1 : 0);
  const calls = messages.map(
    ({ target, inputs }): ProtostoneInput => ({
      pointer,
      refund: 0,
      message: encodeCellpack(LANE_TARGET, [target.block, target.tx, ...inputs]),
    }),
  );
  if (!hands) return calls;
  const edicts = messages.flatMap(({ send = [] }, at) =>
    send.map(({ id, amount }) => ({ id, amount, output: BigInt(first + at) })),
  );
  return [{ pointer: 0, edicts }, ...calls];
}
