/** Blocks for an index by address: made-up transactions, and what must be found of them by going through all. */
import { createHash } from 'node:crypto';
import { compactSize } from '../../src/bitcoin/compact-size.js';
import type { BlockOutputs } from '../../src/store/types.js';
import { concatBytes, toHex, u32Bytes, u64Bytes } from '../../src/util/bytes.js';

export interface ToyTx {
  /** 32 bytes, wire order; need not be the hash of anything. */
  readonly txid: Uint8Array;
  readonly inputs: readonly { readonly txid: Uint8Array; readonly vout: number }[];
  readonly outputs: readonly { readonly script: Uint8Array; readonly amount: bigint }[];
}

/** Where the parts of a block of these transactions would lie; the first is the coinbase, which spends nothing. */
export function outputsOf(transactions: readonly ToyTx[]): BlockOutputs {
  const parts: Uint8Array[] = [new Uint8Array(80)];
  let at = 80;
  const put = (bytes: Uint8Array): number => {
    parts.push(bytes);
    at += bytes.length;
    return at - bytes.length;
  };
  const [firstInput, firstOutput, inputs, scripts]: number[][] = [[], [], [], []];
  for (const tx of transactions) {
    firstInput.push(inputs.length);
    firstOutput.push(scripts.length / 2);
    for (const { txid, vout } of tx.inputs) inputs.push(put(concatBytes(txid, u32Bytes(vout))));
    for (const { script, amount } of tx.outputs) {
      put(concatBytes(u64Bytes(amount), compactSize(script.length)));
      scripts.push(put(script), at);
    }
  }
  firstInput.push(inputs.length);
  firstOutput.push(scripts.length / 2);
  return {
    raw: concatBytes(...parts),
    count: transactions.length,
    firstInput: Uint32Array.from(firstInput),
    firstOutput: Uint32Array.from(firstOutput),
    inputs: Uint32Array.from(inputs),
    scripts: Uint32Array.from(scripts),
    txids: concatBytes(...transactions.map(({ txid }) => txid)),
  };
}

export const txidOf = (name: string): Uint8Array => new Uint8Array(createHash('sha256').update(name).digest());

/** An output as a listing gives it. */
interface FoundOutput {
  outpoint: string;
  amount: string;
  height: number;
  index: number;
  spent: { height: number; index: number; txid: string; vin: number | null } | null;
}

interface FoundMove {
  txid: string;
  height: number;
  index: number;
  received: string;
  spent: string;
}

export interface Found {
  readonly outputs: readonly FoundOutput[];
  readonly history: readonly FoundMove[];
}

const shown = (txid: Uint8Array): string => toHex(new Uint8Array(txid).reverse());

/** What the transactions of the blocks, by height from `first` on, have to do with a script. */
export function search(blocks: readonly (readonly ToyTx[])[], first: number, script: Uint8Array): Found {
  const outputs: FoundOutput[] = [];
  const history: FoundMove[] = [];
  const live = new Map<string, FoundOutput>();
  blocks.forEach((transactions, i) => {
    const height = first + i;
    transactions.forEach((tx, index) => {
      const txid = shown(tx.txid);
      let [received, spent, concerns] = [0n, 0n, false];
      const spend = (outpoint: string, vin: number | null): void => {
        const output = live.get(outpoint);
        if (output === undefined) return;
        live.delete(outpoint);
        output.spent = { height, index, txid, vin };
        spent += BigInt(output.amount);
        concerns = true;
      };
      if (index > 0) {
        for (const [vin, input] of tx.inputs.entries()) spend(`${shown(input.txid)}:${input.vout}`, vin);
      }
      tx.outputs.forEach((output, vout) => {
        const outpoint = `${txid}:${vout}`;
        if (isLost(output.script)) return;
        spend(outpoint, null);
        if (toHex(output.script) !== toHex(script)) return;
        const made = { outpoint, amount: output.amount.toString(), height, index, spent: null };
        outputs.push(made);
        live.set(outpoint, made);
        received += output.amount;
        concerns = true;
      });
      if (concerns) history.push({ txid, height, index, received: `${received}`, spent: `${spent}` });
    });
  });
  return { outputs, history };
}

/** Bitcoin Core's rule of what can never be spent. */
const isLost = (script: Uint8Array): boolean => script[0] === 0x6a || script.length > 10_000;
