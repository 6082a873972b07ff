import { LANE_TARGET } from '../../protocol/cellpack.js';
import { encodeCellpack, encodeRunestone, type ProtostoneInput } from '../../protocol/encode.js';
import type { AlkaneId, ProtostoneEdict } from '../../protocol/types.js';

/** A protostone to write. */
export type Stone = ProtostoneInput;

export function id(block: number | bigint, tx: number | bigint): AlkaneId {
  return { block: BigInt(block), tx: BigInt(tx) };
}

export function edict(of: AlkaneId, amount: bigint | number, output: number): ProtostoneEdict {
  return { id: of, amount: BigInt(amount), output: BigInt(output) };
}

/** Message bytes of an (8,8) cellpack. */
export function laneMessage(target: AlkaneId, inputs: readonly (bigint | number)[]): Uint8Array {
  return encodeCellpack(LANE_TARGET, [target.block, target.tx, ...inputs]);
}

/** A tag-1 protostone with an (8,8) message, pointer and refund 0 unless `extra` says otherwise. */
export function call(target: AlkaneId, inputs: readonly (bigint | number)[], extra: Stone = {}): Stone {
  return { pointer: 0, refund: 0, message: laneMessage(target, inputs), ...extra };
}

/** The OP_RETURN script that carries the protostones. */
export function runestoneOf(stones: readonly Stone[]): Uint8Array {
  return encodeRunestone({ protostones: stones });
}
