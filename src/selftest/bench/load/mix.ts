/** Which workloads the blocks of `bench load` are made of, and how much of each. */
import type { AlkaneId } from '../../../protocol/types.js';
import { isWorkload, WORKLOADS, type WorkloadName } from '../block-workloads.js';
import type { WorkloadContract, WorkloadTransaction } from '../workload-bytes.js';

/** Shares are whole numbers: of their sum. */
export type Mix = readonly { readonly workload: WorkloadName; readonly share: number }[];

/** Workloads with contracts of their own, 2:1 and following: there is room for one of them. */
const OF_SEVERAL: readonly WorkloadName[] = ['mixed', 'general'];
/** The contract of the first of the other workloads; the next ones follow. */
const FIRST_CONTRACT = 100n;
const MOST_SHARE = 1_000_000;

/**
 * Reads `claim=50,counter=30`; a name alone has the share 1. Undefined if it is none: an unknown workload, one twice,
 * or two that have the same contracts.
 */
export function readMix(text: string): Mix | undefined {
  const mix: { workload: WorkloadName; share: number }[] = [];
  for (const part of text.split(',')) {
    const [, workload, share = '1'] = /^([a-z-]+)(?:=(\d{1,7}))?$/.exec(part) ?? [];
    if (workload === undefined || !isWorkload(workload) || mix.some((other) => other.workload === workload)) {
      return undefined;
    }
    if (Number(share) < 1 || Number(share) > MOST_SHARE) return undefined;
    mix.push({ workload, share: Number(share) });
  }
  return mix.filter(({ workload }) => OF_SEVERAL.includes(workload)).length > 1 ? undefined : mix;
}

export interface MixedTransactions {
  readonly contracts: readonly WorkloadContract[];
  /** Parents are earlier ones of this list. */
  readonly transactions: readonly WorkloadTransaction[];
}

/** `count` transactions of `mix`, those of each workload spread evenly and in their order. */
export function mixedTransactions(mix: Mix, count: number): MixedTransactions {
  const order = spreadEvenly(mix, count);
  const contracts: WorkloadContract[] = [];
  const transactions = new Array<WorkloadTransaction>(count);
  for (const [which, { workload }] of mix.entries()) {
    const places: number[] = [];
    for (let at = 0; at < count; at++) if (order[at] === which) places.push(at);
    const contract: AlkaneId = { block: 2n, tx: FIRST_CONTRACT + BigInt(which) };
    const made = WORKLOADS[workload](places.length, OF_SEVERAL.includes(workload) ? undefined : contract);
    contracts.push(...made.contracts);
    for (const [i, { parent, ...transaction }] of made.transactions.entries()) {
      transactions[places[i]] = parent === undefined ? transaction : { ...transaction, parent: places[parent] };
    }
  }
  return { contracts, transactions };
}

/** By transaction: number of its workload in the mix, of which it is the turn that is furthest behind its share. */
function spreadEvenly(mix: Mix, count: number): Uint8Array {
  const sum = mix.reduce((all, { share }) => all + share, 0);
  const taken = mix.map(() => 0);
  return Uint8Array.from({ length: count }, (_, at) => {
    let most = 0;
    const behind = (which: number): number => (mix[which].share * (at + 1)) / sum - taken[which];
    for (let which = 1; which < mix.length; which++) if (behind(which) > behind(most)) most = which;
    taken[most]++;
    return most;
  });
}
