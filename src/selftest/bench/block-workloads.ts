/** Blocks for the benchmarks: many messages to one contract, and the state that they find. */

import { compactSize } from '../../bitcoin/compact-size.js';
import { balanceKey, codeKey, sheetKey, storagePrefix } from '../../lane/keys.js';
import type { LaneKey } from '../../lane/types.js';
import { prepareProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { LANE_TARGET } from '../../protocol/cellpack.js';
import { encodeCellpack, encodeRunestone } from '../../protocol/encode.js';
import { encodeSheet, Sheet } from '../../protocol/sheet.js';
import { builtPrograms } from '../../util/built-wasm.js';
import { concatBytes, u32Bytes, u64Bytes, u128Bytes } from '../../util/bytes.js';
import { seededBytes } from '../inputs/prng.js';
import { CONTRACT, WORKLOADS, type WorkloadMessage, type WorkloadName } from './block-messages.js';

/** A block of one message per transaction. */
export interface WorkloadBlock {
  readonly name: WorkloadName;
  readonly program: Program;
  /** The serialised block; `BlockOffsets` reads it, if it is given room. */
  readonly raw: Uint8Array;
  /** The lane's state before it. */
  readonly state: ReadonlyMap<LaneKey, Uint8Array>;
}

const ORDINARY = Uint8Array.of(0x51, 0x20, ...new Uint8Array(32));
const SIGNATURE_BYTES = 64;
/** Balance of a contract in the assets that it pays out. */
const RESERVES = u128Bytes(1n << 100n);
const RESERVE_ASSETS = [10n, 11n];
const HEADER_BYTES = 80;

/** A block of `count` transactions, and the state before it. Same name and count, same block. */
export function makeWorkload(name: WorkloadName, count: number): WorkloadBlock {
  const { program: programName, make } = WORKLOADS[name];
  const wasm = builtPrograms()[programName];
  const program = prepareProgram(wasm);
  const { messages, storage } = make(program, count);
  const state = new Map<LaneKey, Uint8Array>([[codeKey(CONTRACT), concatBytes(Uint8Array.of(0), wasm)]]);
  const prefix = storagePrefix(CONTRACT);
  for (const [key, value] of storage) state.set(prefix + key, value);
  if (programName === 'amm') {
    for (const tx of RESERVE_ASSETS) state.set(balanceKey({ block: 2n, tx }, CONTRACT), RESERVES);
  }
  const serialised = messages.map((message, i) => {
    const coin = seededBytes(name, 'coin', i);
    if (message.incoming.length > 0) state.set(sheetKey(coin, 0), encodeSheet(Sheet.of(message.incoming)));
    return serialise(coin, message);
  });
  return { name, program, raw: blockOf(serialised), state };
}

/** A transaction as a wallet makes it: one taproot input, one output, the runestone. Its signature is none. */
function serialise(coin: Uint8Array, { inputs }: WorkloadMessage): Uint8Array {
  const message = encodeCellpack(LANE_TARGET, [CONTRACT.block, CONTRACT.tx, ...inputs]);
  const runestone = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] });
  const output = (value: bigint, script: Uint8Array): Uint8Array[] => [
    u64Bytes(value),
    compactSize(script.length),
    script,
  ];
  return concatBytes(
    ...[u32Bytes(2), Uint8Array.of(0, 1)],
    ...[Uint8Array.of(1), coin, u32Bytes(0), Uint8Array.of(0), u32Bytes(0xffffffff)],
    ...[Uint8Array.of(2), ...output(546n, ORDINARY), ...output(0n, runestone)],
    ...[Uint8Array.of(1, SIGNATURE_BYTES), new Uint8Array(SIGNATURE_BYTES), u32Bytes(0)],
  );
}

/** A serialised block of any length, in shared memory: the larger ones are no valid blocks. */
function blockOf(serialised: readonly Uint8Array[]): Uint8Array {
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
