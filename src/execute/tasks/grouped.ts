/**
 * The order in which transactions run where their order is free: those that call the same program follow each other. A
 * thread then compiles each program of a block about once, however many more there are than it can keep.
 */
import type { LaneTransaction } from '../../lane/scan.js';
import { LANE_TAG } from '../../lane/scan.js';
import { decodeCellpack } from '../../protocol/cellpack.js';

/** The contract that the first message of a transaction calls, as it says itself; undefined if it calls none. */
export function targetOf({ protostones }: LaneTransaction): string | undefined {
  const message = protostones.find(({ protocolTag }) => protocolTag === LANE_TAG)?.message;
  // Two integers name the lane, the next two the contract.
  return message && decodeCellpack(message)?.inputs.slice(0, 2).join(':');
}
