/** What the blocks of the benchmarks are made of, and its bytes. */
import { compactSize } from '../../bitcoin/compact-size.js';
import { sha256d } from '../../bitcoin/hash.js';
import { LANE_TARGET } from '../../protocol/cellpack.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
} from '../../protocol/encode.js';
import type { SheetEntry } from '../../protocol/sheet.js';
import type { AlkaneId } from '../../protocol/types.js';
import { concatBytes, u32Bytes, u64Bytes } from '../../util/bytes.js';

export interface WorkloadContract {
  readonly id: AlkaneId;
  readonly wasm: Uint8Array;
  /** Its own state by key (binary string). */
  readonly storage: ReadonlyMap<string, Uint8Array>;
  /** Assets 2:n that it pays out, by n. */
  readonly reserves: readonly bigint[];
}

export interface WorkloadTransaction {
  readonly protostones: readonly ProtostoneInput[];
  /** Assets on the coin that it spends. */
  readonly incoming: readonly SheetEntry[];
  /** Instead of a coin from before the block it spends the first output of this earlier transaction of it. */
  readonly parent?: number;
  /** Code that its witness carries, for a creation. */
  readonly code?: Uint8Array;
}

export interface WorkloadParts {
  readonly contracts: readonly WorkloadContract[];
  readonly transactions: readonly WorkloadTransaction[];
}

const ORDINARY = Uint8Array.of(0x51, 0x20, ...new Uint8Array(32));
const SIGNATURE = new Uint8Array(64);
const CONTROL_BLOCK = Uint8Array.of(0xc0, ...new Uint8Array(32));
const HEADER_BYTES = 80;

/** A message to `target`, as wallets make them. */
export function call(target: AlkaneId, inputs: readonly bigint[]): ProtostoneInput {
  const message = encodeCellpack(LANE_TARGET, [target.block, target.tx, ...inputs]);
  return { pointer: 0, refund: 0, message };
}

/**
 * A serialised block of any length, in shared memory: the larger ones are no valid blocks. `coinOf`: txid of the coin
 * that a transaction without parent spends.
 */
export function blockOf(transactions: readonly WorkloadTransaction[], coinOf: (i: number) => Uint8Array): Uint8Array {
  const txids: Uint8Array[] = [];
  const serialised = transactions.map((transaction, i) => {
    const { parent } = transaction;
    const made = serialise(transaction, parent === undefined ? coinOf(i) : txids[parent]);
    txids.push(made.txid);
    return made.bytes;
  });
  const count = compactSize(serialised.length);
  const length = serialised.reduce((sum, { length: own }) => sum + own, HEADER_BYTES + count.length);
  const raw = new Uint8Array(new SharedArrayBuffer(length));
  raw.set(count, HEADER_BYTES);
  let at = HEADER_BYTES + count.length;
  for (const bytes of serialised) {
    raw.set(bytes, at);
    at += bytes.length;
  }
  return raw;
}

/** A transaction as a wallet makes it: one taproot input, one output, the runestone. Its signature is none. */
export function serialise(
  { protostones, code }: WorkloadTransaction,
  coin: Uint8Array,
): { bytes: Uint8Array; txid: Uint8Array } {
  const runestone = encodeRunestone({ protostones });
  const version = u32Bytes(2);
  const lockTime = u32Bytes(0);
  const inputs = concatBytes(Uint8Array.of(1), coin, u32Bytes(0), Uint8Array.of(0), u32Bytes(0xffffffff));
  const outputs = concatBytes(Uint8Array.of(2), ...output(546n, ORDINARY), ...output(0n, runestone));
  const items = code === undefined ? [SIGNATURE] : [SIGNATURE, encodeEnvelope(gzipStored(code)), CONTROL_BLOCK];
  const witness = [Uint8Array.of(items.length), ...items.flatMap((item) => [compactSize(item.length), item])];
  return {
    bytes: concatBytes(version, Uint8Array.of(0, 1), inputs, outputs, ...witness, lockTime),
    txid: sha256d(version, inputs, outputs, lockTime),
  };
}

function output(value: bigint, script: Uint8Array): Uint8Array[] {
  return [u64Bytes(value), compactSize(script.length), script];
}
