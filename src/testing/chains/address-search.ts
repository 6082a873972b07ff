/** What blocks have to do with a script, found by going through all of their transactions. */
import { toDisplayHash, toHex } from '../../util/bytes.js';

export interface PlainTx {
  /** 32 bytes, wire order; need not be the hash of anything. */
  readonly txid: Uint8Array;
  readonly inputs: readonly { readonly txid: Uint8Array; readonly vout: number }[];
  readonly outputs: readonly { readonly script: Uint8Array; readonly amount: bigint }[];
}

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

/** What the transactions of the blocks, by height from `first` on, have to do with a script. */
export function search(blocks: readonly (readonly PlainTx[])[], first: number, script: Uint8Array): Found {
  const outputs: FoundOutput[] = [];
  const history: FoundMove[] = [];
  const live = new Map<string, FoundOutput>();
  blocks.forEach((transactions, i) => {
    const height = first + i;
    transactions.forEach((tx, index) => {
      const txid = toDisplayHash(tx.txid);
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
        for (const [vin, input] of tx.inputs.entries()) spend(`${toDisplayHash(input.txid)}:${input.vout}`, vin);
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
