/** Blocks for the benchmarks, by name: their bytes, and the state that they find. */

import { balanceKey, codeKey, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../lane/keys.js';
import type { LaneKey } from '../../lane/types.js';
import { prepareProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { encodeSheet, Sheet } from '../../protocol/sheet.js';
import type { AlkaneId } from '../../protocol/types.js';
import { builtPrograms, heavyContract } from '../../util/built-wasm.js';
import { concatBytes, u128Bytes } from '../../util/bytes.js';
import { seededBytes } from '../inputs/prng.js';
import {
  CONTRACT,
  claims,
  increments,
  type MakeMessages,
  mints,
  one,
  own,
  partlyHot,
  registrations,
  someHot,
  swaps,
  swapsInOnePool,
  transfers,
} from './block-messages.js';
import { generalBlock, mixedBlock } from './block-mixes.js';
import { blockOf, call, type WorkloadContract, type WorkloadParts } from './workload-bytes.js';

export interface WorkloadBlock {
  readonly name: string;
  /** The programs of its contracts. */
  readonly programs: readonly Program[];
  /** The serialised block; `BlockOffsets` reads it, if it is given room. */
  readonly raw: Uint8Array;
  /** The lane's state before it. */
  readonly state: ReadonlyMap<LaneKey, Uint8Array>;
}

/**
 * A block of so many transactions. Same count, same block. Those that call one contract alone call `contract`, if it is
 * given.
 */
export type Workload = (count: number, contract?: AlkaneId) => WorkloadParts;

/** Balance of a contract in the assets that it pays out. */
const RESERVES = u128Bytes(1n << 100n);
/** Number of the first contract that a block creates: above all that are there. */
const FIRST_CREATED = u128Bytes(1_000n);
/** Turns of a heavy call's loop: some tenth of a millisecond. */
const HEAVY_TURNS = 50_000n;

/** Every transaction calls one contract of the program `wasm`. */
function oneContract(
  wasm: () => Uint8Array,
  make: MakeMessages,
  reserves: WorkloadContract['reserves'] = [],
): Workload {
  return (count, contract = CONTRACT) => {
    const code = wasm();
    const { messages, storage } = make(prepareProgram(code), count, contract);
    return {
      contracts: [{ id: contract, wasm: code, storage, reserves }],
      transactions: messages.map(({ inputs, incoming }) => ({ protostones: [call(contract, inputs)], incoming })),
    };
  };
}

const probe = (): Uint8Array => builtPrograms().probe;
const amm = (): Uint8Array => builtPrograms().amm;

export const WORKLOADS = {
  claim: oneContract(() => builtPrograms().claim, claims),
  ledger: oneContract(() => builtPrograms().ledger, transfers),
  names: oneContract(() => builtPrograms().names, registrations),
  amm: oneContract(amm, swaps, [10n, 11n]),
  'amm-one-pool': oneContract(amm, swapsInOnePool, [10n, 11n]),
  mint: oneContract(() => builtPrograms().mint, mints),
  counter: oneContract(probe, increments(own)),
  'counter-hot': oneContract(probe, increments(someHot)),
  heavy: oneContract(heavyContract, increments(own, HEAVY_TURNS)),
  'heavy-hot': oneContract(heavyContract, increments(one, HEAVY_TURNS)),
  mixed: mixedBlock,
  general: generalBlock,
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof WORKLOADS;

export function isWorkload(name: string): name is WorkloadName {
  return Object.hasOwn(WORKLOADS, name);
}

export const WORKLOAD_NAMES: readonly WorkloadName[] = Object.keys(WORKLOADS).filter(isWorkload);

/** For `bench contention`: so many per cent of the calls change one counter, the others each one of their own. */
export function contended(calls: 'light' | 'heavy', percent: number): Workload {
  return calls === 'light'
    ? oneContract(probe, increments(partlyHot(percent)))
    : oneContract(heavyContract, increments(partlyHot(percent), HEAVY_TURNS));
}

/** A block of `count` transactions of a workload, and the state before it. */
export function makeWorkload(name: WorkloadName, count: number): WorkloadBlock {
  return buildWorkload(name, WORKLOADS[name], count);
}

export function buildWorkload(name: string, workload: Workload, count: number): WorkloadBlock {
  const { contracts, transactions } = workload(count);
  const coinOf = (i: number): Uint8Array => seededBytes(name, 'coin', i);
  const state = stateBefore(contracts, transactions, coinOf);
  return { name, programs: programsOf(contracts), raw: blockOf(transactions, coinOf), state };
}

/** The lane's state that `transactions` find: the contracts, and the coins that they spend. */
export function stateBefore(
  contracts: WorkloadParts['contracts'],
  transactions: WorkloadParts['transactions'],
  coinOf: (i: number) => Uint8Array,
): Map<LaneKey, Uint8Array> {
  const state = new Map<LaneKey, Uint8Array>([[SEQUENCE_KEY, FIRST_CREATED]]);
  for (const { id, wasm, storage, reserves } of contracts) {
    state.set(codeKey(id), concatBytes(Uint8Array.of(0), wasm));
    const prefix = storagePrefix(id);
    for (const [key, value] of storage) state.set(prefix + key, value);
    for (const tx of reserves) state.set(balanceKey({ block: 2n, tx }, id), RESERVES);
  }
  transactions.forEach(({ incoming }, i) => {
    if (incoming.length > 0) state.set(sheetKey(coinOf(i), 0), encodeSheet(Sheet.of(incoming)));
  });
  return state;
}

export function programsOf(contracts: WorkloadParts['contracts']): Program[] {
  return [...new Map(contracts.map(({ wasm }) => [wasm, prepareProgram(wasm)])).values()];
}
