// Synthetic blocks for the benchmarks: many messages to one contract, and the state that it finds.

import { claimCalls, mintCalls, swapCalls } from '../dist/bench/sample-calls.js';
import { seededBytes } from '../dist/fixtures/prng.js';
import { balanceKey, codeKey, sheetKey, storagePrefix } from '../dist/lane/keys.js';
import { prepareProgram } from '../dist/program/prepare.js';
import { encodeCellpack, encodeRunestone } from '../dist/protocol/encode.js';
import { encodeSheet, Sheet } from '../dist/protocol/sheet.js';
import { builtPrograms } from '../dist/util/built-wasm.js';
import { concatBytes, readU128, toBinaryString, u128Bytes } from '../dist/util/bytes.js';

const CONTRACT = { block: 2n, tx: 1n };
const ORDINARY = Uint8Array.of(0x51, 0x20, ...new Uint8Array(32));
const RESERVES = u128Bytes(1n << 100n);

/** What follows the target in a context made by `sample-calls`: the incoming assets and the inputs, as numbers. */
function readContext(context) {
  const numbers = Array.from({ length: context.length / 16 }, (_, i) => readU128(context, i * 16));
  const incoming = Number(numbers[5]);
  return { incoming: numbers.slice(6, 6 + 3 * incoming), inputs: numbers.slice(6 + 3 * incoming) };
}

/** A light call: one key of its own is read, one written. */
function counterCalls(_program, count) {
  return Array.from({ length: count }, (_, i) => ({ inputs: [4n, BigInt(i)], incoming: [], reads: [] }));
}

function fromSample(makeCalls) {
  return (program, count) =>
    makeCalls(program, count).map((call) => ({ ...readContext(call.context), reads: call.reads }));
}

const SAMPLES = {
  claim: ['claim', fromSample(claimCalls)],
  amm: ['amm', fromSample(swapCalls)],
  mint: ['mint', fromSample(mintCalls)],
  counter: ['probe', counterCalls],
};

export const WORKLOADS = Object.keys(SAMPLES);

/** A block of `count` transactions, one message each, and the state before it as a Map. */
export function makeWorkload(name, count) {
  const [programName, makeCalls] = SAMPLES[name];
  const wasm = builtPrograms()[programName];
  const state = new Map([[codeKey(CONTRACT), concatBytes(Uint8Array.of(0), wasm)]]);
  const prefix = storagePrefix(CONTRACT);
  const transactions = makeCalls(prepareProgram(wasm), count).map(({ inputs, incoming, reads }, i) => {
    // The first message decides about a key that all of them share, such as the counter of `mint`.
    for (const { key, value } of reads) {
      const full = prefix + toBinaryString(key);
      if (value !== undefined && !state.has(full)) state.set(full, value);
    }
    const txid = seededBytes(name, 'txid', i);
    const coin = { prevTxid: seededBytes(name, 'coin', i), prevVout: 0, witness: [] };
    if (incoming.length > 0) {
      const entries = [];
      for (let at = 0; at < incoming.length; at += 3) {
        entries.push({ id: { block: incoming[at], tx: incoming[at + 1] }, amount: incoming[at + 2] });
      }
      state.set(sheetKey(coin.prevTxid, 0), encodeSheet(Sheet.of(entries)));
    }
    const message = encodeCellpack({ block: 8n, tx: 8n }, [CONTRACT.block, CONTRACT.tx, ...inputs]);
    const script = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] });
    return {
      txid,
      raw: concatBytes(new Uint8Array(150), script),
      inputs: [coin],
      outputs: [
        { value: 546n, script: ORDINARY },
        { value: 0n, script },
      ],
    };
  });
  // What the pools of `amm` pay out lies on the contract's balance.
  if (name === 'amm') for (const tx of [10n, 11n]) state.set(balanceKey({ block: 2n, tx }, CONTRACT), RESERVES);
  const block = {
    hash: new Uint8Array(32),
    previousHash: new Uint8Array(32),
    header: new Uint8Array(80),
    coinbaseHeight: undefined,
    transactions,
    raw: concatBytes(new Uint8Array(80), ...transactions.map(({ raw }) => raw)),
  };
  return { name, block, state };
}
