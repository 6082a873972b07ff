/** Random lane blocks (src/selftest/fuzz/fuzz-blocks.ts) as valid regtest blocks: serialised, with proof of work and commitments. */

import { compactSize } from '../../bitcoin/compact-size.js';
import { merkleRoot, sha256d } from '../../bitcoin/hash.js';
import type { Transaction, TxInput, TxOutput } from '../../bitcoin/types.js';
import { concatBytes, EMPTY_BYTES, toBinaryString, u32Bytes, u64Bytes, writeU32 } from '../../util/bytes.js';

const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);
const RESERVED = new Uint8Array(32);
const NO_TXID = new Uint8Array(32);
/** Regtest's: every second hash meets it. */
const BITS = 0x207fffff;

/**
 * A block of `transactions`, whose first becomes the coinbase. Outpoints that name outputs of the block by the made-up txids
 * are given the real ones.
 */
export function rawBlock(
  previous: Uint8Array,
  height: number,
  time: number,
  transactions: readonly Transaction[],
): { readonly hash: Uint8Array; readonly raw: Uint8Array } {
  const real = new Map<string, Uint8Array>();
  const rest = transactions.slice(1).map(({ txid, inputs, outputs }) => {
    const spending = inputs.map((input) => ({
      ...input,
      prevTxid: real.get(toBinaryString(input.prevTxid)) ?? input.prevTxid,
    }));
    const made = serialise(spending, outputs, EMPTY_BYTES);
    real.set(toBinaryString(txid), made.txid);
    return made;
  });
  const witnessRoot = merkleRoot([NO_TXID, ...rest.map(({ raw }) => sha256d(raw))]).root;
  const commitment = { value: 0n, script: concatBytes(COMMITMENT, sha256d(witnessRoot, RESERVED)) };
  const input = { prevTxid: NO_TXID, prevVout: 0xffffffff, witness: [RESERVED] };
  // The height, and the time, so that no two coinbases have one txid.
  const script = concatBytes(Uint8Array.of(4), u32Bytes(height), Uint8Array.of(4), u32Bytes(time));
  const coinbase = serialise([input], [...transactions[0].outputs, commitment], script);
  const all = [coinbase, ...rest];
  const root = merkleRoot(all.map(({ txid }) => txid)).root;
  const header = concatBytes(u32Bytes(0x20000000), previous, root, u32Bytes(time), u32Bytes(BITS), u32Bytes(0));
  let hash = sha256d(header);
  for (let nonce = 1; hash[31] >= 0x7f; nonce++) {
    writeU32(header, 76, nonce);
    hash = sha256d(header);
  }
  return { hash, raw: concatBytes(header, compactSize(all.length), ...all.map(({ raw }) => raw)) };
}

function serialise(
  inputs: readonly TxInput[],
  outputs: readonly TxOutput[],
  script: Uint8Array,
): { readonly txid: Uint8Array; readonly raw: Uint8Array } {
  const body = concatBytes(
    compactSize(inputs.length),
    ...inputs.flatMap(({ prevTxid, prevVout }) => [prevTxid, u32Bytes(prevVout), sized(script), u32Bytes(0xffffffff)]),
    compactSize(outputs.length),
    ...outputs.flatMap((output) => [u64Bytes(output.value), sized(output.script)]),
  );
  const bare = concatBytes(u32Bytes(2), body, u32Bytes(0));
  const txid = sha256d(bare);
  if (inputs.every(({ witness }) => witness.length === 0)) return { txid, raw: bare };
  const witnesses = inputs.flatMap(({ witness }) => [compactSize(witness.length), ...witness.map(sized)]);
  return { txid, raw: concatBytes(u32Bytes(2), Uint8Array.of(0, 1), body, ...witnesses, u32Bytes(0)) };
}

function sized(bytes: Uint8Array): Uint8Array {
  return concatBytes(compactSize(bytes.length), bytes);
}
