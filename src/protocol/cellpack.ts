/** Calldata as a cellpack (docs/wire.md, "Cellpacks"). */
import type { AlkaneId, Cellpack } from './types.js';
import { decodeVarints, type VarintError } from './varint.js';

/** The target that marks a message for the parallel lane. */
export const LANE_TARGET: AlkaneId = { block: 8n, tx: 8n };

export type CellpackResult =
  | { readonly ok: true; readonly cellpack: Cellpack }
  | { readonly ok: false; readonly error: VarintError | 'short' };

/**
 * Reads calldata: the first two integers are the target, the rest the inputs (padding zeros included). The error says
 * why the message fails.
 */
export function readCellpack(message: Uint8Array): CellpackResult {
  const integers = decodeVarints(message);
  if (!integers.ok) return integers;
  if (integers.values.length < 2) return { ok: false, error: 'short' };
  const [block, tx] = integers.values;
  return { ok: true, cellpack: { target: { block, tx }, inputs: integers.values.slice(2) } };
}

/** The cellpack of `message`, or undefined if it has none: then the message fails and is refunded. */
export function decodeCellpack(message: Uint8Array): Cellpack | undefined {
  const result = readCellpack(message);
  return result.ok ? result.cellpack : undefined;
}
