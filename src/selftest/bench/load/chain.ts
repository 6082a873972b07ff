/** A chain of valid blocks of a mix of workloads, on regtest, and the state that they find. */
import { regtestFrame, regtestGenesis } from '../../../bitcoin/regtest.js';
import { writeBlock } from '../../../bitcoin/serialise.js';
import type { LaneKey } from '../../../lane/types.js';
import type { Program } from '../../../program/types.js';
import { seededBytes } from '../../inputs/prng.js';
import { programsOf, stateBefore } from '../block-workloads.js';
import { serialise } from '../workload-bytes.js';
import { type Mix, mixedTransactions } from './mix.js';

export interface LoadChain {
  readonly programs: readonly Program[];
  /** Block 0, after which the lane has `state`. */
  readonly genesis: { readonly raw: Uint8Array; readonly hash: Uint8Array };
  readonly state: ReadonlyMap<LaneKey, Uint8Array>;
  /** From height 1 on. */
  readonly blocks: readonly { readonly height: number; readonly raw: Uint8Array }[];
}

const FIRST_TIME = 1_900_000_000;
const SECONDS = 600;
const REWARD = Uint8Array.of(0x51);

/** `count` blocks of `size` lane transactions each. The same mix, size and count give the same blocks. */
export function makeLoadChain(mix: Mix, size: number, count: number): LoadChain {
  const { contracts, transactions } = mixedTransactions(mix, size * count);
  const coinOf = (i: number): Uint8Array => seededBytes('load', 'coin', i);
  const genesis = regtestGenesis();
  const txids: Uint8Array[] = [];
  const blocks: { height: number; raw: Uint8Array }[] = [];
  let previous = genesis.hash;
  for (let height = 1; height <= count; height++) {
    const first = (height - 1) * size;
    const written = transactions.slice(first, first + size).map((transaction, i) => {
      const { parent } = transaction;
      const { bytes: raw, txid } = serialise(transaction, parent === undefined ? coinOf(first + i) : txids[parent]);
      txids.push(txid);
      return { raw, txid };
    });
    const time = FIRST_TIME + SECONDS * height;
    const next = { previous, height, time, reward: REWARD, fees: 0n, mark: new Uint8Array(0) };
    const { raw, hash } = writeBlock(regtestFrame(next), written);
    blocks.push({ height, raw });
    previous = hash;
  }
  return { programs: programsOf(contracts), genesis, state: stateBefore(contracts, transactions, coinOf), blocks };
}
