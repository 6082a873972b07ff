/**
 * The order in which transactions run where their order is free: those that call the same program follow each other. A
 * thread then compiles each program of a block about once, however many more there are than it can keep.
 */
import type { LaneTransaction } from '../../lane/scan.js';
import { LANE_TAG } from '../../lane/scan.js';
import { decodeCellpack } from '../../protocol/cellpack.js';
import type { Protostone } from '../../protocol/types.js';

/** `items` with equal keys together, each group where its first item was. Stable. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): T[] {
  const groups = new Map<string | undefined, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()].flat();
}

/**
 * What the first message of a transaction says behind the name of the lane: block and number of a contract, then the
 * inputs for it. undefined if it has no message, or one that is shorter.
 */
export function calledBy({ protostones }: LaneTransaction): readonly bigint[] | undefined {
  const isMessage = ({ protocolTag, message }: Protostone) => protocolTag === LANE_TAG && message !== undefined;
  const message = protostones.find(isMessage)?.message;
  const inputs = message && decodeCellpack(message)?.inputs;
  return inputs === undefined || inputs.length < 2 ? undefined : inputs;
}

/** The contract that the first message of a transaction calls, as it says itself; undefined if it calls none. */
export function targetOf(transaction: LaneTransaction): string | undefined {
  return calledBy(transaction)?.slice(0, 2).join(':');
}
